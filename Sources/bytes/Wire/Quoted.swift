// SPDX-License-Identifier: Apache-2.0
public import Net

// What an ICMP error quotes: a packet as its sender's router saw it, cut, with a time to live and a checksum that have changed, and
// with lengths that some hosts write in their own byte order. So nothing is believed of it but what names its flow; the rest of its
// headers is not checked, because nothing is done with the packet. Whether there is such a flow is for the room that keeps them.

/// The headers of a quoted packet, and what is needed of its transport.
private enum QuotedField {
    // IPv4 (RFC 791, 3.1).
    static var flagsAndOffset: Int { @_noLocks get { 6 } }
    static var protocolNumber: Int { @_noLocks get { 9 } }
    static var source4: Int { @_noLocks get { 12 } }
    static var destination4: Int { @_noLocks get { 16 } }
    static var offsetMask: UInt16 { @_noLocks get { 0x1fff } }
    // IPv6 (RFC 8200, 3).
    static var nextHeader: Int { @_noLocks get { 6 } }
    static var source6: Int { @_noLocks get { 8 } }
    static var destination6: Int { @_noLocks get { 24 } }
    /// All of the transport that is surely there (RFC 792): ports, and TCP's sequence number or SCTP's tag.
    static var transport: Int { @_noLocks get { 8 } }
    /// As many extension headers as a packet may have that is forwarded.
    static var mostHeaders: Int { @_noLocks get { 8 } }
    /// Where a Fragment header has its offset, in units of 8 bytes.
    static var fragmentOffset: Int { @_noLocks get { 2 } }
    static var fragmentOffsetMask: UInt16 { @_noLocks get { 0xfff8 } }
}

/// Reads the packet that an error quotes, as far as it names a flow.
///
/// - Parameters:
///   - frame: the frame that `reading` was read from.
///   - reading: a reading with the mark `icmpError`.
///   - quoted: overwritten as a whole. Addresses, protocol, ports (as `Reading` has them for each protocol), ICMP type and code and the
///     mark of a reply, sequence number or tag, and the offsets are valid; VLAN tags and tunnel are those of the error itself, whose way
///     back is the packet's. No length of the quoted packet is believed, and no checksum: `end` is the error's own.
/// - Returns: whether it names a flow. What does not: a later fragment, which has no ports; an extension chain or a transport that is cut
///   before its ports; an ICMP error, which no error speaks of (RFC 1122, 3.2.2; RFC 4443, 2.4 e).
@_noLocks @inline(never)
public func readQuoted(_ frame: borrowing RawSpan, of reading: borrowing Reading, into quoted: inout Reading) -> Bool {
    quoted = Reading()
    quoted.vlans = reading.vlans
    quoted.tunnel = reading.tunnel
    let (start, end) = (Int(reading.payloadOffset), Int(reading.end))
    // A reading of another frame must not lead out of this one.
    guard reading.marks.rawValue & Reading.Marks.icmpError.rawValue != 0, end <= frame.byteCount, start <= end else {
        return false
    }
    quoted.networkOffset = reading.payloadOffset
    quoted.end = reading.end
    quoted.leave(at: start)
    guard reading.isIPv4 ? readQuoted4(frame, start, end, into: &quoted) : readQuoted6(frame, start, end, into: &quoted)
    else { return false }
    quoted.kind = .packet
    guard walkQuotedChain(frame, into: &quoted) else { return false }
    return readQuotedTransport(frame, into: &quoted)
}

/// The MTU that an error tells: that of "fragmentation needed" (RFC 1191, 4), which is 0 where an old router told none, or of "packet too
/// big" (RFC 4443, 3.2); `nil` for every other error.
@_noLocks
public func toldMTU(_ frame: borrowing RawSpan, of reading: borrowing Reading) -> UInt32? {
    let (message, payload) = (Int(reading.transportOffset), Int(reading.payloadOffset))
    guard payload <= frame.byteCount, payload &- message >= 8 else { return nil }
    let (type, code) = (reading.icmpType, reading.icmpCode)
    if reading.isIPv4 { return type == 3 && code == 4 ? UInt32(u16(frame, message &+ 6)) : nil }
    return type == 2 ? u32(frame, message &+ 4) : nil
}

@_noLocks
private func readQuoted4(_ frame: borrowing RawSpan, _ start: Int, _ end: Int, into quoted: inout Reading) -> Bool {
    guard end &- start >= 20 else { return false }
    let first = u8(frame, start)
    let length = Int(first & 0x0f) &* 4
    guard first >> 4 == 4, length >= 20, length <= end &- start else { return false }
    guard u16(frame, start &+ QuotedField.flagsAndOffset) & QuotedField.offsetMask == 0 else { return false }
    quoted.source = Address(v4: u32(frame, start &+ QuotedField.source4))
    quoted.destination = Address(v4: u32(frame, start &+ QuotedField.destination4))
    quoted.protocolNumber = IPProtocol(rawValue: u8(frame, start &+ QuotedField.protocolNumber))
    quoted.leave(at: start &+ length)
    return true
}

@_noLocks
private func readQuoted6(_ frame: borrowing RawSpan, _ start: Int, _ end: Int, into quoted: inout Reading) -> Bool {
    guard end &- start >= 40, u8(frame, start) >> 4 == 6 else { return false }
    quoted.source = address(frame, start &+ QuotedField.source6)
    quoted.destination = address(frame, start &+ QuotedField.destination6)
    // A mapped address would make the packet one of IPv4.
    guard !quoted.source.isIPv4, !quoted.destination.isIPv4 else { return false }
    quoted.protocolNumber = IPProtocol(rawValue: u8(frame, start &+ QuotedField.nextHeader))
    quoted.leave(at: start &+ 40)
    return true
}

/// Walks the chain to the protocol by which the packet was judged when it passed; see `readExtensions`, which refused it if it was no good.
@_noLocks
private func walkQuotedChain(_ frame: borrowing RawSpan, into quoted: inout Reading) -> Bool {
    let overIPv4 = quoted.isIPv4
    var headers = 0
    while isExtensionHeader(quoted.protocolNumber.rawValue, overIPv4: overIPv4) {
        let number = quoted.protocolNumber.rawValue
        let offset = Int(quoted.transportOffset)
        let available = Int(quoted.end) &- offset
        guard available >= 8, headers < QuotedField.mostHeaders else { return false }
        let next = u8(frame, offset)
        if next == ExtensionHeader.none, isMessage(number) { return true }
        let length = extensionLength(frame, at: offset, of: number)
        guard length <= available else { return false }
        if number == ExtensionHeader.fragment,
            u16(frame, offset &+ QuotedField.fragmentOffset) & QuotedField.fragmentOffsetMask != 0
        {
            return false
        }
        quoted.protocolNumber = IPProtocol(rawValue: next)
        quoted.leave(at: offset &+ length)
        headers &+= 1
    }
    return true
}

/// Reads the first bytes of the transport. A protocol without ports needs none.
@_noLocks
private func readQuotedTransport(_ frame: borrowing RawSpan, into quoted: inout Reading) -> Bool {
    let start = Int(quoted.transportOffset)
    let number = quoted.protocolNumber
    guard isOfFamily(number.rawValue, overIPv4: quoted.isIPv4) else { return false }
    guard number.hasPorts || number.isICMP else { return true }
    guard Int(quoted.end) &- start >= QuotedField.transport else { return false }
    quoted.payloadOffset = UInt16(truncatingIfNeeded: start &+ QuotedField.transport)
    guard number.isICMP else {
        quoted.sourcePort = u16(frame, start)
        quoted.destinationPort = u16(frame, start &+ 2)
        if number != .udp { quoted.sequence = u32(frame, start &+ 4) }
        return true
    }
    quoted.icmpType = u8(frame, start)
    quoted.icmpCode = u8(frame, start &+ 1)
    pairICMP(identifier: u16(frame, start &+ 4), in: &quoted)
    return quoted.marks.rawValue & Reading.Marks.icmpError.rawValue == 0
}
