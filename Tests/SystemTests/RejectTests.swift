// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests.SideBySide {
    /// `reject`: the sender is told, at once, as if the far end had said it.
    @Suite struct Reject {
        private static let rules = [
            "{action: allow, from: {selector: 'app == \"web\"'}, services: [tcp/5432, udp/5432]}",
            "{action: reject, from: {selector: 'app == \"web\"'}, services: [tcp/5433, udp/5433]}",
        ]

        @Test(arguments: [Lab.Family.ipv4, .ipv6])
        func `a rejected connection is refused at once by a reset, and a rejected datagram is prohibited`(
            _ family: Lab.Family
        ) throws {
            let lab = try Lab(.init(policy: Documents.set(ingress: Self.rules)))
            defer { lab.remove() }
            try lab.start()
            let before = try lab.quietStatus()
            let address = lab.db.address(family)
            // Nobody who could answer: what comes back is ours.
            let atDB = try Frames.Watch(lab, at: lab.db)
            let target = family == .ipv4 ? address : "[\(address)]"
            let began = Moment.now
            let curl = try Command.attempt(
                lab.web.namespace.command(["curl", "-sS", "--max-time", "5", "http://\(target):\(Lab.deniedPort)/"]))
            let waited = Moment.now.milliseconds(since: began)
            #expect(curl.code == 7, "\(curl.errors)")
            #expect(waited < 1000, "\(waited) ms")

            let attempt: Transfer.Attempt = try Transfer.run("connect", at: lab.web, address: address, port: Lab.deniedPort, 5)
            #expect(!attempt.connected && attempt.error.contains("refused"), "\(attempt.error)")

            let atWeb = try Frames.Watch(lab, at: lab.web)
            let ask: Transfer.Refusal = try Transfer.run("refused", at: lab.web, address: address, port: Lab.deniedPort, 2)
            #expect(ask.error == (family == .ipv4 ? "EHOSTUNREACH" : "EACCES"))
            // ICMP 3/13 behind 20 bytes of IPv4, ICMPv6 1/1 behind 40 of IPv6.
            let (start, message) = family == .ipv4 ? (34, "030d") : (54, "0101")
            #expect(try atWeb.finish().contains { $0.dropFirst(start * 2).hasPrefix(message) })
            #expect(try atDB.finish() == [])

            let after = try lab.quietStatus()
            after.expectBalance()
            let generated = try after.port("p0").generated - before.port("p0").generated
            let denied = after.dropped("denied") - before.dropped("denied")
            #expect((generated, denied) == (3, 3))
            figure("reject to \(address)", "curl was refused after \(waited.short) ms")
        }
    }
}
