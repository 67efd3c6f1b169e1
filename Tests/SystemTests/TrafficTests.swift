// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests.SideBySide {
    @Suite struct Traffic {
        @Test func `ping passes over IPv4 and IPv6, and so do ARP and neighbour discovery`() throws {
            let lab = try Lab(.init(fixedNeighbours: false))
            defer { lab.remove() }
            try lab.start()
            for address in [lab.db.ipv4, lab.db.ipv6] {
                let said = try lab.web.namespace.run("ping", "-n", "-c", "20", "-i", "0.05", "-W", "2", address)
                #expect(said.contains("20 packets transmitted, 20 received"), "\(said)")
            }
        }

        @Test(arguments: [(Lab.Family.ipv4, 200), (.ipv6, 50)])
        func `a large transfer over TCP arrives as it was sent`(
            _ family: Lab.Family, _ megabytes: Int
        ) throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let target = lab.db.address(family)
            let server = try Transfer.serve(lab, "serve", at: lab.db, address: target, port: Lab.allowedPort)
            let sent: Transfer.Outcome = try Transfer.run(
                "send", at: lab.web, address: target, port: Lab.allowedPort, megabytes * 1_000_000)
            #expect(sent.bytes == megabytes * 1_000_000 && sent.answer.bytes == sent.bytes)
            #expect(sent.answer.sha256 == sent.sha256)
            figure("TCP to \(target)", "\(megabytes) MB in \(sent.seconds.short) s")
            try server.end()
        }

        @Test(arguments: [Lab.Family.ipv4, .ipv6])
        func `datagrams of all sizes pass and their answers come back`(_ family: Lab.Family) throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let target = lab.db.address(family)
            let server = try Transfer.serve(lab, "echo", at: lab.db, address: target, port: Lab.allowedPort)
            let echoes: Transfer.Echoes = try Transfer.run("ask", at: lab.web, address: target, port: Lab.allowedPort, 2000)
            #expect(echoes.asked == 2000 && echoes.answered == 2000)
            try server.end()
        }

        @Test func `what policy denies never reaches the far side`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let (atDB, atWeb) = (try Tap(lab, at: lab.db), try Tap(lab, at: lab.web))
            let open = try Transfer.serve(lab, "serve", at: lab.db, address: lab.db.ipv4, port: Lab.allowedPort)
            let shut = try Transfer.serve(lab, "serve", at: lab.db, address: lab.db.ipv4, port: Lab.deniedPort)
            for (port, passes) in [(Lab.allowedPort, true), (Lab.deniedPort, false)] {
                let attempt: Transfer.Attempt = try Transfer.run("connect", at: lab.web, address: lab.db.ipv4, port: port, 2)
                #expect(attempt.connected == passes, "port \(port): \(attempt.error)")
            }
            let datagrams = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 1000)
            // db may not open connections of its own.
            _ = try Command.attempt(lab.db.namespace.command(["ping", "-n", "-c", "3", "-i", "0.1", "-W", "1", lab.web.ipv4]))
            let arrivals = try datagrams.finish()
            #expect(arrivals.sent > 500 && arrivals.frames.isEmpty)

            let seen = try atDB.finish()
            #expect(seen.contains { $0.protocol == 6 && $0.port == Lab.allowedPort }, "the tap saw nothing at all")
            #expect(seen.count { $0.port == Lab.deniedPort } == 0)
            let echoRequest = 8
            #expect(try atWeb.finish().count { $0.protocol == 1 && $0.port == echoRequest } == 0)
            let denied = try lab.quietStatus().dropped("denied")
            #expect(denied >= UInt64(arrivals.sent))
            figure("denied", "\(denied) frames dropped as denied, none on the far side")
            try open.end()
            try shut.end()
        }
    }
}
