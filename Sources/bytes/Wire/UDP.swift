// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The UDP header (RFC 768).
private enum UDPField {
    static var sourcePort: Int { 0 }
    static var destinationPort: Int { sourcePort + 2 }
    static var datagramLength: Int { destinationPort + 2 }
    static var checksum: Int { datagramLength + 2 }
    static var length: Int { checksum + 2 }
}

/// Reads a UDP datagram. Its length may be smaller than the packet's, never larger; 0 would be a jumbogram (RFC 2675) and is
/// refused. Over IPv6 a datagram without a checksum is refused (RFC 8200, 8.1; the tunnels of RFC 6935 are not read).
@_noLocks
func readUDP(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    let available = Int(reading.end) &- start
    guard available >= UDPField.length else { return .truncated }
    let length = Int(u16(frame, start &+ UDPField.datagramLength))
    guard length >= UDPField.length, length <= available else { return .badUDP }
    guard reading.isIPv4 || u16(frame, start &+ UDPField.checksum) != 0 else { return .badUDP }

    reading.sourcePort = u16(frame, start &+ UDPField.sourcePort)
    reading.destinationPort = u16(frame, start &+ UDPField.destinationPort)
    reading.payloadOffset = UInt16(truncatingIfNeeded: start &+ UDPField.length)
    return nil
}
