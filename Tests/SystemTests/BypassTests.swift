// SPDX-License-Identifier: Apache-2.0
import Foundation
import Layout
import Testing

extension SystemTests {
    @Suite struct Bypass {
        private func order(_ seconds: UInt64, _ lab: Lab) throws {
            try ControlChannel(of: lab.status().process("control").pid).say(Message(.bypass, seconds))
        }

        private func mode(_ lab: Lab) throws -> String? { try lab.status().pairs.first?.mode }

        @Test func `lets everything pass unjudged for the ordered time, and not a moment longer`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let allowed = try Stream(lab, from: lab.web, to: lab.db, rate: 5000)
            let denied = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 2000)
            pause(0.5)
            let ordered = Moment.now
            try order(2, lab)
            try eventually("the mode", within: 1, every: 0.02) { try mode(lab) == "bypass" }
            try eventually("the mode's end", within: 4, every: 0.02) { try mode(lab) == "closed" }
            pause(1)
            let (usual, passed) = (try allowed.finish(), try denied.finish())
            let first = try #require(passed.frames.first, "nothing passed")
            let last = try #require(passed.frames.last)
            let (begin, end) = (first.arrived.milliseconds(since: ordered), last.arrived.milliseconds(since: ordered))
            // When it begins is the machine's and the command's business; how long it lasts is ours.
            #expect(begin < 1000 && (1900...2100).contains(end - begin))
            #expect(passed.gap < 20, "the kernel did not forward all the time")
            #expect(usual.gap < 50)
            figure("bypass of 2 s", "denied frames from \(begin.short) to \(end.short) ms; allowed: \(usual.summary)")
        }

        @Test func `goes on without control and over the death of keeper, and ends in its time`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let first = try lab.start()
            let ordered = Moment.now
            try order(6, lab)
            try eventually("the mode", within: 1, every: 0.02) { try mode(lab) == "bypass" }
            let control = try lab.status().process("control").pid
            kill(control, SIGKILL)
            try lab.waitForRestart(of: "control", after: control, within: 5)
            #expect(try mode(lab) == "bypass")
            kill(first.pid, SIGKILL)
            let second = try lab.start()
            #expect(try mode(lab) == "bypass")
            #expect(second.errors.contains("a bypass was ordered before"))
            try lab.start("--take-over")
            #expect(try mode(lab) == "bypass")
            // Data that dies is replaced, and that changes nothing for the frames.
            let data = try lab.status().process("data").pid
            kill(data, SIGKILL)
            try lab.waitForRestart(of: "data", after: data, within: 5)
            #expect(try mode(lab) == "bypass")
            try eventually("the mode's end", within: 8, every: 0.02) { try mode(lab) == "closed" }
            let end = Moment.now.milliseconds(since: ordered)
            #expect((5900...6500).contains(end))
            figure("bypass of 6 s over the death of all three", "ended after \(end.short) ms")
        }

        @Test(arguments: [[], ["--take-over"]])
        func `whose time ends while no keeper is there is ended by the next one`(options: [String]) throws {
            let lab = try Lab()
            defer { lab.remove() }
            let first = try lab.start()
            try order(1, lab)
            try eventually("the mode", within: 1, every: 0.02) { try mode(lab) == "bypass" }
            kill(first.pid, SIGKILL)
            pause(1.2)
            let second = try lab.launch(options)
            try second.waitForLine("ready", within: 30)
            #expect(try mode(lab) == "closed")
            #expect(second.errors.contains("the bypass ends"))
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 1000)
            pause(0.3)
            #expect(try stream.finish().lost == 0)
        }

        @Test func `ends when it is ordered to, and an order out of range changes nothing`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let run = try lab.start()
            for seconds in [Message.longestBypass + 1, .max] {
                try order(seconds, lab)
                pause(0.2)
                #expect(try mode(lab) == "closed")
            }
            try eventually("keeper's complaint", within: 2) { run.errors.contains("can be: nothing is changed") }
            try order(Message.longestBypass, lab)
            try eventually("the mode", within: 1, every: 0.02) { try mode(lab) == "bypass" }
            try order(0, lab)
            try eventually("the mode's end", within: 1, every: 0.02) { try mode(lab) == "closed" }
            // Connections opened meanwhile may be picked up, as soon as the worker has seen the mode's end.
            try eventually("the grace", within: 1, every: 0.02) { try lab.status().flows.grace > 0 }
        }

        @Test func `leaves connections that went on meanwhile to go on under policy, and those that began`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let server = try Transfer.serve(lab, "serve", at: lab.db, address: lab.db.ipv4, port: Lab.allowedPort)
            let program = Requirement.traffic.appending(path: "transfer.py").path
            // As many bytes as no window holds.
            let transfer = try Companion(
                lab.web.namespace.command([program, "send", lab.db.ipv4, "\(Lab.allowedPort)", "\(Self.bytes)"]), in: lab.folder,
                name: "send")
            pause(0.3)
            try order(1, lab)
            try eventually("the mode", within: 1, every: 0.01) { try mode(lab) == "bypass" }
            let live = try LiveConnections(lab, count: 20, ports: [Lab.deniedPort - 100])
            try eventually("the mode's end", within: 3, every: 0.02) { try mode(lab) == "closed" }
            #expect(transfer.isRunning, "the transfer was over too soon to show anything")
            #expect(try transfer.waitForEnd(within: 60) == 0, "\(transfer.errors)")
            let outcome = try JSONDecoder().decode(Transfer.Outcome.self, from: Data(transfer.output.utf8))
            #expect(outcome.answer.sha256 == outcome.sha256)
            // What policy does not allow has not slipped in with the bypass.
            let count = try #require(try live.census(withSilence: true).first)
            #expect(count.open == 20 && count.answered == 0)
            try server.end()
            figure("a transfer over a bypass", "\(outcome.bytes >> 20) MiB in \(outcome.seconds) s")
        }

        private static let bytes = 1_500_000_000
    }
}
