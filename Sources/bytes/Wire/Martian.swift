// SPDX-License-Identifier: Apache-2.0
internal import Net

/// Whether the addresses are such as most packets have. Two addresses, not the reading: a borrowed one would be copied for each frame.
@_noLocks @inline(__always)
func areOrdinary(_ source: Address, _ destination: Address) -> Bool {
    // Both are of one family. Of IPv4 the same questions as below, by 32 bits.
    if source.isIPv4 { return areOrdinary(source.v4, destination.v4) }
    guard isPossibleSource(source), !isNoNetwork(destination), !isLoopback(destination) else { return false }
    return !(source == destination)
}

@_noLocks @inline(__always)
private func areOrdinary(_ source: UInt32, _ destination: UInt32) -> Bool {
    let (from, to) = (source >> 24, destination >> 24)
    guard from != 0, from != 127, from >> 4 != 0xe, source != .max, to != 0, to != 127 else { return false }
    return source != destination
}

/// Whether addresses that are not ordinary have a reason; else no honest host sends the packet (RFC 1812 5.3.7, RFC 4291 2.5 and 2.7).
/// The same address at both ends has none, whatever the ports: with the same ports it makes a host talk to itself ("LAND"), and no
/// wire carries what a host says to itself, but for a BFD echo, which is meant to come back (RFC 5881, 4).
@_noLocks @inline(never)
func areExcused(_ reading: borrowing Reading) -> Bool {
    let (source, destination) = (reading.source, reading.destination)
    guard !isNoNetwork(destination), !isLoopback(destination) else { return false }
    if source.isUnspecified { return mayLackSource(reading) }
    guard isPossibleSource(source), source == destination, reading.link.number == LinkProtocol.bfd.number else { return false }
    return reading.destinationPort == ServicePort.bfdEcho
}

/// Whether an address can be a host's on a wire.
@_noLocks @inline(__always)
func isPossibleSource(_ address: Address) -> Bool {
    !(isNoNetwork(address) || isLoopback(address) || address.isMulticast || address.isBroadcast)
}

/// `0.0.0.0/8`, "this network" (RFC 1122, 3.2.1.3), or `::`.
@_noLocks
func isNoNetwork(_ address: Address) -> Bool {
    address.isIPv4 ? address.v4 >> 24 == 0 : address.high | address.low == 0
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
