// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The IPv6 header (RFC 8200, 3).
private enum IPv6Field {
    static var versionClassAndLabel: Int { 0 }
    static var payloadLength: Int { versionClassAndLabel + 4 }
    static var nextHeader: Int { payloadLength + 2 }
    static var hopLimit: Int { nextHeader + 1 }
    static var source: Int { hopLimit + 1 }
    static var destination: Int { source + 16 }
    static var length: Int { destination + 16 }
}

/// Reads the IPv6 header. A payload length of 0 is a packet that ends here, if the next header says so too; else it would be a
/// jumbogram (RFC 2675), and is refused.
@_noLocks @inline(always)
func readIPv6(_ frame: borrowing RawSpan, from start: Int, to end: Int, into reading: inout Reading) -> DropReason? {
    let available = end &- start
    guard available >= IPv6Field.length else { return .truncated }
    let payloadLength = Int(u16(frame, start &+ IPv6Field.payloadLength))
    guard u8(frame, start) >> 4 == 6, payloadLength <= available &- IPv6Field.length else { return .badLength }

    reading.kind = .packet
    reading.source = address(frame, start &+ IPv6Field.source)
    reading.destination = address(frame, start &+ IPv6Field.destination)
    // First of all: a mapped address would make the rest of the path take the packet for IPv4.
    guard !reading.source.isIPv4, !reading.destination.isIPv4 else { return .martian }
    let next = u8(frame, start &+ IPv6Field.nextHeader)
    guard payloadLength > 0 || next == ExtensionHeader.none else { return .badLength }
    reading.hopLimit = u8(frame, start &+ IPv6Field.hopLimit)
    reading.protocolNumber = IPProtocol(rawValue: next)
    reading.leave(at: start &+ IPv6Field.length)
    reading.end = UInt16(truncatingIfNeeded: start &+ IPv6Field.length &+ payloadLength)
    reading.mark(.dontFragment)
    if reading.destination.isMulticast { reading.mark(.group) }
    if next == IPProtocol.tcp.rawValue || next == IPProtocol.udp.rawValue { return nil }
    guard isExtensionHeader(next, overIPv4: false) else { return nil }
    return readChain(frame, into: &reading)
}
