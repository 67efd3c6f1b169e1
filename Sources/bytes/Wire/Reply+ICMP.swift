// SPDX-License-Identifier: Apache-2.0
internal import Net

/// An ICMP error of either family, and what of the trigger it quotes.
private enum ErrorMessage {
    /// Type, code, checksum, and four bytes that the type gives a meaning.
    static var headerLength: Int { @_noLocks get { 8 } }
    /// The longest error: RFC 1812, 4.3.2.3.
    static var longest4: Int { @_noLocks get { 576 } }
    /// The longest error: RFC 4443, 2.4 c.
    static var longest6: Int { @_noLocks get { 1280 } }
    /// What must be quoted of the transport, so that the sender finds whom to tell (RFC 792): ports, or an echo's identifier.
    static var transportBytes: Int { @_noLocks get { 8 } }
    /// Precedence "internetwork control" (RFC 1812, 4.3.2.5).
    static var service4: UInt8 { @_noLocks get { 0xc0 } }
}

/// What an error says: its first four bytes with a checksum of 0, and the four behind them.
struct ErrorWords: BitwiseCopyable {
    let typeAndCode: UInt32
    let detail: UInt32

    /// "Communication administratively prohibited": type 3, code 13 (RFC 1812, 5.2.7.1), or type 1, code 1 (RFC 4443, 3.1).
    @_noLocks
    static func prohibited(overIPv4: Bool) -> ErrorWords {
        ErrorWords(typeAndCode: overIPv4 ? 3 << 24 | 13 << 16 : 1 << 24 | 1 << 16, detail: 0)
    }

    @_noLocks
    init(typeAndCode: UInt32, detail: UInt32) {
        self.typeAndCode = typeAndCode
        self.detail = detail
    }
}

/// Bytes of the packet that tells a trigger's sender: as many as the trigger has, so that as much as possible is quoted, but no more
/// than an error may have; 0 where that leaves no room for the trigger's headers and the first bytes of its transport.
@_noLocks
func errorLength(_ reading: borrowing Reading) -> Int {
    let trigger = Int(reading.end) &- Int(reading.networkOffset)
    let headers = Int(reading.transportOffset) &- Int(reading.networkOffset)
    let longest = reading.isIPv4 ? ErrorMessage.longest4 : ErrorMessage.longest6
    let length = trigger < longest ? trigger : longest
    let quoted = length &- ReplyHeader.length(overIPv4: reading.isIPv4) &- ErrorMessage.headerLength
    return quoted >= headers &+ ErrorMessage.transportBytes ? length : 0
}

/// Writes the error: `length` bytes of packet, of which what the headers leave is the trigger's beginning as it came in. The caller
/// took `length` from `errorLength`, so that the quoted bytes are the trigger's own.
@_noLocks
func writeError(
    _ words: ErrorWords, to reading: borrowing Reading, _ frame: borrowing RawSpan, length: Int, into reply: inout MutableRawSpan,
    at start: Int
) {
    let overIPv4 = reading.isIPv4
    let networkLength = ReplyHeader.length(overIPv4: overIPv4)
    let message = start &+ networkLength
    let payload = length &- networkLength
    let quote = Int(reading.networkOffset)
    let quoteEnd = quote &+ payload &- ErrorMessage.headerLength
    ReplyHeader.write(
        to: reading, overIPv4 ? .icmp : .icmp6, service: overIPv4 ? ErrorMessage.service4 : 0, payload: payload, into: &reply,
        at: start)

    // ICMPv6 sums up a pseudo-header as well (RFC 4443, 2.3).
    var sum = overIPv4 ? 0 : pseudoHeaderSum(reading.source, reading.destination, length: payload, .icmp6)
    sum &+= UInt64(words.typeAndCode) &+ UInt64(words.detail)
    sum = summed(frame, from: quote, to: quoteEnd, onto: sum)
    put32(words.typeAndCode | UInt32(checksum(of: sum)), &reply, message)
    put32(words.detail, &reply, message &+ 4)
    copy(frame, from: quote, to: quoteEnd, into: &reply, at: message &+ ErrorMessage.headerLength)
}
