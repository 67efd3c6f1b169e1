// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

/// Reads bytes as the data path does, into a reading that may hold another frame's.
func read(_ bytes: [UInt8], into reading: inout Reading) -> DropReason? {
    // A byte has no padding that a raw span could show.
    unsafe Wire.read(bytes.span.bytes, into: &reading)
}

/// Reads bytes into a fresh reading.
func outcome(of bytes: [UInt8]) -> (reason: DropReason?, reading: Reading) {
    var reading = Reading()
    let reason = read(bytes, into: &reading)
    return (reason, reading)
}

/// The reading of a packet that must be readable.
func reading(of packet: Packet, _ location: SourceLocation = #_sourceLocation) -> Reading {
    let (reason, reading) = outcome(of: packet.bytes)
    #expect(reason == nil, "\(packet)", sourceLocation: location)
    return reading
}

/// Demands a reason, or `nil` for readable.
func expect(_ packet: Packet, _ expected: DropReason?, _ location: SourceLocation = #_sourceLocation) {
    #expect(outcome(of: packet.bytes).reason == expected, "\(packet)", sourceLocation: location)
}

/// What is wrong with a reading of a frame that was called readable; `nil` when nothing is.
func flaw(in reading: Reading, of length: Int) -> String? {
    let offsets = [reading.networkOffset, reading.transportOffset, reading.payloadOffset, reading.end].map { Int($0) }
    guard zip(offsets, offsets.dropFirst()).allSatisfy(<=), offsets[0] >= 14, offsets[3] <= length else { return "\(offsets)" }
    guard reading.vlans.count <= 2, reading.windowScale <= 14 || reading.windowScale == 255 else { return "\(reading)" }
    switch reading.kind {
    case .packet, .neighbour: return reading.payloadOffset >= reading.transportOffset + 8 ? nil : "\(reading)"
    case .fragment: return reading.end > reading.transportOffset ? nil : "\(reading)"
    case .arp: return nil
    case .link: return "a link frame is never readable"
    }
}

let group6: Address = "ff02::1"
let linkLocal: Address = "fe80::1"

/// One frame of each shape that Wire reads.
let samples: [Packet] = [
    Ethernet() / ARP(),
    Ethernet() / VLAN(10) / ARP(2) / Padding(to: 60),
    Ethernet() / IPv4() / TCP([.syn], windowScale: 7) / Padding(to: 60),
    Ethernet() / IPv4(options: [148, 4, 0, 0, 1, 1, 68, 4, 5, 0]) / TCP([.ack, .psh]) / Payload("hello"),
    Ethernet() / VLAN(10) / VLAN(20) / IPv4() / TCP([.syn, .ack], options: [2, 4, 5, 180, 4, 2, 1, 3, 3, 9]),
    Ethernet() / IPv4() / UDP() / Payload("query"),
    Ethernet() / IPv4() / ICMP.echo() / Payload(count: 16),
    Ethernet() / IPv4() / ICMP.echoReply() / Payload(count: 16),
    Ethernet() / IPv4() / ICMP(type: 3, code: 1) / IPv4(from: "10.0.0.2", to: "10.0.0.1") / UDP(),
    Ethernet() / IPv4(identification: 9, moreFragments: true) / UDP() / Payload(count: 16),
    Ethernet() / IPv4(identification: 9, offset: 24, next: 17) / Payload(count: 5),
    Ethernet() / IPv6() / TCP([.syn], windowScale: 3) / Payload("fast open"),
    Ethernet() / VLAN(7, tagType: 0x88a8) / IPv6() / UDP() / Payload("query"),
    Ethernet() / IPv6() / ICMPv6.echo(),
    Ethernet() / IPv6() / ICMPv6(type: 2) / IPv6(from: "fd00::2", to: "fd00::1") / TCP(),
    Ethernet() / IPv6() / Fragment(offset: 8, more: true) / Raw([UInt8](repeating: 1, count: 16), protocolNumber: 17),
    Ethernet() / IPv6(from: linkLocal, to: group6, hopLimit: 255)
        / ICMPv6.solicitation(of: "fe80::2", options: ICMPv6.linkLayerOption()),
    Ethernet() / IPv6(from: linkLocal, to: group6, hopLimit: 255)
        / ICMPv6.routerAdvertisement(options: ICMPv6.linkLayerOption() + [5, 1, 0, 0, 0, 0, 5, 220]),
    Ethernet() / IPv4() / UDP(to: 4789) / VXLAN(7) / Ethernet() / IPv4() / TCP(),
]
