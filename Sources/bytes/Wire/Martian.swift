// SPDX-License-Identifier: Apache-2.0
internal import Net

/// Whether the addresses are such that no honest host sends the packet (RFC 1812 5.3.7, RFC 4291 2.5 and 2.7). The same address at
/// both ends is one, whatever the ports: with the same ports it makes a host talk to itself ("LAND"), and no wire carries what a
/// host says to itself, but for a BFD echo, which is meant to come back (RFC 5881, 4).
@_noLocks
func isMartian(_ reading: borrowing Reading) -> Bool {
    let (source, destination) = (reading.source, reading.destination)
    if isUnspecified(destination) || isLoopback(destination) { return true }
    if source == destination {
        guard reading.link.number == LinkProtocol.bfd.number, reading.destinationPort == ServicePort.bfdEcho else { return true }
    }
    if isUnspecified(source) { return !mayLackSource(reading) }
    return !isPossibleSource(source)
}

/// Whether an address can be a host's on a wire.
@_noLocks
func isPossibleSource(_ address: Address) -> Bool {
    !(isUnspecified(address) || isLoopback(address) || address.isMulticast || address.isBroadcast)
}

/// `0.0.0.0` or `::`.
@_noLocks
func isUnspecified(_ address: Address) -> Bool {
    address.isIPv4 ? address.v4 == 0 : address.high | address.low == 0
}

/// `127.0.0.0/8` or `::1`.
@_noLocks
func isLoopback(_ address: Address) -> Bool {
    address.isIPv4 ? address.v4 >> 24 == 127 : address.high == 0 && address.low == 1
}

/// Messages that a host sends before it has an address: to the DHCP servers (RFC 2131, 4.1), to a group over IPv4 its group reports
/// (RFC 3376, 4.2.13; switches ask like that, RFC 4541, 2.1.1), and over IPv6 neighbour and router solicitation (RFC 4861) and its
/// listener reports (RFC 3590; types 131, 132, and 143 of RFC 3810).
@_noLocks
private func mayLackSource(_ reading: borrowing Reading) -> Bool {
    if case .fragment = reading.kind { return false }
    if reading.source.isIPv4 {
        if reading.link.number == LinkProtocol.igmp.number { return reading.destination.isMulticast }
        guard reading.protocolNumber == .udp, reading.sourcePort == 68, reading.destinationPort == 67 else { return false }
        return reading.destination.isBroadcast
    }
    guard reading.protocolNumber == .icmp6, reading.destination.isMulticast else { return false }
    switch reading.icmpType {
    case 131, 132, 133, 135, 143: return true
    default: return false
    }
}
