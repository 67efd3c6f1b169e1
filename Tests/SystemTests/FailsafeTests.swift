// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests.SideBySide {
    /// What no policy can close stays open under one that closes everything.
    @Suite struct FailsafeServices {
        private static let failsafe = "failsafe: {transit: [{name: ssh, services: [tcp/2222], to: [10.9.0.21]}]}"
        /// Both ports are let through, then nothing at all is; what is no longer admitted ends by resets, so that it shows at once.
        private static func policy(_ action: String) -> String {
            let rules = ["egress: to", "ingress: from"].map { side in
                "{action: \(action), \(side.split(separator: " ")[1]): {}, services: [tcp]}"
            }
            return Documents.set(egress: [rules[0]], ingress: [rules[1]])
                .replacing("  rules:", with: "  change: reset\n  rules:")
        }

        @Test func `a reload that denies everything cuts all connections but the failsafe's, and lets only those be opened`()
            throws
        {
            let lab = try Lab(.init(configuration: Self.failsafe, policy: Self.policy("allow")))
            defer { lab.remove() }
            let run = try lab.start()
            let live = try LiveConnections(lab, count: 20, ports: [2222, 5432])
            #expect(try live.census().allSatisfy { $0.answered == 10 && $0.broken == 0 })

            let generation = try lab.status().generation
            try lab.write(Self.policy("deny"))
            kill(run.pid, SIGHUP)
            try eventually("the policy that denies everything", within: 10) { try lab.status().generation > generation }
            // The other connections are cut by their next frame.
            try eventually("the end of what is no failsafe", within: 20, every: 0.5) {
                try live.census().first { $0.port == 5432 }?.broken == 10
            }
            let kept = try #require(try live.census().first { $0.port == 2222 })
            #expect(kept.answered == 10 && kept.broken == 0, "\(kept)")

            for (port, isOpen) in [(2222, true), (5432, false)] {
                let attempt: Transfer.Attempt = try Transfer.run(
                    "connect", at: lab.web, address: lab.db.ipv4, port: port, 2)
                #expect(attempt.connected == isOpen, "\(port): \(attempt.error)")
            }
            try live.end()
            try lab.quietStatus().expectBalance()
        }
    }
}
