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

    @Test(
        arguments: [
            [1, 1, 1, 1], [0, 0xff, 0xff, 0xff], [148, 4, 0, 0], [7, 7, 4, 0, 0, 0, 0, 0], [68, 4, 5, 0], [130, 3, 0, 0],
            [1, 1, 94, 2],
        ] as [[UInt8]])
    func `well-formed options pass and move the transport`(options: [UInt8]) {
        #expect(Int(reading(of: Ethernet() / IPv4(options: options) / UDP()).transportOffset) == 34 + options.count)
    }

    @Test(
        arguments: [
            [131, 7, 4, 10, 0, 0, 9, 0], [137, 7, 4, 10, 0, 0, 9, 0], [1, 131, 3, 4], [68, 0, 0, 0], [68, 1, 0, 0],
            [68, 5, 5, 0],
            [1, 1, 1, 68], [7, 255, 4, 0], [94, 3, 0, 94],
        ] as [[UInt8]])
    func `source routes and malformed lists are refused`(options: [UInt8]) {
        expect(Ethernet() / IPv4(options: options) / UDP(), .badOptions)
    }

    @Test(arguments: [0, 2, 4, 41, 47, 50, 51, 58, 88, 132, 136, 255] as [UInt8])
    func `other protocols are not read`(number: UInt8) {
        let packet = Ethernet() / IPv4(next: number) / Payload(count: 40)
        let (reason, reading) = outcome(of: packet.bytes)
        #expect(reason == .unknownProtocol, "\(packet)")
        #expect(reading.protocolNumber.rawValue == number)
        expect(Ethernet() / IPv4(moreFragments: true, next: number) / Payload(count: 40), .unknownProtocol)
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

    @Test(arguments: [0, 43, 50, 51, 60, 135, 139, 140] as [UInt8])
    func `extension headers are not read, behind a Fragment header neither`(number: UInt8) {
        expect(Ethernet() / IPv6() / Extension(number) / TCP([.syn]), .extensionHeader)
        expect(Ethernet() / IPv6() / Fragment() / Extension(number) / TCP([.syn]), .extensionHeader)
    }

    @Test func `a second Fragment header is refused`() {
        expect(Ethernet() / IPv6() / Fragment() / Fragment() / UDP(), .extensionHeader)
    }

    @Test(arguments: [1, 2, 4, 41, 47, 59, 132, 136, 253, 255] as [UInt8])
    func `other protocols are not read`(number: UInt8) {
        expect(Ethernet() / IPv6(next: number) / Payload(count: 40), .unknownProtocol)
        expect(Ethernet() / IPv6() / Fragment(offset: 8, next: number) / Payload(count: 40), .unknownProtocol)
    }
}

@Suite struct Fragments {
    @Test func `an IPv4 fragment is readable and says where it belongs`() {
        let first = reading(of: Ethernet() / IPv4(identification: 0xbeef, moreFragments: true) / UDP() / Payload(count: 8))
        #expect(first.kind == .fragment)
        #expect(first.marks == [.fragment, .moreFragments])
        #expect(first.fragmentOffset == 0)
        #expect(first.identification == 0xbeef)
        #expect(first.protocolNumber == .udp)
        #expect([first.transportOffset, first.end] == [34, 50])
        let last = reading(of: Ethernet() / IPv4(identification: 0xbeef, offset: 16, next: 6) / Payload(count: 3))
        #expect(last.marks == .fragment)
        #expect(last.fragmentOffset == 16)
        #expect([last.sourcePort, last.destinationPort] == [0, 0])
    }

    @Test func `an IPv6 fragment is readable and says where it belongs`() {
        let packet = Ethernet() / IPv6() / Fragment(offset: 1232, more: true, identification: 0xdead_beef, next: 6)
        let reading = reading(of: packet / Payload(count: 16))
        #expect(reading.kind == .fragment)
        #expect(reading.marks == [.fragment, .moreFragments, .dontFragment])
        #expect(reading.fragmentOffset == 1232)
        #expect(reading.identification == 0xdead_beef)
        #expect(reading.protocolNumber == .tcp)
        #expect([reading.transportOffset, reading.payloadOffset, reading.end] == [62, 62, 78])
    }

    @Test func `an atomic fragment is one without the mark`() {
        let reading = reading(of: Ethernet() / IPv6() / Fragment(identification: 5) / UDP())
        #expect(reading.kind == .fragment)
        #expect(reading.marks == .dontFragment)
        #expect(reading.identification == 5)
        #expect(reading.protocolNumber == .udp)
    }

    @Test func `a middle fragment ends at a multiple of 8`() {
        expect(Ethernet() / IPv4(moreFragments: true, next: 17) / Payload(count: 9), .badLength)
        expect(Ethernet() / IPv6() / Fragment(more: true, next: 17) / Payload(count: 9), .badLength)
        expect(Ethernet() / IPv4(offset: 8, next: 17) / Payload(count: 9), nil)
        expect(Ethernet() / IPv6() / Fragment(offset: 8, next: 17) / Payload(count: 9), nil)
    }

    @Test func `a fragment holds something`() {
        expect(Ethernet() / IPv4(offset: 8, next: 17) / Padding(to: 60), .badLength)
        expect(Ethernet() / IPv6() / Fragment(next: 17) / Padding(to: 80), .badLength)
    }

    @Test func `no fragment ends behind the largest packet`() {
        expect(Ethernet() / IPv4(offset: 65528, next: 1) / Payload(count: 7), nil)
        expect(Ethernet() / IPv4(offset: 65528, next: 1) / Payload(count: 8), .badLength)
        expect(Ethernet() / IPv6() / Fragment(offset: 65528, next: 17) / Payload(count: 7), nil)
        expect(Ethernet() / IPv6() / Fragment(offset: 65528, next: 17) / Payload(count: 8), .badLength)
    }

    @Test func `a Fragment header cut short is truncated`() {
        expect(Ethernet() / IPv6(payloadLength: 7) / Fragment(), .truncated)
    }
}
