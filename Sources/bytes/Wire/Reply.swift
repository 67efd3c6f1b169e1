// SPDX-License-Identifier: Apache-2.0
public import Net

// What a frame's sender is told: that it was rejected, by a TCP reset for a segment and "administratively prohibited" for everything
// else, or that it is longer than the way allows (`Reply+TooBig`). The reply looks as if the far end had sent it, so that hosts believe
// it and the sender's own filters let it in; nothing in it tells that somebody stands between.
//
// An answering machine can be turned against others: with a forged source it throws its replies at a victim. So a reply is never
// longer than what provoked it, goes out only while a `ReplyBudget` lasts, and is never written to what `isOneHosts` and
// `isAnswerable` list.
//
// The reply is written into memory of its own, not over its trigger: the quoted bytes would move over themselves. It leaves by the
// port that the trigger came in by. A connection that is reset because policy changed gets a second one, which goes the trigger's way.

/// The Ethernet header (IEEE 802.3, 3.1.1), and the shortest frame that a wire carries, without its check sequence.
private enum LinkField {
    static var destination: Int { 0 }
    static var source: Int { destination + 6 }
    static var type: Int { source + 6 }
    static var tagLength: Int { 4 }
    static var shortestFrame: Int { 60 }
}

/// Writes the reply to a frame that is to be rejected.
///
/// - Parameters:
///   - reading: what `read` made of the frame.
///   - frame: the frame's bytes, those that were read.
///   - reply: the memory for the reply, which must not be the frame's. As much as the frame has is always enough. Behind the reply
///     it is left as it was.
/// - Returns: the bytes of the reply, at most as many as the frame has; 0 where there is nothing to say, because the frame must not
///   be answered, or the shortest reply would be longer than it.
@_noLocks
public func writeReply(to reading: borrowing Reading, frame: borrowing RawSpan, into reply: inout MutableRawSpan) -> Int {
    guard isSound(reading, in: frame.byteCount), isAnswerable(reading) else { return 0 }
    let isTCP = reading.protocolNumber == .tcp
    let length = isTCP ? resetLength(reading) : errorLength(reading)
    let network = writeLinkHeader(
        from: reading.destinationMAC, to: reading.sourceMAC, reading, frame, before: length, into: &reply)
    guard network > 0 else { return 0 }
    if isTCP {
        writeReset(to: reading, into: &reply, at: network)
    } else {
        writeError(.prohibited(overIPv4: reading.isIPv4), to: reading, frame, length: length, into: &reply, at: network)
    }
    return padded(&reply, from: network &+ length, to: frame.byteCount)
}

/// Writes the reset that goes the same way as a TCP segment, in its sender's name, so that its receiver learns that the connection is
/// over. What may not be answered is not followed by one either.
///
/// - Parameters:
///   - reading: what `read` made of the segment.
///   - frame: the frame's bytes, those that were read.
///   - sequence: what its receiver expects next.
///   - reply: the memory for the reset, as for `writeReply`.
/// - Returns: the bytes of the reset, at most as many as the frame has; 0 where there is none to send.
@_noLocks
public func writeReset(
    behind reading: borrowing Reading, frame: borrowing RawSpan, sequence: UInt32, into reply: inout MutableRawSpan
) -> Int {
    guard isSound(reading, in: frame.byteCount), isAnswerable(reading), reading.protocolNumber == .tcp else { return 0 }
    let length = resetLength(reading)
    let network = writeLinkHeader(
        from: reading.sourceMAC, to: reading.destinationMAC, reading, frame, before: length, into: &reply)
    guard network > 0 else { return 0 }
    writeReset(behind: reading, sequence: sequence, into: &reply, at: network)
    return padded(&reply, from: network &+ length, to: frame.byteCount)
}

/// Writes the Ethernet header of a packet of `length` bytes, with the trigger's tags; says where the packet begins. 0, and nothing is
/// written, where the packet would be empty, longer than its trigger, or longer than the memory.
@_noLocks
func writeLinkHeader(
    from sender: MACAddress, to receiver: MACAddress, _ reading: borrowing Reading, _ frame: borrowing RawSpan,
    before length: Int, into reply: inout MutableRawSpan
) -> Int {
    let tagsEnd = endOfTags(frame, before: Int(reading.networkOffset))
    let network = tagsEnd &+ 2
    let packetLength = Int(reading.end) &- Int(reading.networkOffset)
    guard length > 0, length <= packetLength, network &+ length <= reply.byteCount else { return 0 }
    put(receiver, &reply, LinkField.destination)
    put(sender, &reply, LinkField.source)
    copy(frame, from: LinkField.type, to: tagsEnd, into: &reply, at: LinkField.type)
    put16(reading.isIPv4 ? EtherType.ipv4 : EtherType.ipv6, &reply, tagsEnd)
    return network
}

/// Whether a rejected frame may be answered (RFC 1122, 3.2.2; RFC 4443, 2.4 e; RFC 9293, 3.10.7.1). Never answered are what `isOneHosts`
/// rules out, a TCP reset, and any ICMP message but a request: two who answer each other's errors never end, and a reply that nobody
/// asked for is such an echo.
@_noLocks
func isAnswerable(_ reading: borrowing Reading) -> Bool {
    guard isOneHosts(reading) else { return false }
    if reading.protocolNumber == .tcp { return !isReset(reading) }
    guard reading.protocolNumber.isICMP else { return true }
    return isRequest(reading.icmpType, overIPv4: reading.isIPv4)
}

/// Whether a frame is one host's word to another, so that the one may be told something. None is what is no packet of its own (ARP,
/// neighbour discovery, later fragments, frames without IP), what runs the network (the table of layer 2: IGMP, DHCP, routing
/// protocols), what was found in a tunnel (the sender of the outer packet is somebody else), what was sent to more than one host on the
/// link or in IP, and what comes from an address that is not exactly one host's.
@_noLocks
func isOneHosts(_ reading: borrowing Reading) -> Bool {
    switch reading.kind {
    case .packet: break
    case .fragment: if reading.fragmentOffset != 0 { return false }
    case .arp, .neighbour, .link: return false
    }
    guard reading.link.number == 0, reading.tunnel.depth == 0 else { return false }
    guard !reading.destinationMAC.isGroup, !reading.sourceMAC.isGroup, reading.marks.rawValue & Reading.Marks.group.rawValue == 0
    else { return false }
    guard reading.source.isIPv4 == reading.destination.isIPv4, isOneHost(reading.source) else { return false }
    return isOneHost(reading.destination)
}

/// Whether an address names one host: RFC 1122 3.2.1.3 rules out net 0, loopback, groups, and the former class E with the limited
/// broadcast; RFC 4443 the unspecified address and groups.
@_noLocks
private func isOneHost(_ address: Address) -> Bool {
    guard isPossibleSource(address) else { return false }
    return !address.isIPv4 || (address.v4 >> 24 != 0 && address.v4 >> 28 != 0xf)
}

/// ICMP messages that ask for an answer: echo, timestamp, information and address mask (RFC 792, RFC 950); ICMPv6 echo and node
/// information (RFC 4443, RFC 4620). All others are errors, replies, or talk among routers.
@_noLocks
private func isRequest(_ type: UInt8, overIPv4: Bool) -> Bool {
    overIPv4 ? type == 8 || type == 13 || type == 15 || type == 17 : type == 128 || type == 139
}

/// Whether the reading's offsets lie in a frame of this length, in their order, with room for an Ethernet and an IP header: then no
/// load below can leave the frame, even if somebody passes the reading of another one.
@_noLocks
func isSound(_ reading: borrowing Reading, in frameLength: Int) -> Bool {
    let network = Int(reading.networkOffset)
    let transport = Int(reading.transportOffset)
    let shortest = ReplyHeader.length(overIPv4: reading.isIPv4)
    guard network >= LinkField.type &+ 2, transport &- network >= shortest else { return false }
    guard transport <= Int(reading.payloadOffset), reading.payloadOffset <= reading.end else { return false }
    return Int(reading.end) <= frameLength
}

/// Where the frame's VLAN tags end. They are kept as they stand, priority tags too: the reply must arrive where the trigger came
/// from. What lies between them and the packet is the ether type, or LLC and SNAP; the reply has the former, which every host
/// understands (RFC 1122, 2.3.3).
@_noLocks
func endOfTags(_ frame: borrowing RawSpan, before network: Int) -> Int {
    var offset = LinkField.type
    while network &- offset >= LinkField.tagLength &+ 2, EtherType.isTag(u16(frame, offset)) { offset &+= LinkField.tagLength }
    return offset
}

/// Fills a reply up with zeros to the shortest frame, as far as its trigger and the memory go; says where it ends then. Not every
/// driver pads, and of those that do, not every one clears what it pads with (CVE-2003-0001).
@_noLocks
func padded(_ reply: inout MutableRawSpan, from end: Int, to triggerLength: Int) -> Int {
    var end = end
    while end < LinkField.shortestFrame, end < triggerLength, end < reply.byteCount {
        put8(0, &reply, end)
        end &+= 1
    }
    return end
}
