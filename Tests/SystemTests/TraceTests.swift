// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// One live connection, as its worker has it and as policy goes on.
    @Suite struct Tracing {
        private static let size = 200_000

        /// Web may reach db on the allowed port, under a change mode; or nobody may reach db.
        private func policy(_ lab: Lab, change: String, isOpen: Bool) -> String {
            """
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: web-1, namespace: shop, labels: {app: web}}
            spec: {addresses: [\(lab.web.ipv4)]}
            ---
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: db-1, namespace: shop, labels: {app: db}}
            spec: {addresses: [\(lab.db.ipv4)]}
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: pages, namespace: shop}
            spec:
              change: \(change)
              rules:
                - {name: out, action: allow, to: {}, services: [any]}
                - {name: in, action: \(isOpen ? "allow" : "deny"), from: {}, services: [tcp/\(Lab.allowedPort)]}

            """
        }

        @Test(arguments: [(change: "keep", queues: 1), ("reevaluate", 1), ("keep", 2)])
        func `a curl that waits is told as it stands, and what a new policy makes of it`(row: (change: String, queues: Int))
            throws
        {
            let lab = try Lab(.init(queues: row.queues))
            defer { lab.remove() }
            try lab.write(policy(lab, change: row.change, isOpen: true))
            let run = try lab.start()
            let server = try Companion(
                lab.db.namespace.command([
                    Requirement.traffic.appending(path: "page.py").path, lab.db.ipv4, "\(Lab.allowedPort)", "\(Self.size)",
                ]), in: lab.folder, name: "page")
            try server.waitForLine("listening", within: 10)
            // What the kernel says of its IPv6 memberships comes at its own time, and belongs to no connection.
            for end in [lab.web, lab.db] { try end.namespace.shell("sysctl -q -w net.ipv6.conf.eth0.disable_ipv6=1") }
            pause(0.5)
            let before = try Moved(lab)
            let page = lab.folder.appending(path: "page").path
            let curl = try Companion(
                lab.web.namespace.command([
                    "curl", "-sS", "--local-port", "40000", "--max-time", "60", "-o", page,
                    "http://\(lab.db.ipv4):\(Lab.allowedPort)/",
                ]), in: lab.folder, name: "curl")
            try server.waitForLine("half", within: 10)
            _ = try lab.quietStatus()
            try expectTold(lab, since: before)

            try lab.write(policy(lab, change: row.change, isOpen: false))
            kill(run.pid, SIGHUP)
            try eventually("the new policy", within: 10, every: 0.05) { try lab.status().generation == 2 }
            try expectChanged(lab, keeps: row.change == "keep")
            kill(server.pid, SIGUSR1)
            if row.change == "keep" {
                #expect(try curl.waitForEnd(within: 30) == 0, "\(curl.errors)")
                #expect(try Data(contentsOf: URL(filePath: page)).count == Self.size)
            }
        }

        /// What is told while half of the page has come is what has arrived at both ends.
        private func expectTold(_ lab: Lab, since before: Moved) throws {
            let told = try lab.trace("tcp \(lab.web.ipv4):40000 -> \(lab.db.ipv4):\(Lab.allowedPort)")
            let live = try #require(told.live?.answers.live)
            let moved = try Moved(lab)
            #expect(live.flow.forward.frames == moved.there.frames - before.there.frames)
            #expect(live.flow.forward.bytes == moved.there.bytes - before.there.bytes)
            #expect(live.flow.reverse.frames == moved.back.frames - before.back.frames)
            #expect(live.flow.reverse.bytes == moved.back.bytes - before.back.bytes)
            #expect(live.flow.reverse.bytes > UInt64(Self.size / 2))
            #expect(live.state == "established" && live.flow.source.workload == "shop/web-1")
            #expect(live.flow.source.port == 40_000 && live.flow.port == "p0" && live.flow.ingress?.rule == "in")
            #expect(told.live?.current == true && told.live?.next.map(\.verdict) == ["forward", "forward"])
            #expect(told.new.verdict == "forward")
            // Workers that sleep answer by themselves, and all of them do.
            let answers = try #require(told.live?.answers)
            #expect(answers.silent.isEmpty && answers.answers.count == lab.settings.queues)
            #expect(answers.answers.allSatisfy { $0.microseconds < 400_000 }, "\(answers.answers)")
            figure("trace", "\(answers.answers.map { "\($0.microseconds) µs" }.joined(separator: ", ")) to the answer")
            // By its names, as `flows` prints it, and from the other end.
            let line = try lab.bulkhead("flows", "--event", "start", "--port", "\(Lab.allowedPort)").expectSuccess().output
            for words in [
                line, "shop/web-1:40000 shop/db-1 tcp/\(Lab.allowedPort)",
                "\(lab.db.ipv4):\(Lab.allowedPort) \(lab.web.ipv4):40000 tcp",
            ] {
                #expect(try lab.trace(words).live?.answers.live?.flow.source.port == 40_000, "\(words)")
            }
            #expect(try lab.trace("tcp \(lab.web.ipv4):40001 \(lab.db.ipv4):\(Lab.allowedPort)").live?.answers.live == nil)
        }

        /// What is told under a policy that refuses it.
        private func expectChanged(_ lab: Lab, keeps: Bool) throws {
            let words = "tcp \(lab.web.ipv4):40000 \(lab.db.ipv4):\(Lab.allowedPort)"
            var told = try lab.trace(words)
            #expect(told.new.verdict == "drop" && told.new.reason == "denied")
            if let live = told.live, live.answers.live != nil {
                #expect(live.next.map(\.verdict) == (keeps ? ["forward", "forward"] : ["drop", "drop"]))
            }
            // Within a second or two every flow was judged again, frames or not.
            try eventually("the sweep", within: 10, every: 0.1) {
                told = try lab.trace(words)
                guard let live = told.live?.answers.live else { return !keeps }
                return live.flow.generation == 2
            }
            #expect((told.live?.answers.live != nil) == keeps)
            if keeps {
                // 32 is the mark of a flow that outlives its policy.
                #expect(try #require(told.live?.answers.live).marks & 32 != 0 && told.live?.current == true)
                #expect(told.live?.next.map(\.verdict) == ["forward", "forward"])
            }
            let text = try lab.bulkhead("trace", words).expectSuccess().output
            #expect(text.contains(keeps ? "outlives the policy that allowed it" : "not found: "), "\(text)")
            #expect(text.contains("drop (denied)") && text.contains("policy shop/pages rule in"))
        }

        @Test func `a trace without a daemon, and one that may not be asked, say so`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let words = "tcp \(lab.web.ipv4):40000 \(lab.db.ipv4):\(Lab.allowedPort)"
            let alone = try lab.bulkhead("trace", words)
            #expect(alone.code == 1 && alone.errors.contains("no daemon at"))
            let lost = try lab.bulkhead("trace", "tcp", lab.web.ipv4)
            #expect(lost.code == 2 && lost.errors.contains("is no connection"))
        }
    }
}

/// What has arrived at db, and at web, as their kernels count whole frames.
private struct Moved {
    private struct Link: Decodable {
        struct Count: Decodable {
            let bytes: UInt64
            let packets: UInt64
        }
        struct Counts: Decodable { let rx: Count }
        let stats64: Counts
    }
    let there, back: (frames: UInt64, bytes: UInt64)

    init(_ lab: Lab) throws {
        (there, back) = (try Self.arrived(at: lab.db), try Self.arrived(at: lab.web))
    }

    private static func arrived(at workload: Lab.Workload) throws -> (frames: UInt64, bytes: UInt64) {
        let text = try Command.run("ip", "-n", workload.namespace.name, "-s", "-j", "link", "show", "eth0")
        guard let link = try JSONDecoder().decode([Link].self, from: Data(text.utf8)).first else { throw Trouble(text) }
        return (link.stats64.rx.packets, link.stats64.rx.bytes)
    }
}

/// `bulkhead trace --json`, as far as tests read it.
private struct Told: Decodable {
    struct Flow: Decodable {
        struct Side: Decodable { let rule: String? }
        let source: SeenFlow.End
        let forward: SeenFlow.Frames
        let reverse: SeenFlow.Frames
        let generation: Int
        let port: String
        let ingress: Side?
    }
    struct Connection: Decodable {
        let flow: Flow
        let state: String
        let marks: UInt8
    }
    struct Answer: Decodable { let microseconds: UInt64 }
    struct Answers: Decodable {
        let answers: [Answer]
        let silent: [Int]
        let live: Connection?
    }
    struct Next: Decodable { let verdict: String }
    struct Live: Decodable {
        let answers: Answers
        let current: Bool?
        let next: [Next]
    }
    struct New: Decodable {
        let verdict: String
        let reason: String?
    }
    let live: Live?
    let new: New
}

extension Lab {
    fileprivate func trace(_ words: String) throws -> Told {
        let output = try bulkhead("trace", "--json", words).expectSuccess().output
        return try JSONDecoder().decode(Told.self, from: Data(output.utf8))
    }
}
