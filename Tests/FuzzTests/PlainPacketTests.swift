// SPDX-License-Identifier: Apache-2.0
import FuzzTargets
import Net
import TestSupport
import Testing

@Suite("Plain packets") struct PlainPacketTests {
    private static let timestamps: [UInt8] = [1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9]
    private static let four = Ethernet() / IPv4()
    private static let six = Ethernet() / IPv6()

    private static let plain: [Packet] = [
        four / TCP([.ack]) / Padding(to: 60),
        four / TCP([.ack, .psh], sequence: 5, acknowledgement: 7, window: 9) / Payload(count: 101),
        four / TCP([.ack, .urg], options: timestamps) / Payload(count: 3),
        Ethernet() / IPv4(from: "10.0.0.2", to: "10.0.0.1", dontFragment: true) / TCP([.ack]) / Payload(count: 1400),
        four / UDP(to: 443) / Payload(count: 33),
        six / TCP([.ack], options: timestamps),
        Ethernet() / IPv6(from: "fd00::2", to: "fd00::1") / TCP([.ack]) / Payload(count: 64),
        six / UDP(to: 53) / Payload(count: 40),
        Ethernet() / VLAN(3) / IPv4() / TCP([.ack]),
        Ethernet() / VLAN(4095, priority: 7) / IPv4() / UDP(to: 53) / Payload(count: 40),
        Ethernet() / VLAN(0) / IPv4() / TCP([.ack], options: timestamps) / Payload(count: 80),
        Ethernet() / VLAN(9) / IPv6() / TCP([.ack]) / Padding(to: 80),
    ]

    @Test(arguments: plain) func `are recognised, and Wire reads them to the same key and numbers`(packet: Packet) {
        #expect(PlainFlaw.recognised(packet.bytes) != nil, "\(packet)")
        #expect(PlainFlaw.flaw(in: packet.bytes) == nil, "\(packet)")
    }

    @Test(arguments: [
        four / TCP([.syn]) / Padding(to: 60), four / TCP([.syn, .ack]) / Padding(to: 60),
        four / TCP([.fin, .ack]) / Padding(to: 60),
        four / TCP([.rst, .ack]) / Padding(to: 60), four / TCP([.psh]) / Padding(to: 60),
        four / TCP([.ack], options: [5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1]), four / TCP([.ack], dataOffset: 8) / Padding(to: 60),
        four / TCP([.ack], checksum: 1) / Padding(to: 60), Ethernet() / IPv4(checksum: 1) / TCP([.ack]) / Padding(to: 60),
        Ethernet() / VLAN(3) / VLAN(4) / IPv4() / TCP([.ack]), Ethernet() / IPv4(options: [1, 1, 1, 1]) / TCP([.ack]),
        Ethernet() / VLAN(3) / ARP() / Padding(to: 60), Ethernet() / VLAN(3) / IPv4() / TCP([.syn]),
        Ethernet() / IPv4(moreFragments: true) / TCP([.ack]) / Payload(count: 4),
        Ethernet() / IPv4(offset: 8) / Payload(count: 40),
        Ethernet() / IPv4(to: "224.0.0.9") / UDP(to: 520) / Payload(count: 24), Ethernet() / IPv4(to: "127.0.0.1") / TCP([.ack]),
        Ethernet() / IPv4(from: "10.0.0.2", to: "10.0.0.2") / TCP([.ack]) / Padding(to: 60),
        four / UDP(to: 4789) / Payload(count: 60),
        four / UDP(to: 53, checksum: 0) / Payload(count: 40), four / UDP(to: 53, length: 20) / Payload(count: 40),
        four / ICMP.echo() / Payload(count: 40), six / Fragment() / TCP([.ack]), Ethernet() / IPv6(from: "::1") / TCP([.ack]),
        Ethernet(to: "01:00:5e:00:00:01") / IPv4() / UDP(to: 53) / Payload(count: 40),
    ]) func `are no others, which Wire decides`(packet: Packet) {
        #expect(PlainFlaw.recognised(packet.bytes) == nil, "\(packet)")
    }

    @Test func `none comes from a port of the pair, or goes to one`() {
        let ends: [MACAddress] = ["02:00:00:00:00:01", "02:00:00:00:00:02"]
        let frame = (Self.four / TCP([.ack]) / Padding(to: 60)).bytes
        for end in ends {
            for own in [(first: end.bits, second: UInt64.max), (first: UInt64.max, second: end.bits)] {
                #expect(PlainFlaw.recognised(frame, PlainTerms(pair: 0, verifiesChecksum: true, own: own)) == nil)
            }
        }
    }

    @Test(arguments: plain) func `stay what Wire reads, whichever byte is changed, and cut wherever`(packet: Packet) {
        let loose = PlainTerms(pair: 0, verifiesChecksum: false, own: (.max, .max))
        var left = 0
        for place in packet.bytes.indices.prefix(90) {
            for value in (0..<8).map({ packet.bytes[place] ^ 1 << $0 }) + [0, 255] {
                var frame = packet.bytes
                frame[place] = value
                frame.mendHeader()
                let flaw = PlainFlaw.flaw(in: frame, loose) ?? PlainFlaw.flaw(in: frame)
                #expect(flaw == nil, "byte \(place) is \(value)")
                if PlainFlaw.recognised(frame, loose) != nil { left += 1 }
            }
        }
        #expect(left > 100, "most of what was changed has to be plain still: \(left)")
        for count in 0..<packet.bytes.count {
            let frame = Array(packet.bytes.prefix(count))
            #expect(PlainFlaw.flaw(in: frame, loose) == nil, "cut to \(count)")
        }
    }
}

extension [UInt8] {
    /// Makes the checksum of the IPv4 header right that stands behind an Ethernet header.
    fileprivate mutating func mendHeader() {
        guard count >= 34, self[12] == 8, self[13] == 0 else { return }
        (self[24], self[25]) = (0, 0)
        var sum = stride(from: 14, to: 34, by: 2).reduce(0 as UInt32) { $0 + (UInt32(self[$1]) << 8 | UInt32(self[$1 + 1])) }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        (self[24], self[25]) = (UInt8(truncatingIfNeeded: ~sum >> 8), UInt8(truncatingIfNeeded: ~sum))
    }
}
