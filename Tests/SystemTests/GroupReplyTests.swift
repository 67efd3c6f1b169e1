// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
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

        private func ask(_ lab: Lab, _ group: String, answers: [Double], for seconds: Double) throws -> Heard {
            let server = try Companion(
                lab.db.namespace.command([Self.program, "answer", group, "5353", "eth0"] + answers.map { "\($0)" }),
                in: lab.folder, name: "answer")
            try server.waitForLine("listening", within: 10)
            let words = [Self.program, "ask", group, "5353", "eth0", "\(seconds)"]
            let text = try Command.run(lab.web.namespace.command(words))
            try server.end()
            return try JSONDecoder().decode(Heard.self, from: Data(text.utf8))
        }

        @Test(arguments: ["224.0.0.251", "ff02::fb"])
        func `answers reach the port that asked as long as the rule says, and no longer, and no other port`(_ group: String)
            throws
        {
            let lab = try Lab(.init(policy: Documents.set(egress: [Self.question])))
            defer { lab.remove() }
            try lab.start()
            let before = try lab.quietStatus()
            let heard = try ask(lab, group, answers: [0.1, 1, 4.5], for: 5.5)
            #expect(heard.answers == [0.1, 1] && heard.strange == 0, "\(heard)")
            let after = try lab.quietStatus()
            after.expectBalance()
            // The answer that came too late, and the one to the port above.
            #expect(after.dropped("denied") - before.dropped("denied") >= 2)
        }

        @Test func `without a word about replies no answer passes`() throws {
            let lab = try Lab(
                .init(policy: Documents.set(egress: [Self.question.replacing(", expectReplies: 2s", with: "")])))
            defer { lab.remove() }
            try lab.start()
            let heard = try ask(lab, "224.0.0.251", answers: [0.1], for: 1)
            #expect(heard.answers.isEmpty && heard.strange == 0)
        }
    }
}
