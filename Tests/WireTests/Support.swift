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

/// Reads the packet inside a tunnel.
func innerOutcome(of bytes: [UInt8], _ outer: Reading) -> (reason: DropReason?, reading: Reading) {
    var inner = Reading()
    // As in `read`.
    let reason = unsafe Wire.readInner(bytes.span.bytes, of: outer, into: &inner)
    return (reason, inner)
}

/// The reading inside a tunnel, which must be readable.
func inner(of packet: Packet, _ outer: Reading, _ location: SourceLocation = #_sourceLocation) -> Reading {
    let (reason, reading) = innerOutcome(of: packet.bytes, outer)
    #expect(reason == nil, "\(packet)", sourceLocation: location)
    return reading
}

/// What is wrong with a reading of a frame that was called readable; `nil` when nothing is.
func flaw(in reading: Reading, of length: Int) -> String? {
    let offsets = [reading.networkOffset, reading.transportOffset, reading.payloadOffset, reading.end].map { Int($0) }
    guard zip(offsets, offsets.dropFirst()).allSatisfy(<=), offsets[0] >= 14, offsets[3] <= length else { return "\(offsets)" }
    guard reading.vlans.count <= 2, reading.windowScale <= 14 || reading.windowScale == 255 else { return "\(reading)" }
    guard reading.carried.kind == .none || reading.carried.depth == reading.tunnel.depth + 1 else { return "\(reading)" }
    switch reading.kind {
    case .packet:
        guard reading.protocolNumber.hasPorts || reading.protocolNumber.isICMP else {
            return reading.sourcePort | reading.destinationPort == 0 ? nil : "ports: \(reading)"
        }
        return reading.payloadOffset >= reading.transportOffset + 4 ? nil : "\(reading)"
    case .neighbour: return reading.payloadOffset >= reading.transportOffset + 8 ? nil : "\(reading)"
    case .fragment:
        let isInside = reading.fragmentStart <= reading.transportOffset && reading.fragmentStart < reading.end
        return isInside && reading.marks.contains(.fragment) ? nil : "\(reading)"
    case .arp: return reading.link == .arp ? nil : "\(reading)"
    case .link: return reading.link == .none ? "a frame of layer 2 without a row" : nil
    }
}

let group6: Address = "ff02::1"
let linkLocal: Address = "fe80::1"
