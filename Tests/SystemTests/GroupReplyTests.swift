// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests.SideBySide {
    /// A real client asks a group, and a real server that has joined it answers by unicast.
    @Suite struct GroupReplies {
        /// What the client heard (Tests/Traffic/groups.py).
        private struct Heard: Decodable {
            /// When each answer was sent, in seconds from the question.
            let answers: [Double]
            /// Answers at a port that did not ask.
            let strange: Int
        }

        private static let question = """
            {action: allow, to: {cidrs: [224.0.0.251, "ff02::fb"]}, services: [udp/5353], expectReplies: 2s}
            """
        private static let program = Requirement.traffic.appending(path: "groups.py").path

        /// Asks each group, all at the same time; what came of each.
        private func ask(_ lab: Lab, _ groups: [String], answers: [Double], for seconds: Double) throws -> [Heard] {
            let servers = try groups.enumerated().map { number, group in
                let server = try Companion(
                    lab.db.namespace.command([Self.program, "answer", group, "5353", "eth0"] + answers.map { "\($0)" }),
                    in: lab.folder, name: "answer-\(number)")
                try server.waitForLine("listening", within: 10)
                return server
            }
            let clients = try groups.enumerated().map { number, group in
                let words = [Self.program, "ask", group, "5353", "eth0", "\(seconds)"]
                return try Companion(lab.web.namespace.command(words), in: lab.folder, name: "ask-\(number)")
            }
            for client in clients { try client.waitForEnd(within: seconds + 10) }
            for server in servers { try server.end() }
            return try clients.map { try JSONDecoder().decode(Heard.self, from: Data($0.output.utf8)) }
        }

        @Test func `answers reach the port that asked as long as the rule says, and no longer, and no other port`() throws {
            let lab = try Lab(.init(policy: Documents.set(egress: [Self.question])))
            defer { lab.remove() }
            try lab.start()
            let before = try lab.quietStatus()
            for heard in try ask(lab, ["224.0.0.251", "ff02::fb"], answers: [0.1, 1, 4.5], for: 5.5) {
                #expect(heard.answers == [0.1, 1] && heard.strange == 0, "\(heard)")
            }
            let after = try lab.quietStatus()
            after.expectBalance()
            // Of each group the answer that came too late, and the one to the port above.
            #expect(after.dropped("denied") - before.dropped("denied") >= 4)
        }

        @Test func `without a word about replies no answer passes`() throws {
            let lab = try Lab(
                .init(policy: Documents.set(egress: [Self.question.replacing(", expectReplies: 2s", with: "")])))
            defer { lab.remove() }
            try lab.start()
            let heard = try ask(lab, ["224.0.0.251"], answers: [0.1], for: 1)
            #expect(heard.count == 1 && heard[0].answers.isEmpty && heard[0].strange == 0)
        }
    }
}
