// SPDX-License-Identifier: Apache-2.0
internal import Net

/// Fills in what IPv4 and IPv6 say of a fragment, in the same words; transport and payload offset both point at the fragmented part.
///
/// A fragment without a byte, one that would end behind the largest packet ("ping of death"), and a middle one whose end is not a
/// multiple of 8 (RFC 8200, 4.5) contradict themselves, so that no later room meets one. Whether it is too short to judge, or
/// overlaps another, is for the room that tracks fragments.
@_noLocks
func readFragment(offset: UInt16, more: Bool, identification: UInt32, into reading: inout Reading) -> DropReason? {
    reading.kind = .fragment
    reading.fragmentOffset = offset
    reading.identification = identification
    if more { reading.mark(MarkBit.moreFragments) }
    if more || offset != 0 { reading.mark(MarkBit.fragment) }
    guard isRead(reading.protocolNumber, overIPv4: reading.isIPv4) else { return .unknownProtocol }
    let length = Int(reading.end) &- Int(reading.transportOffset)
    guard length > 0, Int(offset) &+ length <= Int(UInt16.max), !more || length & 7 == 0 else { return .badLength }
    return nil
}
