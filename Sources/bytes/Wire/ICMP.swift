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
    /// The shortest messages end behind the checksum.
    static var shortest: Int { identifier }
}

/// Reads an ICMP message of either family.
@_noLocks
func readICMP(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    let length = Int(reading.end) &- start
    guard length >= ICMPField.shortest else { return .truncated }
    let overIPv4 = reading.isIPv4
    let type = u8(frame, start &+ ICMPField.type)
    let code = u8(frame, start &+ ICMPField.code)
    let isShort = !overIPv4 && (type == 152 || type == 153)
    guard length >= ICMPField.length || isShort else { return .truncated }
    reading.icmpType = type
    reading.icmpCode = code
    reading.payloadOffset = UInt16(truncatingIfNeeded: start &+ (isShort ? ICMPField.shortest : ICMPField.length))
    // Of the shortest messages none is a request or a reply, so that their identifier is not asked for.
    pairICMP(identifier: isShort ? 0 : u16(frame, start &+ ICMPField.identifier), in: &reading)
    let isError = reading.marks.rawValue & Reading.Marks.icmpError.rawValue != 0
    // Never a fragment: Extensions has refused those.
    guard overIPv4 || !isNeighbourDiscovery(type) else { return readNeighbour(frame, into: &reading) }
    // A fragmented message ends elsewhere, but what it begins with is here or it is tiny.
    guard length >= (overIPv4 ? shortest4(type) : shortest6(type)) else { return reading.isCut ? .truncated : .badICMP }
    if isError { return quotesEnough(frame, reading) ? nil : .badICMP }
    return overIPv4 || reading.isCut || !isListenerDiscovery(type) ? nil : readListener(frame, into: &reading)
}

/// Gives a message of known type and code its ports, and marks replies and errors.
///
/// Ports stand for what makes request and reply one flow. A request has its identifier as source port, and type and code as
/// destination port; a reply has the two in each other's place, with the request's type. So a reply finds the flow of its request,
/// and two hosts that ping each other with the same identifier have two flows (one-way rules would pass both ways otherwise).
@_noLocks
func pairICMP(identifier: UInt16, in reading: inout Reading) {
    let overIPv4 = reading.isIPv4
    let (type, code) = (reading.icmpType, reading.icmpCode)
    let request = overIPv4 ? request4(answeredBy: type) : request6(answeredBy: type)
    if request != 0 {
        reading.mark(.icmpReply)
        reading.sourcePort = UInt16(request) << 8
        reading.destinationPort = identifier
    } else {
        let isRequest = overIPv4 ? isRequest4(type) : isRequest6(type)
        reading.sourcePort = isRequest ? identifier : 0
        reading.destinationPort = UInt16(type) << 8 | UInt16(code)
    }
    if overIPv4 ? isError4(type) : isError6(type) { reading.mark(.icmpError) }
}

/// The request that a reply answers, or 0: echo, timestamp, information, address mask (RFC 792, RFC 950), extended echo (RFC 8335).
@_noLocks
private func request4(answeredBy type: UInt8) -> UInt8 {
    switch type {
    case 0: 8
    case 14: 13
    case 16: 15
    case 18: 17
    case 43: 42
    default: 0
    }
}

@_noLocks
private func isRequest4(_ type: UInt8) -> Bool { type == 8 || type == 13 || type == 15 || type == 17 || type == 42 }

/// As for IPv4: echo (RFC 4443), extended echo (RFC 8335).
@_noLocks
private func request6(answeredBy type: UInt8) -> UInt8 { type == 129 ? 128 : type == 161 ? 160 : 0 }

@_noLocks
private func isRequest6(_ type: UInt8) -> Bool { type == 128 || type == 160 }

/// Messages that quote the packet that they complain of: unreachable, source quench, redirect, time exceeded, parameter problem (RFC 792).
@_noLocks
private func isError4(_ type: UInt8) -> Bool { type == 3 || type == 4 || type == 5 || type == 11 || type == 12 }

/// As for IPv4 (RFC 4443, 3.1 to 3.4); 0 is reserved and the other numbers below 128 would be errors that nobody defined.
@_noLocks
private func isError6(_ type: UInt8) -> Bool { type >= 1 && type <= 4 }

/// The length of a message's fixed part: timestamps have three more fields, an address mask one (RFC 792, RFC 950).
@_noLocks
private func shortest4(_ type: UInt8) -> Int {
    switch type {
    case 13, 14: 20
    case 17, 18: 12
    default: ICMPField.length
    }
}

/// As for IPv4: listener discovery names a group (RFC 2710), node information has a nonce (RFC 4620), and router discovery for groups is
/// the shortest of all (RFC 4286).
@_noLocks
private func shortest6(_ type: UInt8) -> Int {
    switch type {
    case 130, 131, 132: 24
    case 139, 140: 16
    case 152, 153: ICMPField.shortest
    default: ICMPField.length
    }
}

/// What an error must quote (RFC 792; RFC 4443, 2.4): the header of a packet of its own family and the first 8 bytes behind it, or all
/// of a packet that had less. Without them the error belongs to no flow.
@_noLocks
private func quotesEnough(_ frame: borrowing RawSpan, _ reading: borrowing Reading) -> Bool {
    let start = Int(reading.payloadOffset)
    let available = Int(reading.end) &- start
    let headerLength: Int
    let packetLength: Int
    if reading.isIPv4 {
        guard available >= 20, u8(frame, start) >> 4 == 4 else { return false }
        headerLength = Int(u8(frame, start) & 0x0f) &* 4
        packetLength = Int(u16(frame, start &+ 2))
    } else {
        guard available >= 40, u8(frame, start) >> 4 == 6 else { return false }
        headerLength = 40
        packetLength = 40 &+ Int(u16(frame, start &+ 4))
    }
    guard headerLength >= 20, headerLength <= packetLength else { return false }
    let part = packetLength &- headerLength
    return available >= headerLength &+ (part < 8 ? part : 8)
}
