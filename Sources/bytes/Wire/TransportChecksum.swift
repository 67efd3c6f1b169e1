// SPDX-License-Identifier: Apache-2.0
public import Net

// The checksum of a whole packet's transport: TCP (RFC 9293, 3.1), UDP (RFC 768; RFC 8200, 8.1), UDP-Lite (RFC 3828, 3.1), ICMP (RFC 792),
// ICMPv6 (RFC 4443, 2.3) and SCTP (RFC 9260, appendix A). Apart from `read`, which costs a few loads: this one touches every byte, and
// whoever asks for it may have it switched off.
//
// A stack that leaves the work to its NIC hands over a frame whose field holds the pseudo-header's sum only, or, for SCTP, 0 (Linux
// calls it CHECKSUM_PARTIAL). From a virtual port such frames come as they are. They are told apart, because the sender did nothing
// wrong and the checksum can be completed.

/// Where a packet lies in its frame, as far as its checksum asks: eight bytes that a call passes in a register, where a reading would be
/// copied.
@frozen public struct PacketExtent: BitwiseCopyable, Sendable {
    /// First byte of the IP header, first byte of the transport, one past the packet's last.
    @usableFromInline let network: UInt16, transport: UInt16, end: UInt16
    /// The transport's number.
    @usableFromInline let number: UInt8
    /// 4 or 6, or 0 for what is no whole packet: fragments, and frames without IP.
    @usableFromInline let family: UInt8

    /// The extent of the packet that `read` or `readInner` made a reading of.
    @_noLocks @inlinable @inline(__always)
    public init(_ reading: borrowing Reading) {
        network = reading.networkOffset
        transport = reading.transportOffset
        end = reading.end
        number = reading.protocolNumber.rawValue
        switch reading.kind {
        case .packet, .neighbour: family = reading.isIPv4 ? 4 : 6
        case .fragment, .arp, .link: family = 0
        }
    }
}

/// What the checksum of a packet's transport is.
@frozen public enum ChecksumState: UInt8, Sendable {
    /// What it must be.
    case right = 0
    /// Left out, as UDP may over IPv4 and tunnels over IPv6, or of a protocol that has none that is known here.
    case absent
    /// To be completed: only what the pseudo-header adds up to.
    case partial
    /// Neither: the packet is not what its sender made.
    case wrong
}

/// What the checksum of a packet is. Fragments have none of their own.
///
/// - Parameters:
///   - extent: where the packet lies.
///   - frame: the frame's bytes, those that were read.
///   - cyclic: tables for SCTP's.
@_noLocks
public func checksumState(
    of extent: PacketExtent, in frame: borrowing RawSpan, _ cyclic: CRC32C
) -> ChecksumState {
    let place = checksumPlace(of: extent, in: frame)
    guard place.kind == .sum else {
        if place.kind == .other { return otherState(of: extent, in: frame, cyclic) }
        return place.kind == .absent ? .absent : .wrong
    }
    return summedState(frame, place)
}

/// As `checksumState`, of all but TCP and UDP.
@_noLocks @inline(never)
private func otherState(
    of extent: PacketExtent, in frame: borrowing RawSpan, _ cyclic: CRC32C
) -> ChecksumState {
    let place = placeOfOther(extent, in: frame)
    if place.kind == .sum { return summedState(frame, place) }
    guard place.kind == .remainder else { return place.kind == .absent ? .absent : .wrong }
    let found = u32(frame, place.field)
    if found == remainder(frame, place, cyclic) { return .right }
    return found == 0 ? .partial : .wrong
}

@_noLocks @inline(__always)
private func summedState(_ frame: borrowing RawSpan, _ place: ChecksumPlace) -> ChecksumState {
    guard place.end &- place.start < shortLimit else { return longState(frame, place) }
    return state(ofSum: place.pseudoHeader &+ nativeShortSum(frame, from: place.start, to: place.end), frame, place)
}

/// Out of line, so that what short packets need fits into few registers.
@_noLocks @inline(never)
private func longState(_ frame: borrowing RawSpan, _ place: ChecksumPlace) -> ChecksumState {
    state(ofSum: place.pseudoHeader &+ nativeSum(frame, from: place.start, to: place.end), frame, place)
}

@_noLocks @inline(__always)
private func state(ofSum sum: UInt64, _ frame: borrowing RawSpan, _ place: ChecksumPlace) -> ChecksumState {
    if isAllOnes(sum) { return .right }
    guard place.pseudoHeader != 0, native16(frame, inside: place.field) == folded(place.pseudoHeader) else { return .wrong }
    return .partial
}

/// A packet's right checksum, and where it belongs.
@frozen public struct RightChecksum: BitwiseCopyable, Sendable {
    /// First byte of the field.
    let field: Int
    /// Its value: 4 bytes where `isRemainder`, else 2.
    let value: UInt32
    let isRemainder: Bool

    @_noLocks
    init(field: Int, value: UInt32, isRemainder: Bool) {
        self.field = field
        self.value = value
        self.isRemainder = isRemainder
    }

    /// Puts it into the frame that it was worked out for.
    @_noLocks
    public func write(into frame: inout MutableRawSpan) {
        if isRemainder { return put32(value, &frame, field) }
        put16(UInt16(truncatingIfNeeded: value), &frame, field)
    }
}

/// The checksum that a packet must have, whatever its field holds; `nil` where `checksumState` says that it is absent, or where it
/// covers what it cannot. Parameters as there.
@_noLocks
public func rightChecksum(
    of extent: PacketExtent, in frame: borrowing RawSpan, _ cyclic: CRC32C
) -> RightChecksum? {
    var place = checksumPlace(of: extent, in: frame)
    if place.kind == .other { place = placeOfOther(extent, in: frame) }
    switch place.kind {
    case .sum:
        // Taking the field's value out again is adding its complement.
        let present = UInt64(~native16(frame, inside: place.field))
        let sum = place.pseudoHeader &+ present &+ nativeSum(frame, from: place.start, to: place.end)
        let value = UInt16(bigEndian: checksum(of: sum))
        // 0 says that there is none (RFC 768, RFC 3828); it stands for the same number.
        let mayBeAbsent = extent.number == IPProtocol.udp.rawValue || extent.number == UDPLiteField.protocolNumber
        return RightChecksum(field: place.field, value: UInt32(value == 0 && mayBeAbsent ? 0xffff : value), isRemainder: false)
    case .remainder: return RightChecksum(field: place.field, value: remainder(frame, place, cyclic), isRemainder: true)
    case .absent, .impossible, .other: return nil
    }
}

/// Where a checksum stands, and what it is of.
private struct ChecksumPlace: BitwiseCopyable {
    /// How it is worked out; `other` where `placeOfOther` knows.
    enum Kind: BitwiseCopyable { case sum, remainder, absent, impossible, other }
    let kind: Kind
    /// First byte of the field, which lies in the frame.
    let field: Int
    /// First byte that is covered, and one past the last, in the frame.
    let start: Int, end: Int
    /// Sum of the pseudo-header in the machine's order, or 0 where it has no part in it.
    let pseudoHeader: UInt64

    @_noLocks @inline(__always)
    init(_ kind: Kind, field: Int = 0, from start: Int = 0, to end: Int = 0, onto pseudoHeader: UInt64 = 0) {
        self.kind = kind
        self.field = field
        self.start = start
        self.end = end
        self.pseudoHeader = pseudoHeader
    }
}

/// UDP-Lite (RFC 3828, 3.1): UDP whose length is instead how much of it the checksum covers.
private enum UDPLiteField {
    static var protocolNumber: UInt8 { @_noLocks get { 136 } }
    static var coverage: Int { @_noLocks get { 4 } }
    static var checksum: Int { @_noLocks get { 6 } }
    static var length: Int { @_noLocks get { 8 } }
}

/// Offsets of the fields of the others.
private enum ChecksumOffset {
    static var tcp: Int { @_noLocks get { 16 } }
    static var icmp: Int { @_noLocks get { 2 } }
    static var sctp: Int { @_noLocks get { 8 } }
}

@_noLocks @inline(__always)
private func checksumPlace(of extent: PacketExtent, in frame: borrowing RawSpan) -> ChecksumPlace {
    guard extent.family != 0 else { return ChecksumPlace(.absent) }
    let (start, end) = (Int(extent.transport), Int(extent.end))
    // The extent of another frame's packet must not lead out of this one. The loads behind this line rely on it.
    let header = Int(extent.network) &+ (extent.family == 4 ? 20 : 40)
    guard header <= start, start <= end, end <= frame.byteCount else { return ChecksumPlace(.impossible) }
    let (length, isUDP) = (end &- start, extent.number == IPProtocol.udp.rawValue)
    guard isUDP || extent.number == IPProtocol.tcp.rawValue else { return ChecksumPlace(.other) }
    var (field, covered) = (ChecksumOffset.tcp, length)
    if isUDP {
        guard length >= UDPField.length else { return ChecksumPlace(.impossible) }
        guard native16(frame, inside: start &+ UDPField.checksum) != 0 else { return ChecksumPlace(.absent) }
        // What stands behind the datagram in its packet is not covered.
        (field, covered) = (UDPField.checksum, Int(u16(frame, start &+ UDPField.datagramLength)))
    }
    guard covered >= field &+ 2, covered <= length else { return ChecksumPlace(.impossible) }
    let pseudoHeader = nativePseudoHeader(frame, extent, length: covered)
    return ChecksumPlace(.sum, field: start &+ field, from: start, to: start &+ covered, onto: pseudoHeader)
}

/// As `checksumPlace`, which has said `other`: the packet lies in the frame.
@_noLocks @inline(never)
private func placeOfOther(_ extent: PacketExtent, in frame: borrowing RawSpan) -> ChecksumPlace {
    let (start, end, number) = (Int(extent.transport), Int(extent.end), IPProtocol(rawValue: extent.number))
    let length = end &- start
    if number.isICMP {
        guard length >= ChecksumOffset.icmp &+ 2 else { return ChecksumPlace(.impossible) }
        let pseudoHeader = extent.family == 4 ? 0 : nativePseudoHeader(frame, extent, length: length)
        return ChecksumPlace(.sum, field: start &+ ChecksumOffset.icmp, from: start, to: end, onto: pseudoHeader)
    }
    if number == .sctp {
        guard length >= ChecksumOffset.sctp &+ 4 else { return ChecksumPlace(.impossible) }
        return ChecksumPlace(.remainder, field: start &+ ChecksumOffset.sctp, from: start, to: end)
    }
    guard number.rawValue == UDPLiteField.protocolNumber else { return ChecksumPlace(.absent) }
    guard length >= UDPLiteField.length else { return ChecksumPlace(.impossible) }
    let coverage = Int(u16(frame, start &+ UDPLiteField.coverage))
    let covered = coverage == 0 ? length : coverage
    // The header is always covered, and a checksum always there.
    guard covered >= UDPLiteField.length, covered <= length, u16(frame, start &+ UDPLiteField.checksum) != 0
    else { return ChecksumPlace(.impossible) }
    let pseudoHeader = nativePseudoHeader(frame, extent, length: length)
    return ChecksumPlace(.sum, field: start &+ UDPLiteField.checksum, from: start, to: start &+ covered, onto: pseudoHeader)
}

/// What the field of an SCTP packet must hold, as a number in network order: the check goes over the packet with the field as 0, and
/// is the only number of all these headers that travels with its lowest byte first.
@_noLocks @inline(never)
private func remainder(_ frame: borrowing RawSpan, _ place: ChecksumPlace, _ cyclic: CRC32C) -> UInt32 {
    var remainder = cyclic.advanced(.max, over: frame, from: place.start, to: place.field)
    remainder = cyclic.advancedByFourZeros(remainder)
    return (~cyclic.advanced(remainder, over: frame, from: place.field &+ 4, to: place.end)).byteSwapped
}
