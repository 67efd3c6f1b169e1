// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    @Suite struct PolicyInForce {
        @Test func `a start judges no frame by the lack of a policy`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let allowed = try Stream(lab, from: lab.web, to: lab.db, rate: 5000)
            let denied = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 1000)
            try lab.start()
            pause(2)
            let passed = try allowed.finish()
            #expect(try denied.finish().frames.isEmpty)
            let first = try #require(passed.frames.first)
            let missing = passed.sent - Int(first.number) - passed.frames.count
            #expect(missing == 0, "frames were lost after the first one had passed")
            let status = try lab.quietStatus()
            #expect(status.dropped("unjudged") == 0)
            #expect(status.dropped("denied") > 0)
            figure("start under load", "\(first.number) frames before policy was in force, 0 lost behind the first")
        }

        @Test func `a reload under load loses no frame and decides anew about live flows`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let run = try lab.start()
            let before = try lab.status().generation
            let steady = try Stream(lab, from: lab.web, to: lab.db)
            let changing = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 1000)

            try lab.writePolicy(ports: [Lab.allowedPort, Lab.deniedPort])
            let opened = Moment.now
            kill(run.pid, SIGHUP)
            let taken = try eventually("a new generation", within: 10, every: 0.02) { try lab.status().generation > before }
            pause(1)
            let middle = try lab.status().generation
            try lab.writePolicy(ports: [Lab.allowedPort])
            kill(run.pid, SIGHUP)
            try eventually("the next generation", within: 10, every: 0.02) { try lab.status().generation > middle }
            let closed = Moment.now
            pause(1)

            let (kept, changed) = (try steady.finish(), try changing.finish())
            #expect(kept.lost == 0 && kept.duplicated == 0)
            let first = try #require(changed.frames.first, "the second policy never let the port pass")
            let last = try #require(changed.frames.last)
            #expect(first.sent > opened && last.arrived < closed.advanced(milliseconds: 50))
            figure(
                "reload",
                "\(kept.summary); in force \(first.arrived.milliseconds(since: opened).short) ms after SIGHUP"
                    + " (seen in status after \(taken.short) ms)")
        }

        @Test func `a reload of a hundred thousand rules under load loses no frame`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let run = try lab.start()
            let before = try lab.status().generation
            try lab.writePolicy(ports: [Lab.allowedPort, Lab.deniedPort])
            try lab.addRules(100_000)
            let steady = try Stream(lab, from: lab.web, to: lab.db)
            let changing = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 1000)
            kill(run.pid, SIGHUP)
            let taken = try eventually("a generation of 100,000 rules", within: 60, every: 0.1) {
                try lab.status().generation > before
            }
            pause(1)
            let (kept, changed) = (try steady.finish(), try changing.finish())
            #expect(kept.lost == 0 && kept.duplicated == 0)
            #expect(!changed.frames.isEmpty, "the new policy never let the port pass")
            figure("reload of 100,000 rules", "\(kept.summary); in force after \((taken / 1000).short) s")
        }

        @Test func `a policy that cannot be read leaves the old one in force`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let run = try lab.start()
            let before = try lab.status()
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 2000)
            try "apiVersion: bulkhead/v1\nkind: Policy\nmetadata: {nmae: db}\n"
                .write(to: lab.folder.appending(path: "policy.yaml"), atomically: true, encoding: .utf8)
            kill(run.pid, SIGHUP)
            pause(2)
            let after = try lab.status()
            #expect(after.generation == before.generation)
            #expect(try after.process("control").pid == before.process("control").pid)
            #expect(try stream.finish().lost == 0)
            #expect(run.errors.contains("policy.yaml") || run.output.contains("policy.yaml"), "nobody was told")
        }
    }
}
