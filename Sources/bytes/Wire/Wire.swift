// SPDX-License-Identifier: Apache-2.0
public import Net

// From bytes to a reading, one file a protocol, in the order in which a frame is unwrapped:
//
//     Ethernet ─┬─ ARP
//               ├─ IPv4 ─┬─ Fragment
//               └─ IPv6 ─┘
//                        └─ Transport ─┬─ TCP
//                                      ├─ UDP                    then: Martian, over what was read
//                                      └─ ICMP ─── Neighbour
//
// Each file names the header's fields, each where the one before it ends, and has one function that reads them. The functions pass
// on one borrowed span and put into the reading where their payload starts, because hot code may not make a span (a nested one
// would be a value that ends). Every function is total: it compares before it subtracts, and whatever does not add up is a reason,
// never a trap. IPv4 and IPv6 meet in Fragment and Transport, so that no rule of theirs exists twice.
//
// Not looked at: the checksums of TCP, UDP and ICMP, because a frame from the host's own stack carries only a part of them where
// the sender leaves the sum to its NIC (veth does), and headers inside tunnels.

/// Reads a frame as it was received, from the first byte of its Ethernet header, without its check sequence.
///
/// - Parameters:
///   - frame: all bytes of the frame, including padding behind the packet.
///   - reading: overwritten as a whole. All its offsets lie in the frame, in the order network, transport, payload, end.
/// - Returns: `nil` when the frame is readable; else why not, and `reading` holds what was read up to there, for counters and
///   records only. `DropReason.truncated` to `.martian` can come, except `.fragment`: a fragment is readable.
@_noLocks
public func read(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    reading = Reading()
    // Offsets of a reading have 16 bits. No NIC hands over a longer frame.
    guard frame.byteCount <= Int(UInt16.max) else { return .truncated }
    if let reason = readEthernet(frame, into: &reading) { return reason }
    // No `switch`: matching against a named constant is a generic call that hot code may not make in a debug build.
    let type = reading.etherType
    if type == EtherType.arp { return readARP(frame, into: &reading) }
    guard type == EtherType.ipv4 || type == EtherType.ipv6 else { return .unknownEtherType }
    let reason = type == EtherType.ipv4 ? readIPv4(frame, into: &reading) : readIPv6(frame, into: &reading)
    if let reason { return reason }
    if case .packet = reading.kind, let reason = readTransport(frame, into: &reading) { return reason }
    return isMartian(reading) ? .martian : nil
}
