// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

/// A header of either family, to be put around each transport.
enum Family: CaseIterable {
    case four, six

    func around(_ transport: some PacketLayer) -> Packet {
        switch self {
        case .four: Ethernet() / IPv4() / transport
        case .six: Ethernet() / IPv6() / transport
        }
    }
}

@Suite struct TCPSegments {
    @Test(arguments: Family.allCases)
    func `the fields are read`(family: Family) {
        let segment = TCP(
            from: 50000, to: 22, [.ack, .psh], sequence: 0xfedc_ba98, acknowledgement: 0x0123_4567, window: 512,
            options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2])
        let reading = reading(of: family.around(segment) / Payload("data"))
        #expect([reading.sourcePort, reading.destinationPort, reading.window] == [50000, 22, 512])
        #expect([reading.sequence, reading.acknowledgement] == [0xfedc_ba98, 0x0123_4567])
        #expect(reading.tcpFlags == [.ack, .psh])
        #expect(reading.windowScale == 255)
        #expect(reading.payloadOffset == reading.transportOffset + 32)
        #expect(reading.end == reading.payloadOffset + 4)
        #expect(reading.service == ServiceKey(.tcp, port: 22))
    }

    @Test(arguments: Family.allCases)
    func `of all flag bytes those pass that a connection sends`(family: Family) {
        for byte in UInt8.min...UInt8.max {
            let flags = TCPFlags(rawValue: byte)
            let none = flags.isDisjoint(with: [.fin, .syn, .rst, .psh, .ack, .urg])
            let contradicting = ([[.syn, .fin], [.syn, .rst], [.fin, .rst]] as [TCPFlags]).contains { flags.isSuperset(of: $0) }
            let lacksACK = !flags.contains(.ack) && !flags.isDisjoint(with: [.fin, .psh, .urg])
            expect(family.around(TCP(flags)), none || contradicting || lacksACK ? .badTCP : nil)
        }
    }

    @Test(arguments: [0, 4, 6, 15] as [UInt8])
    func `a data offset below 5 or behind the packet is refused`(offset: UInt8) {
        expect(Ethernet() / IPv4() / TCP(dataOffset: offset), .badTCP)
    }

    @Test func `a data offset may reach the packet's end`() {
        expect(Ethernet() / IPv4() / TCP(dataOffset: 6) / Payload(count: 4, of: 1), nil)
        expect(Ethernet() / IPv4() / TCP(dataOffset: 6) / Payload(count: 3, of: 1), .badTCP)
        expect(Ethernet() / IPv4(totalLength: 40) / TCP(dataOffset: 6) / Padding(20), .badTCP)
    }

    @Test(arguments: Family.allCases)
    func `a header cut short is truncated`(family: Family) {
        let raw = Raw([UInt8](repeating: 0x50, count: 19), protocolNumber: 6)
        expect(family.around(raw), .truncated)
        expect(family.around(raw) / Padding(40), .truncated)
    }

    @Test(arguments: Family.allCases)
    func `a SYN's window scale is read and bounded`(family: Family) {
        for scale in [0, 7, 14] as [UInt8] {
            #expect(reading(of: family.around(TCP([.syn], windowScale: scale))).windowScale == scale)
        }
        #expect(reading(of: family.around(TCP([.syn], windowScale: 15))).windowScale == 14)
        #expect(reading(of: family.around(TCP([.syn], windowScale: 255))).windowScale == 14)
        let synAck = TCP([.syn, .ack], options: [2, 4, 5, 180, 4, 2, 1, 3, 3, 9])
        #expect(reading(of: family.around(synAck)).windowScale == 9)
        #expect(reading(of: family.around(TCP([.syn], options: [2, 4, 5, 180]))).windowScale == 255)
        #expect(reading(of: family.around(TCP([.syn]))).windowScale == 255)
        #expect(reading(of: family.around(TCP([.ack], windowScale: 7))).windowScale == 255)
    }

    @Test func `options behind the end of the list are not read`() {
        #expect(reading(of: Ethernet() / IPv4() / TCP([.syn], options: [0, 3, 3, 7])).windowScale == 255)
    }

    @Test(arguments: Family.allCases)
    func `a SYN's maximum segment is read`(family: Family) {
        #expect(reading(of: family.around(TCP([.syn], options: [2, 4, 5, 180]))).maximumSegment == 1460)
        #expect(reading(of: family.around(TCP([.syn, .ack], options: [4, 2, 1, 1, 2, 4, 0, 9]))).maximumSegment == 9)
        #expect(reading(of: family.around(TCP([.syn], windowScale: 7))).maximumSegment == 0)
        #expect(reading(of: family.around(TCP([.ack], options: [2, 4, 5, 180]))).maximumSegment == 0)
    }

    @Test func `what a SYN says once, it does not say twice`() {
        expect(Ethernet() / IPv4() / TCP([.syn], options: [3, 3, 7, 3, 3, 8]), .badTCP)
        expect(Ethernet() / IPv4() / TCP([.syn], options: [2, 4, 5, 180, 2, 4, 5, 0]), .badTCP)
    }

    @Test(
        arguments: [
            [3, 2, 1, 1], [3, 4, 7, 0], [2, 0, 0, 0], [2, 1, 0, 0], [2, 5, 5, 180], [1, 1, 1, 3], [1, 1, 3, 3], [254, 255, 0, 0],
            [4, 3, 0, 0], [8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 8, 10], [1, 1, 8, 10, 0, 0, 0, 1], [5, 2, 1, 1],
            [5, 4, 0, 0],
            [5, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 2, 3, 0, 0], [253, 1, 0, 0],
        ] as [[UInt8]])
    func `a malformed list is refused in any segment`(options: [UInt8]) {
        for flags in [[.syn], [.syn, .ack], [.ack], [.rst]] as [TCPFlags] {
            expect(Ethernet() / IPv4() / TCP(flags, options: options), .badTCP)
            expect(Ethernet() / IPv6() / TCP(flags, options: options), .badTCP)
        }
    }

    @Test(
        arguments: [
            [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2], [8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1], [0, 9, 9, 9], [1, 1, 1, 0],
            [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9], [254, 4, 0xf9, 0x89], [30, 4, 0, 0],
            [1, 1, 5, 34] + [UInt8](repeating: 7, count: 32),
        ] as [[UInt8]])
    func `a well-formed list passes in any segment`(options: [UInt8]) {
        for flags in [[.syn], [.ack], [.rst]] as [TCPFlags] { expect(Ethernet() / IPv4() / TCP(flags, options: options), nil) }
    }
}

@Suite struct UDPDatagrams {
    @Test(arguments: Family.allCases)
    func `the fields are read`(family: Family) {
        let reading = reading(of: family.around(UDP(from: 1024, to: 53)) / Payload("query") / Padding(20))
        #expect([reading.sourcePort, reading.destinationPort] == [1024, 53])
        #expect(reading.payloadOffset == reading.transportOffset + 8)
        #expect(reading.end == reading.payloadOffset + 5)
        #expect(reading.service == ServiceKey(.udp, port: 53))
    }

    @Test(arguments: Family.allCases)
    func `the length lies in the packet`(family: Family) {
        for length in [0, 7, 14, 65535] as [UInt16] {
            expect(family.around(UDP(length: length)) / Payload("query") / Padding(20), .badUDP)
        }
        for length in [8, 12, 13] as [UInt16] { expect(family.around(UDP(length: length)) / Payload("query"), nil) }
    }

    @Test func `only IPv4 may leave out the checksum, and tunnels`() {
        expect(Ethernet() / IPv4() / UDP(checksum: 0), nil)
        expect(Ethernet() / IPv6() / UDP(checksum: 0), .badUDP)
        expect(Ethernet() / IPv6() / UDP(to: 4789, checksum: 0) / VXLAN(1) / Ethernet() / ARP(), nil)
        expect(Ethernet() / IPv6() / UDP(to: 6081, checksum: 0) / Geneve(1) / Ethernet() / ARP(), nil)
        expect(Ethernet() / IPv6() / UDP(from: 4789, to: 53, checksum: 0), .badUDP)
    }

    @Test(arguments: Family.allCases)
    func `a header cut short is truncated`(family: Family) {
        expect(family.around(Raw([0, 1, 0, 2, 0, 8, 0], protocolNumber: 17)) / Padding(20), .truncated)
    }
}

@Suite struct SCTPPackets {
    @Test(arguments: Family.allCases)
    func `ports are read, and the chunks walked`(family: Family) {
        let reading = reading(of: family.around(SCTP(from: 5000, to: 3868, SCTP.data(), SCTP.data(8))))
        #expect(reading.service == ServiceKey(.sctp, port: 3868))
        #expect(reading.sourcePort == 5000)
        #expect(reading.payloadOffset == reading.transportOffset + 12)
        expect(family.around(SCTP.initiation()), nil)
        expect(family.around(SCTP([14, 0, 0, 4])), nil)
    }

    @Test(arguments: Family.allCases)
    func `ports and tag are not 0, but for the tag of an INIT`(family: Family) {
        expect(family.around(SCTP(from: 0, SCTP.data())), .badSCTP)
        expect(family.around(SCTP(to: 0, SCTP.data())), .badSCTP)
        expect(family.around(SCTP(tag: 0, SCTP.data())), .badSCTP)
        expect(family.around(SCTP(tag: 7, [1, 0, 0, 20] + [UInt8](repeating: 0, count: 16))), .badSCTP)
    }

    @Test(arguments: Family.allCases)
    func `chunks fill the packet, with no padding but their own`(family: Family) {
        for chunk in [[0, 3, 0, 3], [0, 3, 0, 0], [0, 3, 0, 5], [6, 0, 255, 255]] as [[UInt8]] {
            expect(family.around(SCTP(chunk)), .badSCTP)
            expect(family.around(SCTP(SCTP.data(), chunk)), .badSCTP)
        }
        expect(family.around(SCTP(SCTP.data())) / Raw([0, 0]), .badSCTP)
        // The last one's padding may be left out.
        expect(family.around(SCTP()) / Raw([6, 0, 0, 7, 1, 2, 3]), nil)
        expect(family.around(SCTP()), .truncated)
        expect(family.around(SCTP([1, 0, 0, 16] + [UInt8](repeating: 0, count: 12))), .badSCTP)
    }

    @Test(arguments: [1, 2, 14] as [UInt8])
    func `what opens or ends an association stands alone`(type: UInt8) {
        let chunk = [type, 0, 0, 20] + [UInt8](repeating: 0, count: 16)
        let tag: UInt32 = type == 1 ? 0 : 7
        expect(Ethernet() / IPv4() / SCTP(tag: tag, chunk), nil)
        expect(Ethernet() / IPv4() / SCTP(tag: tag, chunk, SCTP.data()), .badSCTP)
        expect(Ethernet() / IPv4() / SCTP(tag: 7, SCTP.data(), chunk), .badSCTP)
    }
}
