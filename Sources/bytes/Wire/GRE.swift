// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The GRE header (RFC 2784, 2.1; RFC 2890, 2): flags and version, protocol type, then what the flags announce, 4 bytes each.
private enum GREField {
    static var flagsAndVersion: Int { 0 }
    static var type: Int { flagsAndVersion + 2 }
    static var optional: Int { type + 2 }
    static var unit: Int { 4 }

    static var hasChecksum: UInt16 { 0x8000 }
    static var hasKey: UInt16 { 0x2000 }
    static var hasSequence: UInt16 { 0x1000 }
    /// Of version 1.
    static var hasAcknowledgement: UInt16 { 0x0080 }
    /// Routing, strict source route and recursion (RFC 1701), which a reader of RFC 2784 must refuse.
    static var refused: UInt16 { 0x4f00 }
    static var versionMask: UInt16 { 0x0007 }
}

/// Reads a GRE header of either version; version 1 is PPTP's, whose key is made of a length and a call (RFC 2637, 4.1).
@_noLocks
func readGRE(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    let available = Int(reading.end) &- start
    guard available >= GREField.optional else { return .truncated }
    let flags = u16(frame, start &+ GREField.flagsAndVersion)
    let version = flags & GREField.versionMask
    guard flags & GREField.refused == 0, version <= 1 else { return .badTunnel }
    let length = headerLength(flags)
    guard available >= length else { return .truncated }
    var identifier: UInt32 = 0
    if flags & GREField.hasKey != 0 {
        identifier = u32(frame, start &+ GREField.optional &+ (flags & GREField.hasChecksum != 0 ? GREField.unit : 0))
    }
    if version == 1 {
        guard flags & GREField.hasChecksum == 0, flags & GREField.hasKey != 0 else { return .badTunnel }
        let type = u16(frame, start &+ GREField.type)
        guard type == EtherType.ppp, Int(identifier >> 16) <= available &- length else { return .badTunnel }
        identifier &= 0xffff
    }
    reading.payloadOffset = UInt16(truncatingIfNeeded: start &+ length)
    noteTunnel(.gre, identifier: identifier, into: &reading)
    return nil
}

@_noLocks
private func headerLength(_ flags: UInt16) -> Int {
    var length = GREField.optional
    if flags & GREField.hasChecksum != 0 { length &+= GREField.unit }
    if flags & GREField.hasKey != 0 { length &+= GREField.unit }
    if flags & GREField.hasSequence != 0 { length &+= GREField.unit }
    if flags & GREField.versionMask == 1, flags & GREField.hasAcknowledgement != 0 { length &+= GREField.unit }
    return length
}

/// What a packet with a GRE header carries.
@_noLocks
func insideGRE(_ frame: borrowing RawSpan, _ outer: borrowing Reading) -> Inside {
    let start = Int(outer.transportOffset)
    guard Int(outer.payloadOffset) &- start >= GREField.optional else { return .none }
    return Inside(offset: Int(outer.payloadOffset), end: Int(outer.end), type: u16(frame, start &+ GREField.type))
}
