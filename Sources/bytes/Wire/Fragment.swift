// SPDX-License-Identifier: Apache-2.0
internal import Net

/// How many bytes a first fragment may leave to others and none may reach back into (RFC 1858, 3.2; RFC 3128).
private enum FragmentLimit {
    /// The longest TCP header.
    static var tcp: UInt16 { 60 }
    /// SCTP's header and that of its first chunk.
    static var sctp: UInt16 { 16 }
}

/// Notes what IPv4 and IPv6 say of a fragment, in the same words; `transportOffset` stands at its first byte.
///
/// A fragment without a byte, one that would end behind the largest packet ("ping of death"), and a middle one whose end is not a
/// multiple of 8 (RFC 8200, 4.5) contradict themselves, so that no later room meets one. Whether one overlaps another is for the room
/// that tracks them; that none overlaps headers is decided here, because a first one has them all: see `readChain`.
@_noLocks
func noteFragment(offset: UInt16, more: Bool, into reading: inout Reading) -> DropReason? {
    guard more || offset != 0 else { return nil }
    reading.kind = .fragment
    reading.mark(.fragment)
    if more { reading.mark(.moreFragments) }
    reading.fragmentOffset = offset
    reading.fragmentStart = reading.transportOffset
    let length = Int(reading.end) &- Int(reading.transportOffset)
    guard length > 0, Int(offset) &+ length <= Int(UInt16.max), !more || length & 7 == 0 else { return .badLength }
    guard offset != 0 else { return nil }
    let number = reading.protocolNumber.rawValue
    guard isOfFamily(number, overIPv4: reading.isIPv4) else { return .unknownProtocol }
    if number == IPProtocol.sctp.rawValue { return offset < FragmentLimit.sctp ? .tinyFragment : nil }
    let mayHoldTCP = number == IPProtocol.tcp.rawValue || isExtensionHeader(number, overIPv4: reading.isIPv4)
    return mayHoldTCP && offset < FragmentLimit.tcp ? .tinyFragment : nil
}

/// Reads an IPv4 fragment.
@_noLocks @inline(never)
func readFragment(_ frame: borrowing RawSpan, offset: UInt16, more: Bool, into reading: inout Reading) -> DropReason? {
    if let reason = noteFragment(offset: offset, more: more, into: &reading) { return reason }
    return offset == 0 ? readChain(frame, into: &reading) : nil
}

/// Reads the extension headers of either family, and what they lead to if that is a first fragment. This must hold its whole chain and
/// transport header: what is missing could come in a second copy, and the host would see another port or flag than we did (RFC 1858,
/// RFC 3128; RFC 7112 for the chain).
@_noLocks @inline(never)
func readChain(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    var reason: DropReason?
    if isExtensionHeader(reading.protocolNumber.rawValue, overIPv4: reading.isIPv4) {
        reason = readExtensions(frame, into: &reading)
    }
    guard case .fragment = reading.kind else { return reason }
    if reason == nil, reading.fragmentOffset == 0 { reason = readTransport(frame, into: &reading) }
    guard let reason, reason.number == DropReason.truncated.number else { return reason }
    return .tinyFragment
}
