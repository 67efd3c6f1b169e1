// SPDX-License-Identifier: Apache-2.0
internal import Net

/// Ether types that are read (IANA "IEEE 802 Numbers").
enum EtherType {
    static var ipv4: UInt16 { @_noLocks get { 0x0800 } }
    static var arp: UInt16 { @_noLocks get { 0x0806 } }
    static var ipv6: UInt16 { @_noLocks get { 0x86dd } }
    /// Customer tag (IEEE 802.1Q).
    static var customerTag: UInt16 { @_noLocks get { 0x8100 } }
    /// Service tag (IEEE 802.1ad).
    static var serviceTag: UInt16 { @_noLocks get { 0x88a8 } }
    /// What bridges used for the outer tag before 802.1ad.
    static var oldServiceTag: UInt16 { @_noLocks get { 0x9100 } }
}

/// The Ethernet II header (IEEE 802.3, 3.1.1).
private enum EthernetField {
    static var destination: Int { 0 }
    static var source: Int { destination + 6 }
    static var type: Int { source + 6 }
    static var length: Int { type + 2 }
}

/// What a VLAN tag inserts before the type that follows: tag type and control information (IEEE 802.1Q, 9.3).
private enum TagField {
    static var control: Int { 2 }
    static var length: Int { control + 2 }
    static var most: Int { 2 }
    static var identifierMask: UInt16 { 0x0fff }
}

/// Reads hardware addresses, VLAN tags and the ether type behind them; `networkOffset` is the byte behind that type.
///
/// VLAN 0 carries only a priority and hosts strip it, so it equals no tag; it counts for the depth all the same, or a row of such
/// tags would hide the rest from us and not from the host (CVE-2021-27853). A type below 0x0600 is the length of an 802.3 frame
/// and stays in `etherType` as it is: SNAP inside would be a second way to write IP (CVE-2021-27861), so it is not read.
@_noLocks
func readEthernet(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    guard frame.byteCount >= EthernetField.length else { return .truncated }
    // Eight bytes each, of which the header surely has the two behind the address.
    reading.destinationMAC = MACAddress(bits: u64(frame, EthernetField.destination) >> 16)
    reading.sourceMAC = MACAddress(bits: u64(frame, EthernetField.source) >> 16)

    var typeOffset = EthernetField.type
    var type = u16(frame, typeOffset)
    var tags = 0
    while type == EtherType.customerTag || type == EtherType.serviceTag || type == EtherType.oldServiceTag {
        guard tags < TagField.most else { return .tooManyTags }
        guard frame.byteCount &- typeOffset >= TagField.length &+ 2 else { return .truncated }
        let identifier = u16(frame, typeOffset &+ TagField.control) & TagField.identifierMask
        if identifier != 0 { reading.vlans.append(identifier) }
        typeOffset &+= TagField.length
        type = u16(frame, typeOffset)
        tags &+= 1
    }
    reading.etherType = type
    reading.networkOffset = UInt16(truncatingIfNeeded: typeOffset &+ 2)

    guard !reading.sourceMAC.isGroup else { return .martian }
    if reading.destinationMAC.isGroup { reading.mark(MarkBit.group) }
    return nil
}
