// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The IPv4 header (RFC 791, 3.1).
private enum IPv4Field {
    static var versionAndLength: Int { 0 }
    static var service: Int { versionAndLength + 1 }
    static var totalLength: Int { service + 1 }
    static var identification: Int { totalLength + 2 }
    static var flagsAndOffset: Int { identification + 2 }
    static var timeToLive: Int { flagsAndOffset + 2 }
    static var protocolNumber: Int { timeToLive + 1 }
    static var checksum: Int { protocolNumber + 1 }
    static var source: Int { checksum + 2 }
    static var destination: Int { source + 4 }
    static var options: Int { destination + 4 }

    static var dontFragment: UInt16 { 0x4000 }
    static var moreFragments: UInt16 { 0x2000 }
    static var offsetMask: UInt16 { 0x1fff }
}

/// Reads the IPv4 header; the packet ends where its total length says, whatever the frame carries behind it (CVE-2020-35498).
@_noLocks @inline(always)
func readIPv4(_ frame: borrowing RawSpan, from start: Int, to end: Int, into reading: inout Reading) -> DropReason? {
    let available = end &- start
    guard available >= IPv4Field.options else { return .truncated }
    let versionAndLength = u8(frame, start &+ IPv4Field.versionAndLength)
    let headerLength = Int(versionAndLength & 0x0f) &* 4
    let totalLength = Int(u16(frame, start &+ IPv4Field.totalLength))
    guard versionAndLength >> 4 == 4, headerLength >= IPv4Field.options, headerLength <= totalLength, totalLength <= available
    else { return .badLength }
    guard sumIsRight(frame, start, headerLength) else { return .badChecksum }

    reading.kind = .packet
    reading.source = Address(v4: u32(frame, start &+ IPv4Field.source))
    reading.destination = Address(v4: u32(frame, start &+ IPv4Field.destination))
    reading.hopLimit = u8(frame, start &+ IPv4Field.timeToLive)
    reading.protocolNumber = IPProtocol(rawValue: u8(frame, start &+ IPv4Field.protocolNumber))
    reading.leave(at: start &+ headerLength)
    reading.end = UInt16(truncatingIfNeeded: start &+ totalLength)
    if reading.destination.isMulticast || reading.destination.isBroadcast { reading.mark(.group) }
    if headerLength > IPv4Field.options, !optionsAreHarmless(frame, from: start &+ IPv4Field.options, reading) {
        return .badOptions
    }

    let flagsAndOffset = u16(frame, start &+ IPv4Field.flagsAndOffset)
    if flagsAndOffset & IPv4Field.dontFragment != 0 { reading.mark(.dontFragment) }
    if flagsAndOffset & (IPv4Field.moreFragments | IPv4Field.offsetMask) != 0 {
        reading.identification = UInt32(u16(frame, start &+ IPv4Field.identification))
        return readFragment(
            frame, offset: (flagsAndOffset & IPv4Field.offsetMask) &* 8, more: flagsAndOffset & IPv4Field.moreFragments != 0,
            into: &reading)
    }
    guard reading.protocolNumber.rawValue == ExtensionHeader.authentication else { return nil }
    return readChain(frame, into: &reading)
}

/// Whether the one's complement sum over the header, its checksum included, is all ones, so that nothing is left to make it so. The
/// part that each header has is loaded in three steps, not in a loop.
@_noLocks @inline(__always)
private func sumIsRight(_ frame: borrowing RawSpan, _ start: Int, _ headerLength: Int) -> Bool {
    let (first, second) = (u64(frame, start), u64(frame, start &+ 8))
    var sum = (first >> 32) &+ (first & 0xffff_ffff) &+ (second >> 32) &+ (second & 0xffff_ffff)
    sum &+= UInt64(u32(frame, start &+ 16))
    var offset = IPv4Field.options
    while offset < headerLength {
        sum &+= UInt64(u32(frame, start &+ offset))
        offset &+= 4
    }
    return checksum(of: sum) == 0
}
