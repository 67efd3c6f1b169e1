// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests.SideBySide {
    /// Changes of policy that harm, and how they heal.
    @Suite struct SafeChange {
        @Test func `a policy that locks everybody out goes back by itself`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 1000)
            #expect(try lab.connects())
            try lab.bulkhead("policy", "apply", try lab.locked(), "--confirm", "5s").expectSuccess()
            #expect(try lab.status().policy?.outcome == "pending")
            #expect(try !lab.connects())
            try eventually("the old policy", within: 8, every: 0.05) { try lab.status().policy?.outcome == "confirmed" }
            #expect(try lab.connects())
            pause(0.5)
            let arrivals = try stream.finish()
            #expect((4000...7000).contains(arrivals.gap), "\(arrivals.summary)")
            let history = try lab.bulkhead("policy", "history").expectSuccess()
            #expect(history.output.contains("rolledBack") || history.output.contains("rolled back"), "\(history.output)")
            figure("lock-out with --confirm 5s", "healed after \(arrivals.gap.short) ms without service")
        }

        @Test func `a confirmation over a new login stands, one over an old login is refused`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            try lab.bulkhead("policy", "apply", try lab.locked(), "--confirm", "5s").expectSuccess()
            // This process's own session is older than the revision; a session that begins now is not.
            let old = try lab.bulkhead("policy", "confirm", "2")
            #expect(old.code == 1 && old.errors.contains("log in anew"), "\(old.errors)")
            let new = try Command.attempt([
                "setsid", "--wait", Requirement.binary, "policy", "confirm", "2", "--socket", lab.socket,
            ])
            #expect(new.code == 0, "\(new.errors)")
            pause(6)
            #expect(try lab.status().policy?.revision == 2)
            #expect(try !lab.connects())
        }

        @Test func `a control that is killed in the window heals all the same`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 1000)
            try lab.bulkhead("policy", "apply", try lab.locked(), "--confirm", "5s").expectSuccess()
            let control = try lab.status().process("control").pid
            kill(control, SIGKILL)
            try eventually("the old policy", within: 15, every: 0.1) {
                (try? lab.status())?.policy?.revision == 1
            }
            #expect(try lab.connects())
            pause(0.5)
            let arrivals = try stream.finish()
            #expect(arrivals.gap < 10_000, "\(arrivals.summary)")
            figure("lock-out, control killed in the window", "healed after \(arrivals.gap.short) ms without service")
        }

        @Test func `a take-over in the window goes on with it`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let first = try lab.start()
            try lab.bulkhead("policy", "apply", try lab.locked(), "--confirm", "8s").expectSuccess()
            try lab.start("--take-over")
            #expect(try first.waitForEnd(within: 10) == 0)
            #expect(try lab.status().policy?.outcome == "pending")
            #expect(try !lab.connects())
            try eventually("the old policy", within: 13, every: 0.1) { try lab.status().policy?.revision == 1 }
            #expect(try lab.connects())
        }

        @Test func `a revision that denies more than it may goes back before its time`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let run = try lab.start()
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 1000)
            try lab.bulkhead("policy", "apply", try lab.locked(), "--confirm", "60s", "--max-new-denies", "0").expectSuccess()
            let took = try eventually("the old policy", within: 10, every: 0.05) { try lab.status().policy?.revision == 1 }
            #expect(run.errors.contains("denies more that was allowed"))
            pause(0.5)
            let arrivals = try stream.finish()
            #expect(arrivals.gap < 5000, "\(arrivals.summary)")
            figure("--max-new-denies 0", "back after \(took.short) ms, \(arrivals.gap.short) ms without service")
        }

        @Test func `what was applied is in force over a restart of everything`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let first = try lab.start()
            try lab.bulkhead("policy", "apply", try lab.locked(), "--reason", "closing time").expectSuccess()
            try first.end()
            try lab.start()
            let status = try lab.status()
            #expect(status.policy?.revision == 2 && status.policy?.filesDiffer == true)
            #expect(status.conditions?.map(\.name).contains("files-differ") == true)
            #expect(try !lab.connects())
            try lab.bulkhead("policy", "rollback", "1").expectSuccess()
            #expect(try lab.connects())
        }
    }

    /// Workloads that come and go while everything runs.
    @Suite struct Registrations {
        @Test func `a registration is in force at once, and gone when its lease ends`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.writePolicy(ports: [Lab.allowedPort], withWeb: false)
            try lab.start()
            #expect(try !lab.connects())
            let add = ["workload", "add", "--name", "shop/web-1", "--address", lab.web.ipv4, "--label", "app=web"]
            // The first one teaches the image its label set.
            try lab.bulkhead(add).expectSuccess()
            #expect(try lab.connects())
            try lab.bulkhead("workload", "remove", "shop/web-1").expectSuccess()
            #expect(try !lab.connects())
            let generation = try lab.status().generation
            try lab.bulkhead(add + ["--lease", "10s"]).expectSuccess()
            #expect(try lab.connects())
            #expect(try lab.status().generation == generation)
            try eventually("the end of the lease", within: 13, every: 0.1) { try lab.status().policy?.registrations == 0 }
            #expect(try !lab.connects())
        }
    }

    /// Everything forwarded for a while, because somebody ordered it.
    @Suite struct Bypassing {
        @Test func `a bypass lets everything pass and ends by itself`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let denied = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 1000)
            let began = Moment.now
            try lab.bulkhead("bypass", "--for", "3s", "--reason", "looking for a fault").expectSuccess()
            #expect(try lab.status().conditions?.map(\.name).contains("bypass") == true)
            try eventually("the end of the bypass", within: 6, every: 0.05) {
                try lab.status().conditions?.map(\.name).contains("bypass") == false
            }
            let ended = Moment.now
            pause(1)
            let frames = try denied.finish().frames
            let (first, last) = (try #require(frames.first), try #require(frames.last))
            #expect(first.arrived > began && last.arrived < ended.advanced(milliseconds: 200))
            #expect(try lab.status().pairs.map(\.mode) == ["closed"])
            let audit = try lab.bulkhead("audit", "list").expectSuccess()
            #expect(audit.output.contains("bypass.begin") && audit.output.contains("bypass.end"))
            figure("bypass for 3 s", "passed for \(last.arrived.milliseconds(since: first.arrived).short) ms")
        }
    }
}

extension Lab {
    /// Runs a verb of the binary against this laboratory's daemon.
    @discardableResult
    func bulkhead(_ arguments: String...) throws -> Tool.Outcome { try bulkhead(arguments) }

    /// Runs a verb of the binary against this laboratory's daemon.
    @discardableResult
    func bulkhead(_ arguments: [String]) throws -> Tool.Outcome {
        try Command.attempt([Requirement.binary] + arguments + ["--socket", socket])
    }

    /// Whether web's kernel gets a TCP connection to db on the allowed port.
    func connects() throws -> Bool {
        let server = try Transfer.serve(self, "serve", at: db, address: db.ipv4, port: Self.allowedPort)
        defer { _ = try? server.end() }
        let attempt: Transfer.Attempt = try Transfer.run("connect", at: web, address: db.ipv4, port: Self.allowedPort, 1)
        return attempt.connected
    }

    /// A file of the policy with every allowance turned into a denial.
    func locked() throws -> String {
        let text = try String(contentsOf: folder.appending(path: "policy.yaml"), encoding: .utf8)
        let file = folder.appending(path: "locked.yaml")
        try text.replacing("action: allow", with: "action: deny").write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }
}

extension Tool.Outcome {
    /// Itself, if it ended well; throws what it said otherwise.
    @discardableResult
    func expectSuccess() throws -> Tool.Outcome {
        guard code == 0 else { throw Trouble("exit \(code): \(errors)\(output)") }
        return self
    }
}
