// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    @Suite struct Death {
        @Test(arguments: ["closed", "open"])
        func `a killed control costs no frame and comes back`(fail: String) throws {
            let lab = try Lab(.init(fail: fail))
            defer { lab.remove() }
            try lab.start()
            let stream = try Stream(lab, from: lab.web, to: lab.db)
            let before = try lab.status()
            let control = try before.process("control")
            kill(control.pid, SIGKILL)
            let back = try lab.waitForRestart(of: "control", after: control.pid, within: 10)
            pause(1)
            let arrivals = try stream.finish()
            #expect(arrivals.lost == 0 && arrivals.duplicated == 0)
            let after = try lab.status()
            #expect(try after.process("data").pid == before.process("data").pid)
            #expect(try after.process("control").restarts == control.restarts + 1)
            #expect(after.generation > 0)
            figure("kill -9 control, \(fail)", "answers again after \(back.short) ms; \(arrivals.summary)")
        }

        @Test func `a killed data passes nothing in closed and is back within a second`() throws {
            let lab = try Lab(.init(fail: "closed"))
            defer { lab.remove() }
            try lab.start()
            let allowed = try Stream(lab, from: lab.web, to: lab.db)
            let denied = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 1000)
            let data = try lab.status().process("data").pid
            let killed = Moment.now
            kill(data, SIGKILL)
            try lab.waitForRestart(of: "data", after: data, within: 10)
            pause(1)
            let arrivals = try allowed.finish()
            #expect(try denied.finish().frames.isEmpty, "unjudged frames passed")
            // Nothing that was sent to a dead data process is sent by the next one.
            let back = try #require(arrivals.frames.first { $0.sent > killed.advanced(milliseconds: 5) })
            #expect(back.arrived.milliseconds(since: killed) < 1000)
            #expect(arrivals.latest < 100)
            figure("kill -9 data, closed", arrivals.summary)
        }

        @Test func `a killed data is bridged by the kernel in open and is back within a second`() throws {
            let lab = try Lab(.init(fail: "open"))
            defer { lab.remove() }
            try lab.start()
            let allowed = try Stream(lab, from: lab.web, to: lab.db)
            let denied = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 2000)
            let data = try lab.status().process("data").pid
            let killed = Moment.now
            kill(data, SIGKILL)
            try lab.waitForRestart(of: "data", after: data, within: 10)
            pause(1)
            let (arrivals, bridged) = (try allowed.finish(), try denied.finish())
            #expect(arrivals.gap < 50)
            // Denied frames show exactly when the kernel forwarded without us.
            let first = try #require(bridged.frames.first, "the kernel forwarded nothing")
            let last = try #require(bridged.frames.last)
            #expect(first.arrived.milliseconds(since: killed) < 50)
            #expect(last.arrived.milliseconds(since: killed) < 1000)
            figure(
                "kill -9 data, open",
                "\(arrivals.summary); bridged from \(first.arrived.milliseconds(since: killed).short) to "
                    + "\(last.arrived.milliseconds(since: killed).short) ms after the kill")
        }

        @Test func `data of which nobody knows which process it is forwards on, and is left alone by the next keeper`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let first = try lab.start()
            let data = try lab.status().process("data").pid
            kill(first.pid, SIGKILL)
            try first.waitForEnd(within: 5)
            let note = lab.folder.appending(path: "run/keeper/data.pid")
            try FileManager.default.removeItem(at: note)
            let stream = try Stream(lab, from: lab.web, to: lab.db)
            let second = try lab.launch()
            #expect(try second.waitForEnd(within: 20) == 1)
            #expect(second.errors.contains("data.pid does not say which"), "\(second.errors)")
            pause(0.3)
            let arrivals = try stream.finish()
            #expect(arrivals.lost == 0 && arrivals.duplicated == 0)
            kill(data, SIGKILL)
            try lab.start()
        }

        @Test(arguments: ["closed", "open"])
        func `data runs on without its keeper, and the next one takes over without loss`(fail: String) throws {
            let lab = try Lab(.init(fail: fail))
            defer { lab.remove() }
            let first = try lab.start()
            let before = try lab.status()
            let stream = try Stream(lab, from: lab.web, to: lab.db)
            kill(first.pid, SIGKILL)
            try first.waitForEnd(within: 5)
            pause(1)
            let second = try lab.start()
            pause(1)
            let arrivals = try stream.finish()
            #expect(arrivals.lost == 0 && arrivals.duplicated == 0)
            let after = try lab.status()
            #expect(try after.process("keeper").pid == second.pid)
            #expect(try after.process("data").pid == before.process("data").pid)
            // The new keeper watches what it took over.
            let data = try after.process("data").pid
            kill(data, SIGKILL)
            try lab.waitForRestart(of: "data", after: data, within: 10)
            figure("kill -9 keeper, \(fail)", arrivals.summary)
        }
    }
}
