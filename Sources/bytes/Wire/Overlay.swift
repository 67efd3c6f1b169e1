// SPDX-License-Identifier: Apache-2.0
internal import Net

// VXLAN and Geneve: frames in UDP datagrams, which end where the datagram ends.

/// The VXLAN header (RFC 7348, 5).
private enum VXLANField {
    static var flags: Int { 0 }
    static var identifier: Int { 4 }
    static var length: Int { 8 }
    /// The network identifier is meant.
    static var hasIdentifier: UInt8 { 0x08 }
    /// The next protocol is another than Ethernet (VXLAN-GPE, which has a port of its own).
    static var hasProtocol: UInt8 { 0x04 }
}

/// Reads a VXLAN header. The bit that would announce another protocol than Ethernet is refused, because not all ends know it.
@_noLocks
func readVXLAN(_ frame: borrowing RawSpan, until end: Int, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.payloadOffset)
    guard end &- start >= VXLANField.length else { return .badTunnel }
    let flags = u8(frame, start &+ VXLANField.flags)
    guard flags & (VXLANField.hasIdentifier | VXLANField.hasProtocol) == VXLANField.hasIdentifier else { return .badTunnel }
    noteTunnel(.vxlan, identifier: u32(frame, start &+ VXLANField.identifier) >> 8, into: &reading)
    return nil
}

/// What a VXLAN packet carries.
@_noLocks
func insideVXLAN(_ frame: borrowing RawSpan, _ outer: borrowing Reading) -> Inside {
    let end = datagramEnd(frame, outer)
    return Inside(offset: Int(outer.payloadOffset) &+ VXLANField.length, end: end, type: EtherType.frame)
}

/// The Geneve header (RFC 8926, 3.4).
private enum GeneveField {
    static var versionAndLength: Int { 0 }
    static var flags: Int { versionAndLength + 1 }
    static var type: Int { flags + 1 }
    static var identifier: Int { type + 2 }
    static var options: Int { identifier + 4 }
    /// Version and length of the options in words.
    static var lengthMask: UInt8 { 0x3f }
    static var unit: Int { 4 }
}

/// A Geneve option: class, type, length of the data in words (RFC 8926, 3.5).
private enum GeneveOption {
    static var classAndType: Int { 0 }
    static var dataLength: Int { 3 }
    static var length: Int { dataLength + 1 }
    static var lengthMask: UInt8 { 0x1f }
}

/// Reads a Geneve header: version 0, and options that fill the length given for them. What they say is for the tunnel's ends.
@_noLocks
func readGeneve(_ frame: borrowing RawSpan, until end: Int, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.payloadOffset)
    guard end &- start >= GeneveField.options else { return .badTunnel }
    let versionAndLength = u8(frame, start &+ GeneveField.versionAndLength)
    let options = Int(versionAndLength & GeneveField.lengthMask) &* GeneveField.unit
    guard versionAndLength >> 6 == 0, options <= end &- start &- GeneveField.options else { return .badTunnel }
    var offset = start &+ GeneveField.options
    let endOfOptions = offset &+ options
    while offset < endOfOptions {
        // Both are multiples of 4, so that the option's header lies inside.
        let data = Int(u8(frame, offset &+ GeneveOption.dataLength) & GeneveOption.lengthMask) &* GeneveField.unit
        guard GeneveOption.length &+ data <= endOfOptions &- offset else { return .badTunnel }
        offset &+= GeneveOption.length &+ data
    }
    noteTunnel(.geneve, identifier: u32(frame, start &+ GeneveField.identifier) >> 8, into: &reading)
    return nil
}

/// What a Geneve packet carries.
@_noLocks
func insideGeneve(_ frame: borrowing RawSpan, _ outer: borrowing Reading) -> Inside {
    let start = Int(outer.payloadOffset)
    let end = datagramEnd(frame, outer)
    guard end &- start >= GeneveField.options else { return .none }
    let options = Int(u8(frame, start) & GeneveField.lengthMask) &* GeneveField.unit
    return Inside(offset: start &+ GeneveField.options &+ options, end: end, type: u16(frame, start &+ GeneveField.type))
}

/// One past the last byte of a packet's UDP datagram, which may end before the packet does; before its payload when it has no header.
@_noLocks
private func datagramEnd(_ frame: borrowing RawSpan, _ outer: borrowing Reading) -> Int {
    let start = Int(outer.transportOffset)
    guard Int(outer.end) &- start >= UDPField.length else { return -1 }
    return start &+ Int(u16(frame, start &+ UDPField.datagramLength))
}
