// SPDX-License-Identifier: Apache-2.0
import Net
import Replay
import TestSupport
import Testing

extension Captures {
    private static let dns =
        documents + """

            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: dns, namespace: shop}
            spec:
              subject: {}
              rules:
                - {action: allow, from: {selector: 'app == "web"'}, services: [udp/53]}
                - {action: allow, to: {selector: 'app == "db"'}, services: [udp/53]}
            """

    /// A question of 3,000 bytes in three fragments.
    private func question(port: UInt16 = 53, identification: UInt32 = 7) -> [Packet] {
        let packet = Ethernet() / IPv4(from: web, to: database) / UDP(from: 40000, to: port) / Payload(count: 3000)
        return packet.fragments(of: 1200, identification: identification)
    }

    @Test func `a held frame that is released says so, and the lines keep their order`() throws {
        var capture = CaptureBytes()
        let pieces = question()
        for (time, piece) in [pieces[2], pieces[1], pieces[0]].enumerated() { capture.add(piece, at: UInt64(time) * 1_000_000) }
        let result = try replay(capture, Self.dns)
        let flow = #""flow": "udp 10.9.0.11:40000 > 10.9.0.21:53", "state": "oneSided""#
        #expect(
            result.fates.map(\.json) == [
                #"{"frame": 1, "verdict": "forward", \#(flow), "released_by": 3}"#,
                #"{"frame": 2, "verdict": "forward", \#(flow), "released_by": 3}"#,
                #"{"frame": 3, "verdict": "forward", \#(flow)}"#,
            ])
        #expect(result.summary.forwarded == 3 && result.summary.held == 0 && result.summary.flows == 1)
    }

    @Test func `fragments behind their first one go on at once, with its flow`() throws {
        var capture = CaptureBytes()
        for (time, piece) in question().enumerated() { capture.add(piece, at: UInt64(time)) }
        let fates = try replay(capture, Self.dns).fates
        #expect(fates.map(\.verdict) == [.forward, .forward, .forward])
        #expect(fates.allSatisfy { $0.flow == "udp 10.9.0.11:40000 > 10.9.0.21:53" && $0.releasedBy == nil })
    }

    @Test func `what waits at the end is held`() throws {
        var capture = CaptureBytes()
        capture.add(question()[1], at: 0)
        capture.add(question()[0], at: 1)
        capture.add(question(identification: 8)[1], at: 2)
        capture.add(question(identification: 9)[0], at: 3)
        let result = try replay(capture, Self.dns)
        #expect(result.fates.map(\.verdict) == [.forward, .forward, .hold, .forward])
        #expect(result.fates.map(\.releasedBy) == [2, nil, nil, nil])
        #expect(result.fates[2].json == #"{"frame": 3, "verdict": "hold"}"#)
        #expect(result.summary.held == 1 && result.summary.forwarded == 3)
    }

    @Test func `held frames share the fate of their first one, and each its own reason`() throws {
        var capture = CaptureBytes()
        let denied = question(port: 54)
        for piece in [denied[1], denied[2], denied[0]] { capture.add(piece, at: 0) }
        // A SYN in fragments is rejected; what is no SYN opens nothing.
        let rejected = (Ethernet() / IPv4(from: web, to: database) / TCP(from: 40000, to: 22, [.syn]) / Payload(count: 200))
            .fragments(
                of: 104, identification: 8)
        for piece in [rejected[1], rejected[0]] { capture.add(piece, at: 1) }
        let result = try replay(capture, Self.dns)
        #expect(
            result.fates.map(\.verdict) == [
                .drop(.denied), .drop(.denied), .drop(.denied), .drop(.notOpening), .reject(.denied),
            ])
        #expect(result.fates.allSatisfy { $0.releasedBy == nil && $0.flow == nil })
        #expect(result.summary.dropped == [.denied: 4, .notOpening: 1] && result.summary.rejected == 1)
    }

    @Test func `an overlap ends what is held, and time does`() throws {
        var capture = CaptureBytes()
        let packet = Ethernet() / IPv4(from: web, to: database) / UDP(from: 40000, to: 53) / Payload(count: 3000)
        capture.add(packet.fragment(1200..<2400, more: true), at: 0)
        capture.add(packet.fragment(1208..<2408, more: true), at: 1)
        capture.add(packet.fragment(1200..<2400, more: true, identification: 8), at: 2)
        capture.add(packet.fragment(0..<1200, more: true, identification: 8), at: 16_000_000_000)
        let result = try replay(capture, Self.dns)
        #expect(
            result.fates.map(\.verdict) == [
                .drop(.fragmentOverlap), .drop(.fragmentOverlap), .drop(.fragmentTimeout), .forward,
            ])
        #expect(result.summary.dropped == [.fragmentOverlap: 2, .fragmentTimeout: 1])
    }

    @Test func `of a datagram so many wait, and the rest has its reason`() throws {
        var capture = CaptureBytes()
        let packet = Ethernet() / IPv4(from: web, to: database) / UDP(from: 40000, to: 53) / Payload(count: 2000)
        for piece in 0..<200 as Range<Int> {
            capture.add(packet.fragment(8 + 8 * piece..<16 + 8 * piece, more: true, identification: 5), at: UInt64(piece))
        }
        let result = try replay(capture, Self.dns)
        #expect(result.fates.filter { $0.verdict == .hold }.count == 128)
        #expect(result.summary.held == 128 && result.summary.dropped == [.fragmentLimit: 72])
    }

    @Test func `a flood of held frames costs no line its place`() throws {
        var capture = CaptureBytes()
        let packet = Ethernet() / IPv4(from: web, to: database) / UDP(from: 40000, to: 53) / Payload(count: 300)
        for number in 0..<1100 as Range<UInt32> {
            capture.add(packet.fragment(104..<208, more: true, identification: number), at: UInt64(number))
        }
        capture.add(packet.fragment(0..<104, more: true, identification: 0), at: 2000)
        let result = try replay(capture, Self.dns)
        #expect(result.fates.map(\.frame) == Array(1...1101))
        #expect(result.summary.held == 255 && result.summary.dropped == [.fragmentLimit: 1100 - 256])
        #expect(result.fates[0].releasedBy == 1101)
    }
}
