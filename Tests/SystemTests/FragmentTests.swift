// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests.SideBySide {
    @Suite struct Fragments {
        /// Asks for echoes of datagrams of 60 kB; how many came back whole.
        private func ask(_ lab: Lab, _ address: String, port: Int, _ count: Int, wait: Double = 1) throws -> Int {
            let program = Requirement.traffic.appending(path: "transfer.py").path
            let text = try lab.web.namespace.run(program, "ask", address, "\(port)", "\(count)", "60000", "\(wait)")
            return try JSONDecoder().decode(Transfer.Echoes.self, from: Data(text.utf8)).answered
        }

        @Test(arguments: [Lab.Family.ipv4, .ipv6], [1, 2])
        func `datagrams of 60 kB and large echoes cross when allowed, and do not when denied`(
            _ family: Lab.Family, _ queues: Int
        ) throws {
            let lab = try Lab(.init(queues: queues))
            defer { lab.remove() }
            try lab.start()
            let address = lab.db.address(family)
            let open = try Transfer.serve(lab, "echo", at: lab.db, address: address, port: Lab.allowedPort)
            let shut = try Transfer.serve(lab, "echo", at: lab.db, address: address, port: Lab.deniedPort)
            // A worker that the machine stops for long drops what came before: of ten, some may be lost to that, never all.
            let answered = try ask(lab, address, port: Lab.allowedPort, 10)
            let stale = try lab.status().dropped("stale")
            #expect(answered == 10 || (stale > 0 && answered > 0), "\(answered) answered, \(stale) stale")
            let said = try lab.web.namespace.run("ping", "-n", "-c", "5", "-i", "0.1", "-W", "2", "-s", "20000", address)
            #expect(said.contains("5 received") || stale > 0, "\(said)")

            let watch = try Frames.Watch(lab, at: lab.db)
            let before = try lab.quietStatus().dropped("denied")
            #expect(try ask(lab, address, port: Lab.deniedPort, 2, wait: 0.3) == 0)
            #expect(try watch.finish().count { $0.count > 200 } == 0, "a part of a denied datagram arrived")
            let after = try lab.quietStatus()
            after.expectBalance()
            #expect(after.dropped("denied") - before >= 2 * 41)
            #expect(after.ports.allSatisfy { $0.queues.allSatisfy { $0.held == 0 } })
            figure(
                "fragments, \(queues) queues", "\(answered) of 10 datagrams of 60 kB to \(address) came back, none of 2 denied")
            try open.end()
            try shut.end()
        }

        @Test(arguments: [Lab.Family.ipv4, .ipv6])
        func `fragments that come last first leave behind the first one`(_ family: Lab.Family) throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let pieces = datagram(lab, family, port: Lab.allowedPort)
            let outcome = try Frames.cross(pieces.reversed(), lab, from: lab.web, to: lab.db)
            #expect(outcome.isExactly([pieces[0]] + pieces[1...].reversed()))
            let denied = datagram(lab, family, port: Lab.deniedPort, identification: 8)
            let nothing = try Frames.cross(denied.reversed(), lab, from: lab.web, to: lab.db)
            #expect(nothing.isExactly([]) && nothing.dropped("denied") == denied.count)
        }

        @Test(arguments: [Lab.Family.ipv4, .ipv6])
        func `fragments on both queues of a pair with two workers meet, and the far end puts them together`(
            _ family: Lab.Family
        ) throws {
            let lab = try Lab(.init(queues: 2))
            defer { lab.remove() }
            try lab.start()
            let server = try Transfer.serve(lab, "echo", at: lab.db, address: lab.db.address(family), port: Lab.allowedPort)
            for number in 0..<6 as Range<UInt32> {
                let pieces = datagram(
                    lab, family, port: Lab.allowedPort, identification: 100 + number, from: 40_000 + UInt16(number))
                let order = number % 2 == 0 ? pieces : pieces.reversed()
                let watch = try Frames.Watch(lab, at: lab.web)
                let before = try lab.status().dropped("stale")
                // One processor, one queue of the veth: first the even places, then the odd ones.
                for queue in 0..<2 {
                    try send(order.enumerated().filter { $0.offset % 2 == queue }.map(\.element), lab, on: queue)
                }
                let answer = try watch.finish().count { $0.count > 200 }
                let stale = try lab.quietStatus().dropped("stale") - before
                #expect(answer == pieces.count || stale > 0, "\(answer) of \(pieces.count) came back, \(stale) were stale")
            }
            try server.end()
            let status = try lab.quietStatus()
            status.expectBalance()
            #expect(status.ports.allSatisfy { $0.queues.allSatisfy { $0.held == 0 } })
            let queues = try lab.ports[0].framesByQueue()
            #expect(queues.count == 2 && queues.allSatisfy { $0 > 0 }, "both queues were used: \(queues)")
        }

        @Test func `what waits for its first fragment goes with a hand-over, and leaves behind it`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let first = try lab.start()
            let pieces = datagram(lab, .ipv4, port: Lab.allowedPort)
            let listener = try Transfer.listen(lab, at: lab.db, port: Lab.allowedPort)
            let watch = try Frames.Watch(lab, at: lab.db)
            try Frames.send(Array(pieces[1...]), lab, from: lab.web)
            try eventually("held fragments in the counters", within: 5) {
                let status = try lab.status()
                return status.ports[0].queues[0].held == UInt64(pieces.count - 1) || status.dropped("stale") > 0
            }
            try lab.start("--take-over")
            #expect(try first.waitForEnd(within: 10) == 0)
            try Frames.send([pieces[0]], lab, from: lab.web)
            let arrived = try watch.finish().count { $0.count > 200 }
            let status = try lab.quietStatus()
            status.expectBalance()
            // Where the machine stopped the new worker for long, it drops what waited.
            #expect(arrived == pieces.count || status.dropped("stale") > 0, "\(arrived) of \(pieces.count)")
            #expect(status.ports[0].queues[0].held == 0)
            #expect(try Transfer.heard(listener) == 1 || status.dropped("stale") > 0)
            figure("take-over with held fragments", "\(arrived) of \(pieces.count) arrived")
        }

        /// A datagram of 60 kB from web to db in fragments that fill a packet of 1,500 bytes.
        private func datagram(
            _ lab: Lab, _ family: Lab.Family, port: Int, identification: UInt32 = 7, from source: UInt16 = 40_000
        ) -> [Packet] {
            let link = Ethernet(from: "02:00:00:00:00:0b", to: "02:00:00:00:00:15")
            let transport = UDP(from: source, to: UInt16(port))
            let content = Payload((0..<60_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
            if family == .ipv4 {
                let packet = link / IPv4(from: "10.9.0.11", to: "10.9.0.21") / transport / content
                return packet.fragments(of: 1480, identification: identification)
            }
            let packet = link / IPv6(from: "fd00::11", to: "fd00::21") / transport / content
            return packet.fragments(of: 1448, identification: identification)
        }

        /// Sends frames from web by one of its queues: a packet socket's frames go to the one with the number of the processor.
        private func send(_ packets: [Packet], _ lab: Lab, on queue: Int) throws {
            let file = lab.folder.appending(path: "frames-\(UInt32.random(in: .min ... .max)).txt")
            try packets.map { hexadecimal($0.bytes) + "\n" }.joined().write(to: file, atomically: true, encoding: .utf8)
            let program = Requirement.traffic.appending(path: "frames.py").path
            let line = "taskset -c \(queue) \(program) send \(lab.web.interface.name) < \(file.path)"
            try Command.run(lab.web.namespace.command(["sh", "-c", line]))
        }
    }
}
