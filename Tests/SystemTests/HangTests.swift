// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    @Suite struct Hang {
        @Test func `a stopped data is noticed, killed and replaced, and nothing old is sent late`() throws {
            let lab = try Lab(.init(fail: "closed"))
            defer { lab.remove() }
            try lab.start()
            let allowed = try Stream(lab, from: lab.web, to: lab.db)
            let denied = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 1000)
            let data = try lab.status().process("data").pid
            let stopped = Moment.now
            kill(data, SIGSTOP)
            try eventually("the end of the stopped process", within: 5, every: 0.001) { !isAlive(data) }
            let dead = Moment.now
            try lab.waitForRestart(of: "data", after: data, within: 10)
            pause(1)
            let arrivals = try allowed.finish()
            #expect(dead.milliseconds(since: stopped) < 500)
            #expect(arrivals.count(sentBefore: dead, arrivedAfter: dead) == 0, "old frames were sent late")
            #expect(arrivals.latest < 100)
            #expect(try denied.finish().frames.isEmpty)
            let last = try #require(arrivals.frames.last)
            #expect(Moment.now.milliseconds(since: last.sent) < 3000, "nothing passes any more")
            figure(
                "SIGSTOP data, closed",
                "killed after \(dead.milliseconds(since: stopped).short) ms; \(arrivals.summary)")
        }

        @Test func `a stopped data in open is bypassed until the next one is there`() throws {
            let lab = try Lab(.init(fail: "open"))
            defer { lab.remove() }
            try lab.start()
            let allowed = try Stream(lab, from: lab.web, to: lab.db)
            let denied = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 2000)
            let data = try lab.status().process("data").pid
            let stopped = Moment.now
            kill(data, SIGSTOP)
            try lab.waitForRestart(of: "data", after: data, within: 10)
            pause(1)
            let (arrivals, bridged) = (try allowed.finish(), try denied.finish())
            let first = try #require(bridged.frames.first, "the kernel forwarded nothing")
            let last = try #require(bridged.frames.last)
            #expect(first.arrived.milliseconds(since: stopped) < 500)
            #expect(last.arrived.milliseconds(since: stopped) < 1500)
            #expect(arrivals.latest < 100, "old frames were sent late")
            #expect(arrivals.outOfOrder == 0)
            figure(
                "SIGSTOP data, open",
                "bypassed from \(first.arrived.milliseconds(since: stopped).short) to "
                    + "\(last.arrived.milliseconds(since: stopped).short) ms after the stop; \(arrivals.summary)")
        }

        @Test func `a stopped control is restarted and costs no frame, in closed and in open`() throws {
            /// A laboratory whose control is stopped while frames pass.
            struct Stopped {
                let lab: Lab
                let stream: Stream
                let control: Int32
            }
            // Side by side: what keeper allows a control before it takes it for hanging is most of it.
            let stopped = try ["closed", "open"].map { fail in
                let lab = try Lab(.init(fail: fail))
                try lab.start()
                let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 2500)
                return Stopped(lab: lab, stream: stream, control: try lab.status().process("control").pid)
            }
            defer { for each in stopped { each.lab.remove() } }
            for each in stopped { kill(each.control, SIGSTOP) }
            for each in stopped {
                let gone = try eventually("the end of the stopped process", within: 30) { !isAlive(each.control) }
                try each.lab.waitForRestart(of: "control", after: each.control, within: 10)
                let arrivals = try each.stream.finish()
                #expect(arrivals.lost == 0 && arrivals.duplicated == 0)
                figure("SIGSTOP control, \(each.lab.settings.fail)", "ended after \(gone.short) ms; \(arrivals.summary)")
            }
        }

        @Test(arguments: ["closed", "open"])
        func `a stopped keeper costs no frame, and goes on with the same processes`(fail: String) throws {
            let lab = try Lab(.init(fail: fail))
            defer { lab.remove() }
            let run = try lab.start()
            let before = try lab.status()
            let stream = try Stream(lab, from: lab.web, to: lab.db)
            kill(run.pid, SIGSTOP)
            pause(2)
            kill(run.pid, SIGCONT)
            pause(1)
            let arrivals = try stream.finish()
            #expect(arrivals.lost == 0 && arrivals.duplicated == 0)
            let after = try lab.status()
            // A keeper that was held up itself takes nobody else for hanging.
            #expect(try after.process("data").pid == before.process("data").pid)
            #expect(try after.process("control").pid == before.process("control").pid)
            figure("SIGSTOP keeper, \(fail)", arrivals.summary)
        }
    }
}
