// SPDX-License-Identifier: Apache-2.0
internal import Net

/// "Communication administratively prohibited" of both families, and what of the trigger it quotes.
private enum Prohibited {
    /// Type, code, checksum, and four bytes that are 0.
    static var headerLength: Int { @_noLocks get { 8 } }
    /// Type 3, code 13 (RFC 1812, 5.2.7.1).
    static var typeAndCode4: UInt32 { @_noLocks get { 3 << 24 | 13 << 16 } }
    /// Type 1, code 1 (RFC 4443, 3.1).
    static var typeAndCode6: UInt32 { @_noLocks get { 1 << 24 | 1 << 16 } }
    /// The longest error: RFC 1812, 4.3.2.3.
    static var longest4: Int { @_noLocks get { 576 } }
    /// The longest error: RFC 4443, 2.4 c.
    static var longest6: Int { @_noLocks get { 1280 } }
    /// What must be quoted of the transport, so that the sender finds whom to tell (RFC 792): ports, or an echo's identifier.
    static var transportBytes: Int { @_noLocks get { 8 } }
    /// Precedence "internetwork control" (RFC 1812, 4.3.2.5).
    static var service4: UInt8 { @_noLocks get { 0xc0 } }
}

/// Bytes of the packet that tells a trigger's sender: as many as the trigger has, so that as much as possible is quoted, but no more
/// than an error may have; 0 where that leaves no room for the trigger's headers and the first bytes of its transport.
@_noLocks
func prohibitedLength(_ reading: borrowing Reading) -> Int {
    let trigger = Int(reading.end) &- Int(reading.networkOffset)
    let headers = Int(reading.transportOffset) &- Int(reading.networkOffset)
    let longest = reading.isIPv4 ? Prohibited.longest4 : Prohibited.longest6
    let length = trigger < longest ? trigger : longest
    let quoted = length &- ReplyHeader.length(overIPv4: reading.isIPv4) &- Prohibited.headerLength
    return quoted >= headers &+ Prohibited.transportBytes ? length : 0
}

/// Writes the error: `length` bytes of packet, of which what the headers leave is the trigger's beginning as it came in. The caller
/// took `length` from `prohibitedLength`, so that the quoted bytes are the trigger's own.
@_noLocks
func writeProhibited(
    to reading: borrowing Reading, _ frame: borrowing RawSpan, length: Int, into reply: inout MutableRawSpan, at start: Int
) {
    let overIPv4 = reading.isIPv4
    let networkLength = ReplyHeader.length(overIPv4: overIPv4)
    let message = start &+ networkLength
    let payload = length &- networkLength
    let quote = Int(reading.networkOffset)
    let quoteEnd = quote &+ payload &- Prohibited.headerLength
    let typeAndCode = overIPv4 ? Prohibited.typeAndCode4 : Prohibited.typeAndCode6
    ReplyHeader.write(
        to: reading, overIPv4 ? .icmp : .icmp6, service: overIPv4 ? Prohibited.service4 : 0, payload: payload, into: &reply,
        at: start)

    // ICMPv6 sums up a pseudo-header as well (RFC 4443, 2.3).
    var sum = overIPv4 ? 0 : pseudoHeaderSum(reading.source, reading.destination, length: payload, .icmp6)
    sum = summed(frame, from: quote, to: quoteEnd, onto: sum &+ UInt64(typeAndCode))
    put32(typeAndCode | UInt32(checksum(of: sum)), &reply, message)
    put32(0, &reply, message &+ 4)
    copy(frame, from: quote, to: quoteEnd, into: &reply, at: message &+ Prohibited.headerLength)
}
