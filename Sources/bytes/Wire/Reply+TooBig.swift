// SPDX-License-Identifier: Apache-2.0
public import Net

// What the sender of a packet is told that does not fit through the port it would leave by: with that, path MTU discovery finds the way
// through this appliance as it does through a router (RFC 1191, RFC 8201). Written like any reply: as if the far end had sent it.

/// The least MTU that a host believes: RFC 8201, 4. What an IPv4 host makes of a small one is its own affair.
private var leastMTU6: UInt32 { @_noLocks get { 1280 } }

/// Bytes of a frame behind its Ethernet header and VLAN tags: what an interface's MTU is compared with.
@_noLocks
public func lengthBehindTags(_ frame: borrowing RawSpan) -> Int {
    frame.byteCount >= 14 ? frame.byteCount &- endOfTags(frame, before: frame.byteCount) &- 2 : 0
}

/// Writes "fragmentation needed" (RFC 1191, 4) or "packet too big" (RFC 4443, 3.2) to the sender of a packet that is longer than `mtu`
/// and must not be cut.
///
/// - Parameters:
///   - reading: what `read` made of the frame, not of a packet in a tunnel.
///   - frame: the frame's bytes, those that were read.
///   - mtu: the MTU of the port that the frame would leave by, in bytes.
///   - reply: as for `writeReply`.
/// - Returns: the bytes of the reply, at most as many as the frame has; 0 where there is nothing to say: the packet fits (what is too
///   long is padding), may be cut, or must not be answered, and over IPv6 where no host would believe the MTU.
@_noLocks
public func writeTooBig(
    to reading: borrowing Reading, frame: borrowing RawSpan, mtu: UInt32, into reply: inout MutableRawSpan
) -> Int {
    let overIPv4 = reading.isIPv4
    guard isSound(reading, in: frame.byteCount), isOneHosts(reading) else { return 0 }
    // Of errors nobody is told anything (RFC 1122, 3.2.2), else two could tell each other without end.
    guard reading.marks.rawValue & Reading.Marks.icmpError.rawValue == 0 else { return 0 }
    guard reading.marks.rawValue & Reading.Marks.dontFragment.rawValue != 0 else { return 0 }
    guard Int(reading.end) &- Int(reading.networkOffset) > Int(mtu), overIPv4 || mtu >= leastMTU6 else { return 0 }
    let words = ErrorWords(
        typeAndCode: overIPv4 ? 3 << 24 | 4 << 16 : 2 << 24, detail: overIPv4 ? UInt32(UInt16(clamping: mtu)) : mtu)
    let length = errorLength(reading)
    let network = writeLinkHeader(
        from: reading.destinationMAC, to: reading.sourceMAC, reading, frame, before: length, into: &reply)
    guard network > 0 else { return 0 }
    writeError(words, to: reading, frame, length: length, into: &reply, at: network)
    return padded(&reply, from: network &+ length, to: frame.byteCount)
}
