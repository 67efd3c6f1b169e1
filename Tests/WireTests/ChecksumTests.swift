// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

/// What a frame's checksum is by a reading of it.
private func state(of bytes: [UInt8], _ reading: Reading) -> ChecksumState {
    // A byte has no padding that a raw span could show.
    unsafe checksumState(of: PacketExtent(reading), in: bytes.span.bytes, .shared)
}

/// What the checksum of a packet is, which must be readable.
private func state(of packet: Packet) -> ChecksumState { state(of: packet.bytes, reading(of: packet)) }

/// The frame with its right checksum written into it.
private func completed(_ packet: Packet) -> [UInt8] {
    var bytes = packet.bytes
    let reading = reading(of: packet)
    // As in `state`.
    guard let right = unsafe rightChecksum(of: PacketExtent(reading), in: bytes.span.bytes, .shared) else { return bytes }
    var span = bytes.mutableSpan
    // As in `state`; what is written are bytes.
    var raw = unsafe span.mutableBytes
    right.write(into: &raw)
    return bytes
}

/// A packet with a checksum of each kind.
private struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let make: @Sendable (Checksum) -> Packet
    var testDescription: String { name }

    init(_ name: String, _ make: @escaping @Sendable (Checksum) -> Packet) {
        (self.name, self.make) = (name, make)
    }

    static func udpLite(_ coverage: UInt16, _ checksum: Checksum, _ count: Int = 21, in network: some NetworkLayer) -> Packet {
        Ethernet() / network / UDPLite(coverage: coverage, checksum: checksum) / Payload(count: count, of: 0x5a)
    }

    /// Each over both families where there are both, with lengths that end in every way.
    static let all: [Row] =
        [0, 1, 2, 3, 7, 8, 38, 39, 40, 41, 63, 64, 500, 1459].flatMap { count in
            [
                Row("TCP over IPv4, \(count)") { Ethernet() / IPv4() / TCP(checksum: $0) / Payload(count: count, of: 0xa5) },
                Row("TCP over IPv6, \(count)") { Ethernet() / IPv6() / TCP(checksum: $0) / Payload(count: count, of: 0xa5) },
                Row("UDP over IPv4, \(count)") { Ethernet() / IPv4() / UDP(checksum: $0) / Payload(count: count, of: 0xff) },
                Row("UDP over IPv6, \(count)") { Ethernet() / IPv6() / UDP(checksum: $0) / Payload(count: count, of: 0xff) },
                Row("ICMPv6, \(count)") {
                    Ethernet() / IPv6() / ICMPv6(type: 128, identifier: 7, checksum: $0) / Payload(count: count, of: 1)
                },
            ]
        } + [
            Row("TCP with options in VLANs") {
                Ethernet() / VLAN(3) / VLAN(4) / IPv4(options: [1, 1, 1, 1]) / TCP([.syn], windowScale: 7, checksum: $0)
            },
            Row("TCP behind extension headers") {
                Ethernet() / IPv6() / Extension.hopByHop() / Extension.destination() / TCP([.syn], checksum: $0)
            },
            Row("TCP behind authentication") { Ethernet() / IPv4() / Authentication() / TCP([.syn], checksum: $0) },
            Row("an atomic fragment") { Ethernet() / IPv6() / Fragment() / TCP([.syn], checksum: $0) },
            Row("UDP shorter than its packet") {
                Ethernet() / IPv4() / UDP(length: 13, checksum: $0) / Payload(count: 40, of: 3)
            },
            Row("TCP with padding") { Ethernet() / IPv4() / TCP([.syn], checksum: $0) / Padding(to: 60) },
            Row("a solicitation") { Ethernet(to: "33:33:ff:00:00:02") / solicitation($0) },
            Row("SCTP") { Ethernet() / IPv4() / SCTP(checksum: $0, SCTP.data(1000)) },
            Row("SCTP over IPv6") { Ethernet() / IPv6() / SCTP(checksum: $0, SCTP.data(5)) },
            Row("UDP-Lite, all of it") { udpLite(0, $0, in: IPv4()) },
            Row("UDP-Lite, the header") { udpLite(8, $0, in: IPv6()) },
            Row("UDP-Lite, a part") { udpLite(17, $0, in: IPv4()) },
        ]

    private static func solicitation(_ checksum: Checksum) -> Packet {
        IPv6(to: "ff02::1:ff00:2", hopLimit: 255)
            / ICMPv6(
                type: 135, body: [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2] + ICMPv6.linkLayerOption(),
                checksum: checksum)
    }
}

@Suite("Transport checksums") struct ChecksumTests {
    @Test(arguments: Row.all) fileprivate func `each is right, wrong by one, or partial, and completing makes it right`(row: Row)
    {
        let right = row.make(.right)
        #expect(state(of: right) == .right, "\(right)")
        #expect(state(of: row.make(.wrong)) == .wrong, "\(row.make(.wrong))")
        #expect(state(of: row.make(.partial)) == .partial, "\(row.make(.partial))")
        for checksum in [.right, .wrong, .partial] as [Checksum] { #expect(completed(row.make(checksum)) == right.bytes) }
    }

    @Test func `ICMP has no pseudo-header, so it is right or wrong`() {
        #expect(state(of: Ethernet() / IPv4() / ICMP.echo() / Payload(count: 57)) == .right)
        #expect(state(of: Ethernet() / IPv4() / ICMP(type: 8, checksum: .wrong) / Payload(count: 57)) == .wrong)
        #expect(state(of: Ethernet() / IPv4() / ICMP(type: 8, checksum: 0) / Payload(count: 57)) == .wrong)
        // Nothing but zeros adds up to 0, which is not all ones.
        #expect(state(of: Ethernet() / IPv4() / ICMP(type: 0, checksum: 0) / Payload(count: 20, of: 0)) == .wrong)
        #expect(state(of: Ethernet() / IPv4() / ICMP(type: 0) / Payload(count: 20, of: 0)) == .right)
    }

    @Test func `a bit that tips over is seen wherever it stands, in the addresses too`() {
        for row in Row.all where row.make(.right).bytes.count < 130 {
            let packet = row.make(.right)
            let (bytes, reading) = (packet.bytes, reading(of: packet))
            for offset in Int(reading.transportOffset)..<Int(reading.end) where !Self.isBesideChecksum(offset, row.name, bytes) {
                var mutant = bytes
                mutant[offset] ^= 0x10
                #expect(state(of: mutant, reading) == .wrong, "byte \(offset) of \(packet)")
            }
            guard !row.name.hasPrefix("SCTP") else { continue }
            let network = Int(reading.networkOffset)
            for offset in network + (reading.isIPv4 ? 12 : 8)..<network + (reading.isIPv4 ? 20 : 40) {
                var mutant = bytes
                mutant[offset] ^= 0x10
                #expect(state(of: mutant, reading) == .wrong, "byte \(offset) of \(packet)")
            }
        }
    }

    /// Whether a byte is not covered: beside UDP's length or UDP-Lite's coverage, or says itself what is covered.
    private static func isBesideChecksum(_ offset: Int, _ name: String, _ bytes: [UInt8]) -> Bool {
        switch name {
        case "UDP shorter than its packet": offset >= 34 + 13
        case "UDP-Lite, the header": offset >= 54 + 8
        case "UDP-Lite, a part": offset >= 34 + 17
        default: false
        }
    }

    @Test func `UDP may leave it out over IPv4, and tunnels over IPv6`() {
        #expect(state(of: Ethernet() / IPv4() / UDP(checksum: 0) / Payload("x")) == .absent)
        #expect(state(of: Ethernet() / IPv6() / UDP(to: 4789, checksum: 0) / VXLAN(1) / Ethernet() / ARP()) == .absent)
    }

    @Test func `a sum of nothing is written as its other zero, for 0 says that there is none`() {
        // Ports and payload that make everything else add up to 0xffff.
        let pseudo = Ethernet() / IPv4() / UDP(from: 1, to: 2) / Payload([0, 0])
        let bytes = pseudo.bytes
        let sum = UInt16(bytes[40]) << 8 | UInt16(bytes[41])
        let zero = Ethernet() / IPv4() / UDP(from: 1, to: 2, checksum: .partial) / Payload([UInt8(sum >> 8), UInt8(sum & 255)])
        let done = completed(zero)
        #expect(done[40] == 0xff && done[41] == 0xff)
        #expect(state(of: done, reading(of: zero)) == .right)
    }

    @Test(arguments: [1, 7, 30, 65_535] as [UInt16]) func `UDP-Lite covers its header at least and the packet at most`(
        coverage: UInt16
    ) {
        #expect(state(of: Row.udpLite(coverage, .right, in: IPv4())) == .wrong)
    }

    @Test func `UDP-Lite never leaves it out`() { #expect(state(of: Row.udpLite(0, 0, in: IPv4())) == .wrong) }

    @Test(arguments: [
        Ethernet() / ARP(), Ethernet() / IPv4(moreFragments: true) / UDP(checksum: .wrong) / Payload(count: 24),
        Ethernet() / IPv4(offset: 64, next: 6) / Payload(count: 24), Ethernet() / IPv4(next: 99) / Payload(count: 24),
        Ethernet() / IPv4() / ESP(300) / Payload(count: 24), Ethernet(type: 0x88b5) / Payload(count: 46),
    ]) func `what is no whole packet, and protocols that are not known, have none`(packet: Packet) {
        #expect(state(of: packet) == .absent)
    }

    @Test func `of a packet in a tunnel it is the inner one's`() {
        let outer = Ethernet() / IPv4() / UDP(to: 4789, checksum: 0) / VXLAN(7) / Ethernet()
        for (checksum, expected) in [(.right, .right), (.wrong, .wrong), (.partial, .partial)] as [(Checksum, ChecksumState)] {
            let packet = outer / (IPv6() / TCP([.syn], checksum: checksum))
            let around = reading(of: packet)
            #expect(state(of: packet.bytes, around) == .absent)
            #expect(state(of: packet.bytes, inner(of: packet, around)) == expected)
        }
    }

    @Test func `a reading of another frame is wrong, and leads nowhere`() {
        let long = Ethernet() / IPv4() / TCP([.syn]) / Payload(count: 400)
        let short = (Ethernet() / IPv4() / TCP([.syn])).bytes
        #expect(state(of: short, reading(of: long)) == .wrong)
        var crossed = reading(of: long)
        crossed.transportOffset = crossed.end - 3
        #expect(state(of: long.bytes, crossed) == .wrong)
        crossed.transportOffset = crossed.end + 1
        #expect(state(of: long.bytes, crossed) == .wrong)
    }

    @Test func `the check of SCTP is that of RFC 3720's examples`() {
        // RFC 3720, B.4: 32 bytes of 0, of ones, rising, falling.
        let rows: [([UInt8], [UInt8])] = [
            ([UInt8](repeating: 0, count: 32), [0xaa, 0x36, 0x91, 0x8a]),
            ([UInt8](repeating: 0xff, count: 32), [0x43, 0xab, 0xa8, 0x62]), (Array(0..<32), [0x4e, 0x79, 0xdd, 0x46]),
            ((0..<32).reversed(), [0x5c, 0xdb, 0x3f, 0x11]),
        ]
        for (bytes, check) in rows { #expect(castagnoli(bytes) == check) }
    }

    @Test func `over random frames it agrees with the slow sum`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("Transport checksums: seed \(seed)")
        var random = PacketRandom(seed: seed)
        for _ in 0..<2000 {
            let count = Int.random(in: 0...1460, using: &random)
            let payload = Payload((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
            let number = Int.random(in: 0..<4, using: &random)
            let checksum: Checksum = Bool.random(using: &random) ? .right : .wrong
            let transport: Packet =
                switch number {
                case 0: IPv4() / TCP(checksum: checksum) / payload
                case 1: IPv6() / TCP(checksum: checksum) / payload
                case 2: IPv4() / UDP(checksum: checksum) / payload
                default: IPv4() / ICMP(type: 8, checksum: checksum) / payload
                }
            let isRight = if case .right = checksum { true } else { false }
            // One in 65,536 that is wrong by one is what the pseudo-header adds up to, or says of UDP that there is none.
            #expect((state(of: Ethernet() / transport) == .right) == isRight, "seed \(seed)")
        }
    }
}
