// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

@Suite struct IPv4Headers {
    @Test func `the fields are read`() {
        let packet = Ethernet() / IPv4(from: "192.0.2.1", to: "198.51.100.7", ttl: 3, dontFragment: true) / UDP() / Payload("hi")
        let reading = reading(of: packet)
        #expect(reading.kind == .packet)
        #expect(reading.isIPv4)
        #expect(reading.source == "192.0.2.1")
        #expect(reading.destination == "198.51.100.7")
        #expect(reading.hopLimit == 3)
        #expect(reading.protocolNumber == .udp)
        #expect(reading.marks == .dontFragment)
        #expect([reading.transportOffset, reading.payloadOffset, reading.end] == [34, 42, 44])
    }

    /// The worked example of RFC 1071's articles, as a header that this builder did not sum.
    @Test func `a known header's checksum is right, and wrong by one bit`() {
        let header: [UInt8] = [
            0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7,
        ]
        let packet = Ethernet() / Raw(header, etherType: 0x0800) / UDP(length: 95) / Payload(count: 87)
        expect(packet, nil)
        var bytes = packet.bytes
        bytes[14 + 8] ^= 1
        #expect(outcome(of: bytes).reason == .badChecksum)
    }

    @Test(arguments: [0x0000, 0xffff, 0x1234] as [UInt16])
    func `a wrong checksum is refused`(sum: UInt16) {
        expect(Ethernet() / IPv4(checksum: sum) / UDP(), .badChecksum)
    }

    @Test func `a sum whose carries fold twice is right`() {
        let full = IPv4(from: "10.255.255.255", to: "10.255.255.254", ttl: 255, service: 255, identification: 0xffff)
        expect(Ethernet() / full / UDP(), nil)
        let options = [UInt8](repeating: 1, count: 3) + [0x5e, 37] + [UInt8](repeating: 0xff, count: 35)
        expect(Ethernet() / IPv4(from: "10.255.255.255", identification: 0xffff, options: options) / UDP(), nil)
    }

    @Test(arguments: [
        IPv4(version: 5), IPv4(version: 6), IPv4(headerWords: 4), IPv4(headerWords: 0), IPv4(headerWords: 8),
        IPv4(totalLength: 0), IPv4(totalLength: 19), IPv4(totalLength: 29), IPv4(totalLength: 65535),
    ])
    func `lengths that contradict are refused`(header: IPv4) {
        // 28 bytes of packet; a header of 8 words is longer than that.
        expect(Ethernet() / header / UDP(), .badLength)
    }

    @Test func `the packet ends by its own length, not by the frame's`() {
        let reading = reading(of: Ethernet() / IPv4() / UDP() / Payload("hi") / Padding(to: 1500))
        #expect(reading.end == 44)
        expect(Ethernet() / IPv4(totalLength: 27) / UDP() / Padding(to: 60), .truncated)
    }

    @Test(arguments: [3, 8, 46, 88, 94, 103, 115, 136, 137, 253, 254, 255] as [UInt8])
    func `a protocol without ports is judged by its number`(number: UInt8) {
        for packet in [
            Ethernet() / IPv4(next: number) / Payload(count: 40), Ethernet() / IPv6(next: number) / Payload(count: 40),
        ] {
            let reading = reading(of: packet)
            #expect(reading.kind == .packet)
            #expect(reading.link == .none)
            #expect(reading.service == ServiceKey(IPProtocol(rawValue: number), port: 0))
            #expect(reading.transportOffset == reading.payloadOffset)
        }
    }

    @Test(arguments: [0, 43, 44, 58, 59, 60] as [UInt8])
    func `a number of IPv6 alone announces nothing over IPv4`(number: UInt8) {
        expect(Ethernet() / IPv4(next: number) / Payload(count: 40), .unknownProtocol)
        expect(Ethernet() / IPv4(moreFragments: true, next: number) / Payload(count: 40), .unknownProtocol)
        expect(Ethernet() / IPv4(offset: 64, next: number) / Payload(count: 40), .unknownProtocol)
    }
}

@Suite struct IPv6Headers {
    @Test func `the fields are read`() {
        let reading = reading(of: Ethernet() / IPv6(from: "2001:db8::1", to: "fd00::9", hopLimit: 9) / UDP() / Payload("hi"))
        #expect(reading.kind == .packet)
        #expect(!reading.isIPv4)
        #expect(reading.source == "2001:db8::1")
        #expect(reading.destination == "fd00::9")
        #expect(reading.hopLimit == 9)
        #expect(reading.marks == .dontFragment)
        #expect([reading.transportOffset, reading.payloadOffset, reading.end] == [54, 62, 64])
    }

    @Test(arguments: [
        IPv6(version: 4), IPv6(version: 0), IPv6(payloadLength: 0), IPv6(payloadLength: 9), IPv6(payloadLength: 65535),
    ])
    func `lengths that contradict are refused`(header: IPv6) {
        expect(Ethernet() / header / UDP(), .badLength)
    }

    @Test func `the packet ends by its own length, not by the frame's`() {
        #expect(reading(of: Ethernet() / IPv6() / UDP() / Padding(100)).end == 62)
        expect(Ethernet() / IPv6(payloadLength: 7) / UDP() / Padding(to: 80), .truncated)
    }

    @Test(arguments: [1, 2] as [UInt8])
    func `a number of IPv4 alone announces nothing over IPv6`(number: UInt8) {
        expect(Ethernet() / IPv6(next: number) / Payload(count: 40), .unknownProtocol)
        expect(Ethernet() / IPv6() / Fragment(offset: 64, next: number) / Payload(count: 40), .unknownProtocol)
    }

    @Test func `a packet that ends behind its header may be empty`() {
        let reading = reading(of: Ethernet() / IPv6(next: 59) / Padding(to: 60))
        #expect(reading.protocolNumber.rawValue == 59)
        #expect([reading.transportOffset, reading.end] == [54, 54])
    }
}
