// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The UDP header (RFC 768).
enum UDPField {
    static var sourcePort: Int { @_noLocks get { 0 } }
    static var destinationPort: Int { @_noLocks get { sourcePort + 2 } }
    static var datagramLength: Int { @_noLocks get { destinationPort + 2 } }
    static var checksum: Int { @_noLocks get { datagramLength + 2 } }
    static var length: Int { @_noLocks get { checksum + 2 } }
}

/// Destination ports whose datagrams are looked into (IANA "Service Name and Transport Protocol Port Numbers").
enum ServicePort {
    static var dhcpServer: UInt16 { @_noLocks get { 67 } }
    static var dhcpClient: UInt16 { @_noLocks get { 68 } }
    static var ptpEvent: UInt16 { @_noLocks get { 319 } }
    static var ptpGeneral: UInt16 { @_noLocks get { 320 } }
    static var dhcp6Client: UInt16 { @_noLocks get { 546 } }
    static var dhcp6Server: UInt16 { @_noLocks get { 547 } }
    static var bfd: UInt16 { @_noLocks get { 3784 } }
    static var bfdEcho: UInt16 { @_noLocks get { 3785 } }
    static var bfdOverHops: UInt16 { @_noLocks get { 4784 } }
    static var vxlan: UInt16 { @_noLocks get { 4789 } }
    static var geneve: UInt16 { @_noLocks get { 6081 } }
}

/// Reads a UDP datagram. Its length may be smaller than the packet's, never larger; 0 would be a jumbogram (RFC 2675) and is
/// refused. Over IPv6 a datagram without a checksum is refused, except those of tunnels (RFC 8200, 8.1; RFC 6935).
@_noLocks @inline(always)
func readUDP(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    let available = Int(reading.end) &- start
    guard available >= UDPField.length else { return .truncated }
    let length = Int(u16(frame, start &+ UDPField.datagramLength))
    guard length >= UDPField.length, length <= available || reading.isCut else { return .badUDP }
    let port = u16(frame, start &+ UDPField.destinationPort)
    reading.sourcePort = u16(frame, start &+ UDPField.sourcePort)
    reading.destinationPort = port
    reading.payloadOffset = UInt16(truncatingIfNeeded: start &+ UDPField.length)
    guard reading.isIPv4 || u16(frame, start &+ UDPField.checksum) != 0 || port == ServicePort.vxlan || port == ServicePort.geneve
    else { return .badUDP }
    return isKnownService(port) ? readService(frame, until: start &+ length, into: &reading) : nil
}

@_noLocks @inlinable @inline(__always)
func isKnownService(_ port: UInt16) -> Bool {
    switch port {
    case 67, 68, 319, 320, 546, 547, 3784, 3785, 4784, 4789, 6081: true
    default: false
    }
}

/// Looks into a datagram for one of the known ports. What calls itself DHCP, PTP or a tunnel and is none, is refused: the ports are
/// theirs alone. The ports of BFD are nobody's by right, so what is no BFD there is a datagram that policy judges.
@_noLocks @inline(never)
private func readService(_ frame: borrowing RawSpan, until end: Int, into reading: inout Reading) -> DropReason? {
    guard case .packet = reading.kind else { return nil }
    let port = reading.destinationPort
    if port == ServicePort.vxlan { return readVXLAN(frame, until: end, into: &reading) }
    if port == ServicePort.geneve { return readGeneve(frame, until: end, into: &reading) }
    if port == ServicePort.dhcpServer || port == ServicePort.dhcpClient {
        return reading.isIPv4 ? readDHCP(frame, until: end, into: &reading) : nil
    }
    if port == ServicePort.dhcp6Server || port == ServicePort.dhcp6Client {
        return reading.isIPv4 ? nil : readDHCPv6(frame, until: end, into: &reading)
    }
    let start = Int(reading.payloadOffset)
    if port == ServicePort.ptpEvent || port == ServicePort.ptpGeneral {
        guard isPTP(frame, start, end &- start) else { return .badControl }
        reading.link = .ptp
    } else if isBFD(frame, until: end, reading) {
        reading.link = .bfd
    }
    return nil
}
