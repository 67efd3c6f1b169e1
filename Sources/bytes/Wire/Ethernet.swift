// SPDX-License-Identifier: Apache-2.0
internal import Net

/// Ether types that are known (IANA "IEEE 802 Numbers").
@usableFromInline enum EtherType {
    @inlinable static var ipv4: UInt16 { @_noLocks get { 0x0800 } }
    static var arp: UInt16 { @_noLocks get { 0x0806 } }
    /// A whole frame inside a tunnel: transparent Ethernet bridging.
    static var frame: UInt16 { @_noLocks get { 0x6558 } }
    /// Customer tag (IEEE 802.1Q).
    @inlinable static var customerTag: UInt16 { @_noLocks get { 0x8100 } }
    @inlinable static var ipv6: UInt16 { @_noLocks get { 0x86dd } }
    /// PPP in version 1 of GRE (RFC 2637).
    static var ppp: UInt16 { @_noLocks get { 0x880b } }
    /// Service tag (IEEE 802.1ad).
    static var serviceTag: UInt16 { @_noLocks get { 0x88a8 } }
    /// What bridges used for the outer tag before 802.1ad.
    static var oldServiceTag: UInt16 { @_noLocks get { 0x9100 } }
    /// Everything below is the length of an 802.3 frame (IEEE 802.3, 3.2.6).
    static var first: UInt16 { @_noLocks get { 0x0600 } }

    /// Whether a type announces a VLAN tag.
    @_noLocks @inline(__always)
    static func isTag(_ type: UInt16) -> Bool { type == customerTag || type == serviceTag || type == oldServiceTag }
}

/// The Ethernet II header (IEEE 802.3, 3.1.1).
enum EthernetField {
    static var destination: Int { @_noLocks get { 0 } }
    static var source: Int { @_noLocks get { destination + 6 } }
    static var type: Int { @_noLocks get { source + 6 } }
    static var length: Int { @_noLocks get { type + 2 } }
}

/// What a VLAN tag inserts before the type that follows: tag type and control information (IEEE 802.1Q, 9.3).
private enum TagField {
    static var control: Int { 2 }
    static var length: Int { control + 2 }
    static var most: Int { 2 }
    static var identifierMask: UInt16 { 0x0fff }
}

/// Reads hardware addresses and the ether type; `networkOffset` is the byte behind it.
@_noLocks @inline(__always)
func readEthernet(_ frame: borrowing RawSpan, from start: Int, to end: Int, into reading: inout Reading) -> DropReason? {
    guard end &- start >= EthernetField.length else { return .truncated }
    // Eight bytes each, of which the header surely has the two behind the address.
    reading.destinationMAC = MACAddress(bits: u64(frame, start &+ EthernetField.destination) >> 16)
    reading.sourceMAC = MACAddress(bits: u64(frame, start &+ EthernetField.source) >> 16)
    reading.etherType = u16(frame, start &+ EthernetField.type)
    reading.networkOffset = UInt16(truncatingIfNeeded: start &+ EthernetField.length)
    reading.end = UInt16(truncatingIfNeeded: end)
    if reading.destinationMAC.isGroup { reading.mark(.group) }
    guard !reading.sourceMAC.isGroup else { return .martian }
    guard reading.etherType != EtherType.ipv4, reading.etherType != EtherType.ipv6 else { return nil }
    return unwrap(frame, into: &reading)
}

/// Unwraps VLAN tags and SNAP, in whatever order they come, down to an ether type that is neither, or to a frame with other LLC.
///
/// VLAN 0 carries only a priority and hosts strip it, so it equals no tag; it counts for the depth all the same, or a row of such
/// tags would hide the rest from us and not from the host (CVE-2021-27853). One SNAP header is unwrapped, because hosts do it too
/// (CVE-2021-27861); none puts a second one inside. Inside a tunnel a tag would be one that the reading has no room for.
@_noLocks @inline(never)
private func unwrap(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    var tags = 0
    var hasSNAP = false
    while reading.link.number == LinkProtocol.none.number {
        let type = reading.etherType
        let offset = Int(reading.networkOffset)
        if EtherType.isTag(type) {
            guard tags < TagField.most else { return .tooManyTags }
            // `networkOffset` stands behind the tag type, which is a part of the tag.
            guard Int(reading.end) &- offset >= TagField.length else { return .truncated }
            let identifier = u16(frame, offset &+ TagField.control &- 2) & TagField.identifierMask
            guard identifier == 0 || reading.tunnel.depth == 0 else { return .tooManyTags }
            if identifier != 0 { reading.vlans.append(identifier) }
            reading.etherType = u16(frame, offset &+ TagField.length &- 2)
            reading.networkOffset = UInt16(truncatingIfNeeded: offset &+ TagField.length)
            tags &+= 1
        } else if type < EtherType.first {
            guard !hasSNAP else { return .badLink }
            hasSNAP = true
            if let reason = readLLC(frame, into: &reading) { return reason }
        } else {
            return nil
        }
    }
    return nil
}
