// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

/// The reply that is written into memory of `room` bytes, and what lies behind it there.
func reply(to bytes: [UInt8], reading: Reading, room: Int? = nil) -> (reply: [UInt8], behind: [UInt8]) {
    var memory = [UInt8](repeating: 0xee, count: room ?? bytes.count)
    var mutable = memory.mutableSpan
    // Bytes have no padding, and any bit pattern is one.
    var span = unsafe mutable.mutableBytes
    let length = unsafe writeReply(to: reading, frame: bytes.span.bytes, into: &span)
    return (Array(memory.prefix(length)), Array(memory.dropFirst(length)))
}

/// The reply to a packet that must be readable.
func reply(to packet: Packet, _ location: SourceLocation = #_sourceLocation) -> [UInt8] {
    reply(to: packet.bytes, reading: reading(of: packet, location)).reply
}

/// Demands that the reply to a packet is another packet, byte for byte, and zeros up to the shortest frame as far as the packet goes.
/// The builder works out lengths and checksums by itself.
func expectReply(to packet: Packet, is expected: Packet, _ location: SourceLocation = #_sourceLocation) {
    let written = reply(to: packet, location)
    let padded = (expected / Padding(to: min(60, packet.bytes.count))).bytes
    #expect(written == padded, "\(packet)\n\(hexadecimal(written)) instead of \(expected)", sourceLocation: location)
}

private let here: MACAddress = "02:00:00:00:00:01"
private let there: MACAddress = "02:00:00:00:00:02"
private let back = Ethernet(from: there, to: here)

/// The IPv4 header of a reply to the builder's usual packet.
private func answer4(service: UInt8 = 0) -> IPv4 { IPv4(from: "10.0.0.2", to: "10.0.0.1", service: service, dontFragment: true) }
private let answer6 = IPv6(from: "fd00::2", to: "fd00::1")

/// A reset from 443 to 40000.
private func reset(_ flags: TCPFlags, sequence: UInt32 = 0, acknowledgement: UInt32 = 0) -> TCP {
    TCP(from: 443, to: 40000, flags, sequence: sequence, acknowledgement: acknowledgement, window: 0)
}

@Suite("A TCP reset") struct ResetTests {
    @Test func `a SYN is answered from sequence number 0, acknowledging the SYN`() {
        expectReply(
            to: Ethernet() / IPv4() / TCP([.syn], sequence: 77, windowScale: 7),
            is: back / answer4() / reset([.rst, .ack], acknowledgement: 78))
        expectReply(
            to: Ethernet() / IPv6() / TCP([.syn], sequence: 77), is: back / answer6 / reset([.rst, .ack], acknowledgement: 78))
    }

    @Test func `data in a SYN is acknowledged as well, and the number wraps`() {
        expectReply(
            to: Ethernet() / IPv6() / TCP([.syn], sequence: .max - 2) / Payload("hello"),
            is: back / answer6 / reset([.rst, .ack], acknowledgement: 3))
    }

    @Test func `a segment with ACK is answered from what it acknowledges, without ACK`() {
        for flags in [[.ack], [.ack, .psh], [.ack, .fin], [.syn, .ack]] as [TCPFlags] {
            expectReply(
                to: Ethernet() / IPv4() / TCP(flags, sequence: 5, acknowledgement: 4_000_000_000) / Payload("data"),
                is: back / answer4() / reset([.rst], sequence: 4_000_000_000))
        }
    }

    @Test func `options and extension headers of the trigger do not come back`() {
        expectReply(
            to: Ethernet() / IPv4(options: [1, 1, 1, 1]) / TCP([.ack], acknowledgement: 9, options: [1, 1, 1, 1]),
            is: back / answer4() / reset([.rst], sequence: 9))
        expectReply(
            to: Ethernet() / IPv6() / Extension.hopByHop() / Extension.destination() / TCP([.ack], acknowledgement: 9),
            is: back / answer6 / reset([.rst], sequence: 9))
    }

    @Test func `the first fragment of a segment is answered for the bytes that it has`() {
        expectReply(
            to: Ethernet() / IPv4(identification: 9, moreFragments: true) / TCP([.syn], sequence: 1) / Payload(count: 12),
            is: back / answer4() / reset([.rst, .ack], acknowledgement: 14))
    }

    @Test(arguments: [54, 57, 60, 200]) func `it is filled up to the shortest frame as far as its trigger was`(length: Int) {
        let trigger = Ethernet() / IPv4() / TCP([.syn], sequence: 1) / Padding(to: length)
        expectReply(to: trigger, is: back / answer4() / reset([.rst, .ack], acknowledgement: 2))
        #expect(reply(to: trigger).count == min(60, length))
    }
}

@Suite("A prohibition") struct ProhibitionTests {
    @Test func `a datagram over IPv4 is quoted in a type 3, code 13`() {
        let quoted = IPv4() / UDP() / Payload(count: 40)
        let kept = IPv4(totalLength: 68) / UDP(length: 48, checksum: checksum(in: quoted, at: 26)) / Payload(count: 12)
        expectReply(to: Ethernet() / quoted, is: back / answer4(service: 0xc0) / ICMP(type: 3, code: 13) / kept)
    }

    @Test func `a datagram over IPv6 is quoted in a type 1, code 1`() {
        let quoted = IPv6() / UDP() / Payload(count: 60)
        let kept = IPv6(payloadLength: 68) / UDP(length: 68, checksum: checksum(in: quoted, at: 46)) / Payload(count: 12)
        expectReply(to: Ethernet() / quoted, is: back / answer6 / ICMPv6(type: 1, code: 1) / kept)
    }

    @Test func `an echo request is answered like a datagram`() {
        let quoted = IPv4() / ICMP.echo() / Payload(count: 28)
        let kept = IPv4(totalLength: 56) / ICMP(type: 8, identifier: 7, sequence: 1, checksum: checksum(in: quoted, at: 22))
        expectReply(to: Ethernet() / quoted, is: back / answer4(service: 0xc0) / ICMP(type: 3, code: 13) / kept)
    }

    /// Bytes of payload from which on there is room to quote all headers and eight bytes.
    @Test(arguments: [(IPv4() / UDP(), 28), (IPv6() / UDP(), 48), (IPv4(options: [1, 1, 1, 1]) / UDP(), 28)])
    func `a trigger that is too short for its quotation is not answered`(header: Packet, least: Int) {
        #expect(reply(to: Ethernet() / header / Payload(count: least - 1)).isEmpty)
        // Padding is not the trigger's own.
        #expect(reply(to: Ethernet() / header / Payload(count: least - 1) / Padding(20)).isEmpty)
        #expect(!reply(to: Ethernet() / header / Payload(count: least)).isEmpty)
    }

    @Test func `it is never longer than an error may be`() {
        #expect(reply(to: Ethernet() / IPv4() / UDP() / Payload(count: 1400)).count == 14 + 576)
        #expect(reply(to: Ethernet() / IPv6() / UDP() / Payload(count: 1400)).count == 14 + 1280)
        #expect(reply(to: Ethernet() / IPv6() / UDP() / Payload(count: 9000)).count == 14 + 1280)
    }

    @Test(arguments: [57, 58, 59, 60, 61]) func `an odd last byte is summed up too`(payload: Int) {
        let trigger = Ethernet() / IPv4() / UDP() / Payload(count: payload, of: 0x80)
        let written = reply(to: trigger)
        #expect(written.count == 14 + 28 + payload)
        #expect(internetChecksum(Array(written.dropFirst(34))) == 0)
    }

    /// The two bytes of a packet without its Ethernet header.
    private func checksum(in packet: Packet, at offset: Int) -> Checksum {
        let bytes = packet.bytes
        return .exactly(UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]))
    }
}

@Suite("The way back") struct WayBackTests {
    @Test(arguments: [
        [VLAN(10)], [VLAN(10, tagType: 0x88a8), VLAN(20)], [VLAN(10, tagType: 0x9100), VLAN(20, priority: 3)],
        [VLAN(0, priority: 5)], [VLAN(0, priority: 5), VLAN(20)],
    ])
    func `tags come back as they were`(tags: [VLAN]) {
        let trigger = Packet([Ethernet()] + tags) / IPv4() / TCP([.syn], sequence: 1)
        expectReply(to: trigger, is: Packet([back] + tags) / answer4() / reset([.rst, .ack], acknowledgement: 2))
    }

    @Test func `memory behind the reply stays as it was`() {
        let trigger = Ethernet() / IPv4() / TCP([.syn]) / Payload(count: 100)
        let (written, behind) = reply(to: trigger.bytes, reading: reading(of: trigger))
        #expect(written.count == 60)
        #expect(behind == [UInt8](repeating: 0xee, count: 108 + 46 - 60))
    }

    @Test func `memory that is too short is not written to`() {
        let trigger = Ethernet() / IPv4() / TCP([.syn])
        for room in 0..<54 {
            let (written, behind) = reply(to: trigger.bytes, reading: reading(of: trigger), room: room)
            #expect(written.isEmpty)
            #expect(behind.allSatisfy { $0 == 0xee })
        }
        #expect(reply(to: trigger.bytes, reading: reading(of: trigger), room: 54).reply.count == 54)
    }
}
