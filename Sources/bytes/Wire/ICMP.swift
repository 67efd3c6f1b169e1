// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The header that ICMP (RFC 792) and ICMPv6 (RFC 4443, 2.1) share; the last four bytes are an echo's identifier and sequence number.
private enum ICMPField {
    static var type: Int { 0 }
    static var code: Int { type + 1 }
    static var checksum: Int { code + 1 }
    static var identifier: Int { checksum + 2 }
    static var sequence: Int { identifier + 2 }
    static var length: Int { sequence + 2 }
}

/// Message types by family.
private enum ICMPType {
    static var echoRequest4: UInt8 { 8 }
    static var echoReply4: UInt8 { 0 }
    static var echoRequest6: UInt8 { 128 }
    static var echoReply6: UInt8 { 129 }
}

/// Reads an ICMP message of either family.
///
/// Ports stand for what makes request and reply one flow. A request has its identifier as source port, and type and code as
/// destination port; a reply has the two in each other's place, with the request's type. So a reply finds the flow of its request,
/// and two hosts that ping each other with the same identifier have two flows (one-way rules would pass both ways otherwise).
@_noLocks
func readICMP(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    guard Int(reading.end) &- start >= ICMPField.length else { return .truncated }
    let overIPv4 = reading.isIPv4
    let type = u8(frame, start &+ ICMPField.type)
    let code = u8(frame, start &+ ICMPField.code)
    let identifier = u16(frame, start &+ ICMPField.identifier)
    let request = overIPv4 ? ICMPType.echoRequest4 : ICMPType.echoRequest6
    let reply = overIPv4 ? ICMPType.echoReply4 : ICMPType.echoReply6

    reading.icmpType = type
    reading.icmpCode = code
    reading.payloadOffset = UInt16(truncatingIfNeeded: start &+ ICMPField.length)
    if type == reply {
        reading.mark(MarkBit.icmpReply)
        reading.sourcePort = UInt16(request) << 8
        reading.destinationPort = identifier
        return nil
    }
    reading.sourcePort = type == request ? identifier : 0
    reading.destinationPort = UInt16(type) << 8 | UInt16(code)
    if isError(type, overIPv4: overIPv4) { reading.mark(MarkBit.icmpError) }
    guard !overIPv4, isNeighbourDiscovery(type) else { return nil }
    return readNeighbour(frame, into: &reading)
}

/// Whether a message quotes the packet that it complains of: RFC 792 for IPv4 (unreachable, source quench, redirect, time exceeded,
/// parameter problem), RFC 4443 3.1 to 3.4 for IPv6.
@_noLocks
private func isError(_ type: UInt8, overIPv4: Bool) -> Bool {
    overIPv4 ? type == 3 || type == 4 || type == 5 || type == 11 || type == 12 : type >= 1 && type <= 4
}
