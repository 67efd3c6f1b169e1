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
    /// The next protocol is named in the byte before the identifier (VXLAN-GPE, draft-ietf-nvo3-vxlan-gpe, 3.1).
    static var hasProtocol: UInt8 { 0x04 }
    static var nextProtocol: Int { 3 }
    /// The next protocol is Ethernet.
    static var ethernet: UInt8 { 3 }
}

/// Reads a VXLAN header. RFC 7348 has its ends ignore the bit that announces another protocol than Ethernet, and VXLAN-GPE has them
/// obey it: where it is set, only Ethernet is the same to both.
@_noLocks
func readVXLAN(_ frame: borrowing RawSpan, until end: Int, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.payloadOffset)
    guard end &- start >= VXLANField.length else { return .badTunnel }
    let flags = u8(frame, start &+ VXLANField.flags)
    guard flags & VXLANField.hasIdentifier != 0 else { return .badTunnel }
    if flags & VXLANField.hasProtocol != 0 {
        guard u8(frame, start &+ VXLANField.nextProtocol) == VXLANField.ethernet else { return .badTunnel }
    }
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

/// One past the last byte of a packet's UDP datagram, which may end before the packet does; -1 where the packet holds no such datagram.
@_noLocks
private func datagramEnd(_ frame: borrowing RawSpan, _ outer: borrowing Reading) -> Int {
    let start = Int(outer.transportOffset)
    let available = Int(outer.end) &- start
    guard available >= UDPField.length else { return -1 }
    let length = Int(u16(frame, start &+ UDPField.datagramLength))
    return length <= available ? start &+ length : -1
}
