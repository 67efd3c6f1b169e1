// SPDX-License-Identifier: Apache-2.0
internal import Net

/// Logical link control (IEEE 802.2) with the SNAP header that may follow it (IEEE 802, 9.2).
private enum LLCField {
    static var destination: Int { 0 }
    static var source: Int { destination + 1 }
    static var control: Int { source + 1 }
    static var length: Int { control + 1 }
    static var type: Int { length + 3 }
    static var lengthWithSNAP: Int { type + 2 }

    /// The longest payload of an 802.3 frame; from here to the first ether type a number is neither (IEEE 802.3, 3.2.6).
    static var most: Int { 1500 }
    /// The service access point of SNAP, with the bit that tells groups and responses.
    static var snap: UInt8 { 0xab }
    /// SNAP as all write it: both points, unnumbered information.
    static var snapHeader: UInt32 { 0xaa_aa03 }
    /// Spanning tree, likewise.
    static var bridges: UInt32 { 0x42_4203 }
}

/// Organisations in a SNAP header.
private enum Organisation {
    /// What follows is an ether type (RFC 1042).
    static var etherType: UInt32 { 0 }
    /// As before, for frames that a bridge carried over another medium (IEEE 802.1H).
    static var bridgeTunnel: UInt32 { 0xf8 }
    static var cisco: UInt32 { 0x0c }
}

/// Reads the LLC header of a frame whose type field is a length, `networkOffset` behind it: SNAP gives an ether type again, everything
/// else a row of the table of layer 2. What lies behind the length is padding and never looked at.
@_noLocks
func readLLC(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.networkOffset)
    let length = Int(reading.etherType)
    guard length <= LLCField.most else { return .badLink }
    guard length >= LLCField.length, length <= Int(reading.end) &- start else { return .badLength }
    reading.end = UInt16(truncatingIfNeeded: start &+ length)
    let header = u24(frame, start)
    // Hosts differ in how much of the header they compare, so what only resembles SNAP is nothing.
    let (destination, source) = (u8(frame, start &+ LLCField.destination), u8(frame, start &+ LLCField.source))
    if destination | 1 == LLCField.snap || source | 1 == LLCField.snap {
        guard header == LLCField.snapHeader else { return .badLink }
        return readSNAP(frame, into: &reading)
    }
    guard header == LLCField.bridges else {
        reading.link = .llc
        return nil
    }
    return readBridgeMessage(frame, from: start &+ LLCField.length, into: &reading)
}

/// Reads what SNAP announces.
@_noLocks
private func readSNAP(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.networkOffset)
    guard Int(reading.end) &- start >= LLCField.lengthWithSNAP else { return .truncated }
    let organisation = u24(frame, start &+ LLCField.length)
    let type = u16(frame, start &+ LLCField.type)
    let payload = start &+ LLCField.lengthWithSNAP
    if organisation == Organisation.etherType || organisation == Organisation.bridgeTunnel {
        guard type >= EtherType.first else { return .badLink }
        reading.etherType = type
        reading.networkOffset = UInt16(truncatingIfNeeded: payload)
        return nil
    }
    reading.link = .llc
    guard organisation == Organisation.cisco else { return nil }
    switch type {
    case 0x010b: return readBridgeMessage(frame, from: payload, into: &reading)
    // PAgP, UDLD, CDP, VTP, DTP.
    case 0x0104, 0x0111, 0x2000, 0x2003, 0x2004: reading.link = .cdp
    default: break
    }
    return nil
}

/// A message of spanning tree (IEEE 802.1D, 9.3; 802.1Q, 14.4).
private enum BridgeField {
    static var identifier: Int { 0 }
    static var version: Int { identifier + 2 }
    static var type: Int { version + 1 }
    static var length: Int { type + 1 }
}

/// Checks protocol identifier, type, and the length that the type asks for.
@_noLocks
private func readBridgeMessage(_ frame: borrowing RawSpan, from start: Int, into reading: inout Reading) -> DropReason? {
    let length = Int(reading.end) &- start
    guard length >= BridgeField.length, u16(frame, start &+ BridgeField.identifier) == 0 else { return .badLink }
    let least: Int
    switch u8(frame, start &+ BridgeField.type) {
    case 0x00: least = 35
    case 0x02: least = 36
    case 0x80: least = BridgeField.length
    default: return .badLink
    }
    guard length >= least else { return .badLink }
    reading.link = .spanningTree
    return nil
}
