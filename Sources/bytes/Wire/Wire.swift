// SPDX-License-Identifier: Apache-2.0
public import Net

// From bytes to a reading, one file a protocol, in the order in which a frame is unwrapped:
//
//     Ethernet ─┬─ LLC ─── SNAP ─► an ether type again
//               ├─ ARP
//               ├─ LinkFrames: what runs a LAN without IP
//               ├─ IPv4 ── IPv4Options ─┬─ Fragment
//               └─ IPv6 ────────────────┴─ Extensions
//                                          └─ Transport ─┬─ TCP
//                                                        ├─ UDP ─── Services: DHCP, BFD, PTP, VXLAN, Geneve
//                                                        ├─ ICMP ── Neighbour, Listeners
//                                                        └─ SCTP, IGMP, IPsec, GRE, routing
//     then Martian, over what was read, and Tunnel where somebody asks for the packet inside.
//
// Each file names the header's fields, each where the one before it ends, and has one function that reads them. The functions pass
// on one borrowed span and put into the reading where their payload starts, because hot code may not make a span (a nested one
// would be a value that ends). `Reading.end` is the limit of every reader: it starts as the frame's, and each length on the way in
// moves it closer, never away. Every function is total: it compares before it subtracts, and whatever does not add up is a reason,
// never a trap. IPv4 and IPv6 meet in Fragment, Extensions and Transport, so that no rule of theirs exists twice.
//
// What most frames are (Ethernet II, IPv4 without options or IPv6 without extension headers, TCP or UDP) is read in line; the rest
// stands in functions out of line, so that it costs the others only the comparison that leads to it.
//
// Apart from all that stands TransportChecksum, with Checksum and CRC32C: it touches every byte of a packet, so that whoever wants to know
// asks for it by the reading. `docs/wire.md` says of each protocol what is checked.

/// Reads a frame as it was received, from the first byte of its Ethernet header, without its check sequence.
///
/// - Parameters:
///   - frame: all bytes of the frame, including padding behind the packet.
///   - reading: overwritten as a whole. All its offsets lie in the frame, in the order network, transport, payload, end.
/// - Returns: `nil` when the frame is readable; else why not, and `reading` holds what was read up to there, for counters and
///   records only. `DropReason.truncated` to `.martian` can come, except `.unknownEtherType` and `.fragment`: both are readable.
@_noLocks
public func read(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    reading.clear()
    // Offsets of a reading have 16 bits. No NIC hands over a longer frame.
    guard frame.byteCount <= Int(UInt16.max) else { return .truncated }
    return readFrame(frame, from: 0, to: frame.byteCount, into: &reading)
}

/// Reads an Ethernet frame that stands between two bytes: the whole one, or one in a tunnel.
@_noLocks @inline(__always)
func readFrame(_ frame: borrowing RawSpan, from start: Int, to end: Int, into reading: inout Reading) -> DropReason? {
    if let reason = readEthernet(frame, from: start, to: end, into: &reading) { return reason }
    // What has no tag stands where the header ends: said once more, so that the compiler need not ask the reading, and leaves out
    // the checks that follow from it.
    let behind = start &+ EthernetField.length
    let type = reading.etherType
    guard type == EtherType.ipv4 || type == EtherType.ipv6, Int(reading.networkOffset) == behind else {
        return readNetwork(frame, into: &reading)
    }
    let reason =
        type == EtherType.ipv4
        ? readIPv4(frame, from: behind, to: end, into: &reading) : readIPv6(frame, from: behind, to: end, into: &reading)
    return reason ?? readBehindIP(frame, into: &reading)
}

/// Reads what the ether type announces, between `networkOffset` and `end`.
@_noLocks @inline(never)
func readNetwork(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    // No `switch`: matching against a named constant is a generic call that hot code may not make in a debug build.
    let type = reading.etherType
    guard type == EtherType.ipv4 || type == EtherType.ipv6 else { return readLink(frame, into: &reading) }
    let (start, end) = (Int(reading.networkOffset), Int(reading.end))
    let reason =
        type == EtherType.ipv4
        ? readIPv4(frame, from: start, to: end, into: &reading) : readIPv6(frame, from: start, to: end, into: &reading)
    return reason ?? readBehindIP(frame, into: &reading)
}

/// Reads what the IP header announces, and looks at both addresses.
@_noLocks @inline(always)
private func readBehindIP(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    if case .packet = reading.kind, let reason = readTransport(frame, into: &reading) { return reason }
    if areOrdinary(reading.source, reading.destination) { return nil }
    return areExcused(reading) ? nil : .martian
}
