// SPDX-License-Identifier: Apache-2.0
internal import Net

/// Reads the transport between `transportOffset` and `end`, over either family.
@_noLocks @inline(always)
func readTransport(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    if reading.protocolNumber == .tcp { return readTCP(frame, into: &reading) }
    if reading.protocolNumber == .udp { return readUDP(frame, into: &reading) }
    return readOther(frame, into: &reading)
}

/// Reads all but TCP and UDP. A protocol that is not known here has no ports: policy judges it by its number.
@_noLocks @inline(never)
private func readOther(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let overIPv4 = reading.isIPv4
    let number = reading.protocolNumber.rawValue
    guard isOfFamily(number, overIPv4: overIPv4) else { return .unknownProtocol }
    if number == IPProtocol.icmp.rawValue || number == IPProtocol.icmp6.rawValue { return readICMP(frame, into: &reading) }
    if number == IPProtocol.sctp.rawValue { return readSCTP(frame, into: &reading) }
    // Of the others only a whole packet tells more than its protocol number.
    guard case .packet = reading.kind else { return nil }
    switch number {
    case 2: return readIGMP(frame, into: &reading)
    case 4, 41: return notePacketInside(frame, into: &reading)
    case 47: return readGRE(frame, into: &reading)
    case 50: return readSecurityPayload(frame, into: &reading)
    case 89: return readOSPF(frame, into: &reading)
    case 112: return readVRRP(frame, into: &reading)
    default: return nil
    }
}

/// Whether a family has the protocol. ICMP of the other one means nothing to any host and must not match a rule; over IPv4 the numbers
/// of extension headers (hop-by-hop, routing, fragment, none, destination options) announce nothing, and authentication was walked.
@_noLocks
func isOfFamily(_ number: UInt8, overIPv4: Bool) -> Bool {
    switch number {
    case 1, 2: overIPv4
    case 0, 43, 44, 58, 59, 60: !overIPv4
    default: true
    }
}
