// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests.SideBySide {
    /// Frames to many: real memberships, real streams, judged by their source.
    @Suite struct Groups {
        private static let egress = [
            "{action: allow, to: {cidrs: [239.1.1.0/24, \"ff15::/16\", 255.255.255.255/32]}, services: [udp/5000]}",
            "{action: allow, to: {selector: 'app == \"db\"'}, services: [any]}",
        ]

        @Test(arguments: [("239.1.1.1", "239.2.2.2"), ("ff15::1", "ff18::2")])
        func `a multicast stream reaches who has joined, and one that policy denies reaches nobody`(
            _ allowed: String, _ denied: String
        ) throws {
            let lab = try Lab(.init(policy: Documents.set(egress: Self.egress)))
            defer { lab.remove() }
            try lab.start()
            // What a host says when it joins crosses to the other side, where its switch would hear it.
            let reports = try Tap(lab, at: lab.web)
            let listeners = try [allowed, denied].map { try Transfer.join(lab, at: lab.db, group: $0, port: 5000) }
            let before = try lab.quietStatus()
            for group in [allowed, denied] {
                let sent: Transfer.Sent = try Transfer.run("cast", at: lab.web, address: group, port: 5000, 100)
                #expect(sent.sent == 100)
            }
            pause(0.3)
            let heard = try listeners.map { try Transfer.heard($0) }
            let after = try lab.quietStatus()
            after.expectBalance()
            // What waited while the machine held the worker up is dropped as stale.
            let stale = Int(after.dropped("stale") - before.dropped("stale"))
            #expect((100 - stale...100).contains(heard[0]) && heard[1] == 0, "\(heard)")
            #expect((100 - stale...100).contains(Int(after.dropped("denied") - before.dropped("denied"))))
            let (igmp, icmp6) = (2, 58)
            let isReport = { (frame: Tap.Frame) in frame.protocol == igmp || frame.protocol == icmp6 || frame.protocol == 0 }
            #expect(try reports.finish().contains(where: isReport), "no membership report reached the other side")
        }

        @Test func `a broadcast passes where policy lets it`() throws {
            let lab = try Lab(.init(policy: Documents.set(egress: Self.egress)))
            defer { lab.remove() }
            try lab.start()
            let listeners = try [5000, 5001].map { try Transfer.listen(lab, at: lab.db, port: $0) }
            let before = try lab.quietStatus()
            for port in [5000, 5001] {
                let _: Transfer.Sent = try Transfer.run("cast", at: lab.web, address: "255.255.255.255", port: port, 20)
            }
            pause(0.3)
            let heard = try listeners.map { try Transfer.heard($0) }
            let after = try lab.quietStatus()
            after.expectBalance()
            let stale = Int(after.dropped("stale") - before.dropped("stale"))
            #expect((20 - stale...20).contains(heard[0]) && heard[1] == 0, "\(heard)")
            #expect((20 - stale...20).contains(Int(after.dropped("denied") - before.dropped("denied"))))
        }
    }
}
