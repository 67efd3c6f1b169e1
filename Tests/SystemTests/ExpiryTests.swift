// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests.SideBySide {
    /// What has lapsed stays lapsed, whatever the clock says at the next start.
    @Suite struct Expiry {
        private func opens(_ lab: Lab) throws -> Bool {
            let attempt: Transfer.Attempt = try Transfer.run(
                "connect", at: lab.web, address: lab.db.ipv4, port: Lab.allowedPort, 2)
            return attempt.connected
        }

        @Test func `a rule that lapsed before a restart does not come back with a clock that is behind`() throws {
            let now = UInt64(Date().timeIntervalSince1970)
            let expires = ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: Double(now) + 5 * 86_400))
            let rule = "{action: allow, from: {selector: 'app == \"web\"'}, services: [tcp/5432], expires: \(expires)}"
            let lab = try Lab(.init(policy: Documents.set(ingress: [rule])))
            defer { lab.remove() }
            let server = try Transfer.serve(lab, "serve", at: lab.db, address: lab.db.ipv4, port: Lab.allowedPort)
            let first = try lab.start()
            #expect(try opens(lab))
            kill(first.pid, SIGTERM)
            #expect(try first.waitForEnd(within: 10) == 0)
            let file = lab.folder.appending(path: "state/clock")
            let kept = try String(contentsOf: file, encoding: .utf8).split(separator: " ").first.flatMap { UInt64($0) }
            #expect(try #require(kept) >= now, "the last second that policy saw is kept")

            // As if the clock had been ten days ahead of what it is now.
            try "\(now + 10 * 86_400) 0\n".write(to: file, atomically: true, encoding: .utf8)
            let second = try lab.start()
            #expect(try !opens(lab))
            // Nor does it with another data process over the same tables.
            let data = try lab.status().process("data").pid
            kill(data, SIGKILL)
            try lab.waitForRestart(of: "data", after: data, within: 20)
            #expect(try !opens(lab))
            kill(second.pid, SIGTERM)
            #expect(try second.waitForEnd(within: 10) == 0)
            try server.end()
        }
    }
}
