// SPDX-License-Identifier: Apache-2.0
internal import Net

// What routers and clocks say to each other: VRRP, OSPF, BFD, PTP. So much is checked as tells that it is theirs.

/// VRRP (RFC 9568, 5.1; version 2 in RFC 3768), and CARP, which looks like it.
private enum VRRPField {
    static var versionAndType: Int { 0 }
    static var length: Int { 8 }
}

/// Reads an advertisement: version 2 or 3, type 1, from the link, which a hop limit of 255 proves (RFC 9568, 5.1.1.3).
@_noLocks
func readVRRP(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    guard Int(reading.end) &- start >= VRRPField.length else { return .truncated }
    let versionAndType = u8(frame, start &+ VRRPField.versionAndType)
    guard versionAndType == 0x21 || versionAndType == 0x31, reading.hopLimit == 255 else { return .badControl }
    reading.link = .vrrp
    return nil
}

/// OSPF's header begins alike in versions 2 and 3 (RFC 2328, A.3.1; RFC 5340, A.3.1).
private enum OSPFField {
    static var version: Int { 0 }
    static var type: Int { version + 1 }
    static var packetLength: Int { type + 1 }
    static var length2: Int { 24 }
    static var length3: Int { 16 }
}

/// Reads an OSPF packet: the version of its family, one of the five types, and a length that lies in it; authentication data may follow
/// behind (RFC 2328, D.4.3).
@_noLocks
func readOSPF(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    let available = Int(reading.end) &- start
    let least = reading.isIPv4 ? OSPFField.length2 : OSPFField.length3
    guard available >= least else { return .truncated }
    let length = Int(u16(frame, start &+ OSPFField.packetLength))
    let type = u8(frame, start &+ OSPFField.type)
    let version = u8(frame, start &+ OSPFField.version)
    guard version == (reading.isIPv4 ? 2 : 3), type >= 1, type <= 5, length >= least, length <= available
    else { return .badControl }
    reading.link = .ospf
    return nil
}

/// A BFD control packet (RFC 5880, 4.1).
private enum BFDField {
    static var versionAndDiagnostic: Int { 0 }
    static var stateAndFlags: Int { versionAndDiagnostic + 1 }
    static var multiplier: Int { stateAndFlags + 1 }
    static var packetLength: Int { multiplier + 1 }
    static var discriminator: Int { packetLength + 1 }
    static var length: Int { 24 }
    static var isAuthenticated: UInt8 { 4 }
    static var lengthWithAuthentication: Int { 26 }
}

/// Whether a datagram for a port of BFD is BFD. Control packets over one hop come with hop limit 255 (RFC 5881, 5). Echo packets are made
/// as their sender likes, and come back with one hop less (RFC 5881, 4).
@_noLocks
func isBFD(_ frame: borrowing RawSpan, until end: Int, _ reading: borrowing Reading) -> Bool {
    let port = reading.destinationPort
    if port == ServicePort.bfdEcho { return reading.hopLimit >= 254 }
    if port == ServicePort.bfd, reading.hopLimit != 255 { return false }
    let start = Int(reading.payloadOffset)
    guard end &- start >= BFDField.length, u8(frame, start) >> 5 == 1 else { return false }
    let isAuthenticated = u8(frame, start &+ BFDField.stateAndFlags) & BFDField.isAuthenticated != 0
    let length = Int(u8(frame, start &+ BFDField.packetLength))
    let least = isAuthenticated ? BFDField.lengthWithAuthentication : BFDField.length
    guard length >= least, length <= end &- start else { return false }
    return u8(frame, start &+ BFDField.multiplier) != 0 && u32(frame, start &+ BFDField.discriminator) != 0
}

/// The header of a precision time message (IEEE 1588, 13.3).
private enum PTPField {
    static var typeAndTransport: Int { 0 }
    static var version: Int { typeAndTransport + 1 }
    static var messageLength: Int { version + 1 }
    static var length: Int { 34 }
    /// A message of version 1 has no length, and this one at least.
    static var lengthOfVersion1: Int { 40 }
}

/// Whether so many bytes begin with a message of precision time, version 1 or 2. Over UDP two bytes may follow it (IEEE 1588, D.2).
@_noLocks
func isPTP(_ frame: borrowing RawSpan, _ start: Int, _ length: Int) -> Bool {
    guard length >= PTPField.length else { return false }
    let version = u8(frame, start &+ PTPField.version) & 0x0f
    if version == 1 { return length >= PTPField.lengthOfVersion1 }
    let messageLength = Int(u16(frame, start &+ PTPField.messageLength))
    return version == 2 && messageLength >= PTPField.length && messageLength <= length
}
