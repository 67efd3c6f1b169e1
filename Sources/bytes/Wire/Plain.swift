// SPDX-License-Identifier: Apache-2.0
public import Net

// Nearly all frames of a network are segments in the middle of TCP connections, or UDP datagrams: Ethernet II with one tag or none, IPv4 without
// options and fragments or IPv6 without extension headers, TCP with ACK and neither SYN, FIN nor RST, without options or with timestamps
// alone, UDP that fills its packet and is of none of the services that Bulkhead looks into, from one ordinary address to another. These are
// recognised here in one straight run, and of them no more is kept than what their connection needs (Van Jacobson's "header prediction"
// of TCP receivers, turned to the lookup of a firewall).
//
// A recogniser decides nothing: what it does not take is read by `read`, which knows every rule and names the reason. So it may be as
// narrow as it likes, and each of its tests takes in no more than the rule that it stands for. What it takes `read` takes too, with the
// same key and the same numbers, and its checksums are right: the tests and the frame storm hold the one against the other.

/// Where the fields of a plain packet lie that are looked at, in bytes from the frame's first.
@usableFromInline enum PlainField {
    @inlinable static var source: Int { @_noLocks get { 6 } }
    @inlinable static var etherType: Int { @_noLocks get { 12 } }
    /// A tag's control information, and the type behind it (IEEE 802.1Q, 9.6).
    @inlinable static var tagControl: Int { @_noLocks get { 14 } }
    @inlinable static var typeBehindTag: Int { @_noLocks get { 16 } }
    /// Bytes of the shortest: IPv4 and TCP without options. Each frame of 60 bytes has room for them, behind a tag too.
    @inlinable static var shortest: Int { @_noLocks get { 40 } }
    /// Bytes of a TCP header without options, and with the usual timestamps alone (RFC 7323, appendix A).
    @inlinable static var header: Int { @_noLocks get { 20 } }
    @inlinable static var headerWithTimestamps: Int { @_noLocks get { 32 } }
    @inlinable static var timestamps: UInt32 { @_noLocks get { 0x0101_080a } }
    /// Bytes of a UDP header.
    @inlinable static var datagramHeader: Int { @_noLocks get { 8 } }
}

/// The same behind the first byte of the network header.
@usableFromInline enum PlainNetworkField {
    /// Of IPv4: version 4 and a header of five words; the byte is no field's place but its value.
    @inlinable static var begin4: UInt8 { @_noLocks get { 0x45 } }
    /// Both addresses in a row, then the transport.
    @inlinable static var source4: Int { @_noLocks get { 12 } }
    @inlinable static var destination4: Int { @_noLocks get { 16 } }
    @inlinable static var transport4: Int { @_noLocks get { 20 } }
    /// Of IPv6.
    @inlinable static var payloadLength6: Int { @_noLocks get { 4 } }
    @inlinable static var nextHeader6: Int { @_noLocks get { 6 } }
    @inlinable static var source6: Int { @_noLocks get { 8 } }
    @inlinable static var destination6: Int { @_noLocks get { 24 } }
    @inlinable static var transport6: Int { @_noLocks get { 40 } }
}

/// Where a plain packet's network header begins, in bytes from the frame's first, and the VLAN tag before it as `VLANTags.word`.
@frozen public struct PlainLink: BitwiseCopyable, Sendable {
    /// The first byte of the network header.
    @usableFromInline let network: Int
    /// The tag, or 0.
    @usableFromInline let vlans: UInt32

    @_noLocks @inlinable @inline(always) init(network: Int, vlans: UInt32) {
        self.network = network
        self.vlans = vlans
    }

    /// Behind an Ethernet header without a tag.
    @inlinable public static var untagged: PlainLink { @_noLocks @inline(always) get { PlainLink(network: 14, vlans: 0) } }
}

/// Begins to recognise a plain packet: its Ethernet header.
///
/// - Parameters:
///   - frame: all bytes of the frame as it was received.
///   - terms: what else makes a frame plain.
/// - Returns: 4 or 6 where `readPlain4` or `readPlain6` has to go on, 1 where `plainFamilyBehindTag` has to; else 0, and `read` has to
///   look at the frame. 4 says that the header has 20 bytes, too.
@_noLocks @inlinable @inline(always)
public func plainFamily(_ frame: borrowing RawSpan, _ terms: PlainTerms) -> UInt8 {
    // Offsets have 16 bits, as in `read`.
    guard frame.byteCount >= PlainLink.untagged.network &+ PlainField.shortest, frame.byteCount <= Int(UInt16.max)
    else { return 0 }
    let (destination, source) = (u64(frame, 0) >> 16, u64(frame, PlainField.source) >> 16)
    // The lowest bit of the first byte is a group's.
    guard (destination | source) >> 40 & 1 == 0, destination != terms.own.first, destination != terms.own.second,
        source != terms.own.first, source != terms.own.second
    else { return 0 }
    if isPlainBegin4(frame, PlainField.etherType) { return 4 }
    let type = u16(frame, PlainField.etherType)
    return type == EtherType.ipv6 ? 6 : type == EtherType.customerTag ? 1 : 0
}

/// Whether IPv4 and a header of 20 bytes stand at an ether type: all three bytes at once, because this is what most frames have there.
@_noLocks @inlinable @inline(always)
func isPlainBegin4(_ frame: borrowing RawSpan, _ etherType: Int) -> Bool {
    u32(frame, etherType) & 0xffff_ff00 == UInt32(EtherType.ipv4) << 16 | UInt32(PlainNetworkField.begin4) << 8
}

/// Goes on behind the tag of a frame of which `plainFamily` has said 1: only one, and a customer's. A tag without an identifier is none.
///
/// - Returns: 4 or 6 as `plainFamily`, else 0; and what `readPlain4` and `readPlain6` have to know of the tag.
@_noLocks @inlinable @inline(always)
public func plainFamilyBehindTag(_ frame: borrowing RawSpan) -> (family: UInt8, link: PlainLink) {
    var tags = VLANTags()
    guard frame.byteCount >= PlainField.typeBehindTag &+ 4 else { return (0, .untagged) }
    let identifier = u16(frame, PlainField.tagControl) & 0xfff
    if identifier != 0 { tags.append(identifier) }
    let is6 = u16(frame, PlainField.typeBehindTag) == EtherType.ipv6
    let family: UInt8 = isPlainBegin4(frame, PlainField.typeBehindTag) ? 4 : is6 ? 6 : 0
    return (family, PlainLink(network: PlainField.typeBehindTag &+ 2, vlans: tags.word))
}

/// Recognises a plain packet over IPv4 behind an Ethernet header.
///
/// - Parameters:
///   - frame: the frame, of which `plainFamily` or `plainFamilyBehindTag` has said 4.
///   - link: where the packet begins.
///   - terms: the same as there.
///   - packet: what is kept of it; of no meaning where it is none.
/// - Returns: the key of its flow, and the end that sent it; `nil` where it is no plain packet, and `read` has to look at it.
@_noLocks @inlinable @inline(always)
public func readPlain4(
    _ frame: borrowing RawSpan, _ link: PlainLink, _ terms: PlainTerms, into packet: inout PlainPacket
) -> (key: FlowKey4, sender: FlowEnd)? {
    let network = link.network
    // Behind an Ethernet header `plainFamily` has seen it: said once more, so that the compiler leaves out the checks that follow from it.
    guard frame.byteCount >= network &+ PlainField.shortest else { return nil }
    // Two words and a half: version to fragment offset, time to live to source, destination.
    let (first, second) = (u64(frame, network), u64(frame, network &+ 8))
    let (source, destination) = (UInt32(truncatingIfNeeded: second), u32(frame, network &+ PlainNetworkField.destination4))
    // Neither more fragments nor an offset. Version and header length were looked at with the ether type.
    guard first & 0x3fff == 0 else { return nil }
    let number = IPProtocol(rawValue: UInt8(truncatingIfNeeded: second >> 48))
    let length = Int(truncatingIfNeeded: first >> 32 & 0xffff)
    guard length <= frame.byteCount &- network else { return nil }
    guard isAllOnes(halves(first) &+ halves(second) &+ UInt64(destination)) else { return nil }
    guard isOrdinary(source), isOrdinary(destination), source != destination else { return nil }
    let (start, end) = (network &+ PlainNetworkField.transport4, network &+ length)
    guard readPlainTransport(frame, number, from: start, to: end, into: &packet) else { return nil }
    if terms.verifiesChecksum {
        guard isRight(frame, from: network &+ PlainNetworkField.source4, to: end, end &- start, number) else { return nil }
    }
    // Read again: the checksum's loads leave no register for what was read before it.
    return FlowKey4.plain(
        from: u32(frame, network &+ PlainNetworkField.source4), to: u32(frame, network &+ PlainNetworkField.destination4),
        ports: u32(frame, start), number, vlans: link.vlans, pair: terms.pair)
}

/// Recognises a plain packet over IPv6 behind an Ethernet header, as `readPlain4` does.
@_noLocks @inlinable @inline(always)
public func readPlain6(
    _ frame: borrowing RawSpan, _ link: PlainLink, _ terms: PlainTerms, into packet: inout PlainPacket
) -> (key: FlowKey6, sender: FlowEnd)? {
    let network = link.network
    let start = network &+ PlainNetworkField.transport6
    guard frame.byteCount >= start &+ PlainField.header else { return nil }
    guard u8(frame, network) >> 4 == 6 else { return nil }
    let number = IPProtocol(rawValue: u8(frame, network &+ PlainNetworkField.nextHeader6))
    let length = Int(u16(frame, network &+ PlainNetworkField.payloadLength6))
    guard length <= frame.byteCount &- start else { return nil }
    let source = address(frame, network &+ PlainNetworkField.source6)
    let destination = address(frame, network &+ PlainNetworkField.destination6)
    guard isOrdinary(source), isOrdinary(destination), !(source == destination) else { return nil }
    guard readPlainTransport(frame, number, from: start, to: start &+ length, into: &packet) else { return nil }
    if terms.verifiesChecksum {
        guard isRight(frame, from: network &+ PlainNetworkField.source6, to: start &+ length, length, number) else { return nil }
    }
    return FlowKey6.plain(
        from: address(frame, network &+ PlainNetworkField.source6), to: address(frame, network &+ PlainNetworkField.destination6),
        ports: u32(frame, start), number, vlans: link.vlans, pair: terms.pair)
}

/// The transport between two bytes: `end` is in the frame, and so are 20 bytes from `start` on.
@_noLocks @inlinable @inline(always)
func readPlainTransport(
    _ frame: borrowing RawSpan, _ number: IPProtocol, from start: Int, to end: Int, into packet: inout PlainPacket
) -> Bool {
    if number == .tcp { return readPlainSegment(frame, from: start, to: end, into: &packet) }
    return number == .udp && readPlainDatagram(frame, from: start, to: end, into: &packet)
}

@_noLocks @inlinable @inline(always)
func readPlainDatagram(_ frame: borrowing RawSpan, from start: Int, to end: Int, into packet: inout PlainPacket) -> Bool {
    let length = end &- start
    // With a checksum, which it may lack over IPv4 and must not over IPv6.
    guard length >= PlainField.datagramHeader, Int(u16(frame, start &+ 4)) == length, u16(frame, start &+ 6) != 0,
        !isKnownService(u16(frame, start &+ 2))
    else { return false }
    packet.flags = TCPFlags(rawValue: 0)
    return true
}

@_noLocks @inlinable @inline(always)
func readPlainSegment(_ frame: borrowing RawSpan, from start: Int, to end: Int, into packet: inout PlainPacket) -> Bool {
    // Data offset and flags: ACK, and neither SYN, FIN nor RST.
    let control = u16(frame, start &+ 12)
    guard control & 0x17 == 0x10 else { return false }
    var header = PlainField.header
    if control >> 12 != 5 {
        guard control >> 12 == 8, end &- start >= PlainField.headerWithTimestamps,
            u32(frame, start &+ PlainField.header) == PlainField.timestamps
        else { return false }
        header = PlainField.headerWithTimestamps
    }
    let payload = end &- start &- header
    guard payload >= 0 else { return false }
    packet.end = u32(frame, start &+ 4) &+ UInt32(truncatingIfNeeded: payload)
    packet.acknowledgement = u32(frame, start &+ 8)
    packet.window = u16(frame, start &+ 14)
    packet.flags = TCPFlags(rawValue: UInt8(truncatingIfNeeded: control))
    return true
}

/// Whether the transport's checksum is right. The addresses stand right before the transport, so that one sum covers both; its `length`
/// and number are the rest of the pseudo-header.
@_noLocks @inlinable @inline(always)
func isRight(
    _ frame: borrowing RawSpan, from addresses: Int, to end: Int, _ length: Int, _ number: IPProtocol
) -> Bool {
    let rest = UInt64(UInt16(truncatingIfNeeded: length).bigEndian) &+ UInt64(UInt16(number.rawValue).bigEndian)
    guard end &- addresses < shortLimit else { return isAllOnes(rest &+ nativeSum(frame, from: addresses, to: end)) }
    return isAllOnes(rest &+ nativeShortSum(frame, from: addresses, to: end))
}

/// Whether most hosts have such an address: from 1.0.0.0 to 223.255.255.255, but for 127.0.0.0/8.
@_noLocks @inlinable @inline(always)
func isOrdinary(_ address: UInt32) -> Bool { address >> 24 &- 1 < 223 && address >> 24 != 127 }

/// Whether most hosts have such an address: neither a group's, nor one whose upper half is 0 (`::`, `::1`, mapped ones).
@_noLocks @inlinable @inline(always)
func isOrdinary(_ address: Address) -> Bool { address.high &- 1 < 0xfeff_ffff_ffff_ffff }
