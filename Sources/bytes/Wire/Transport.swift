// SPDX-License-Identifier: Apache-2.0
internal import Net

/// Reads the transport between `transportOffset` and `end`, over either family.
@_noLocks
func readTransport(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    guard isRead(reading.protocolNumber, overIPv4: reading.isIPv4) else { return .unknownProtocol }
    if reading.protocolNumber == .tcp { return readTCP(frame, into: &reading) }
    if reading.protocolNumber == .udp { return readUDP(frame, into: &reading) }
    return readICMP(frame, into: &reading)
}

/// Whether a protocol is read over a family. ICMP of the other family means nothing to any host and must not match a rule.
@_noLocks
func isRead(_ number: IPProtocol, overIPv4: Bool) -> Bool {
    number == .tcp || number == .udp || number == (overIPv4 ? .icmp : .icmp6)
}
