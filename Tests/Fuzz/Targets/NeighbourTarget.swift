// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport

extension FuzzTarget {
    /// The messages that claim addresses: the input's first byte chooses which, the rest is the message behind right headers.
    static let neighbour = FuzzTarget(
        "neighbour", "as `frame` for ARP, neighbour discovery and DHCP, and what a message is said to claim stands in it",
        seeds: NeighbourMessage.seeds, flaw: NeighbourMessage.flaw)
}

private enum NeighbourMessage {
    /// What comes before the message, by the input's first byte.
    static let headers: [Packet] = [
        Packet([Ethernet(to: "ff:ff:ff:ff:ff:ff", type: 0x0806)]),
        Ethernet(to: "33:33:00:00:00:01") / IPv6(from: "fe80::1", to: "ff02::1", hopLimit: 255, next: 58),
        Ethernet() / IPv4(from: "0.0.0.0", to: "255.255.255.255") / UDP(from: 68, to: 67),
        Ethernet() / IPv4() / UDP(from: 67, to: 68),
        Ethernet() / IPv6(from: "fe80::1", to: "ff02::1:2") / UDP(from: 546, to: 547),
        Ethernet() / IPv6(from: "fe80::2", to: "fe80::1") / UDP(from: 547, to: 546),
    ]

    /// Bytes of each row of `headers`.
    static let lengths = headers.map { $0.bytes.count }

    /// The samples that have such headers.
    @Sendable static func seeds() -> [FuzzTarget.Seed] {
        Sample.all.compactMap { sample in
            let outcome = FrameOutcome(of: sample.bytes)
            let row: Int
            switch outcome.reading.link {
            case .arp where outcome.reading.networkOffset == 14: row = 0
            case .neighbourDiscovery, .routerAdvertisement: row = 1
            case .dhcp where outcome.reading.isIPv4: row = outcome.reading.destinationPort == 67 ? 2 : 3
            case .dhcp: row = outcome.reading.destinationPort == 547 ? 4 : 5
            default: return nil
            }
            return (sample.name, [UInt8(row)] + sample.bytes.dropFirst(lengths[row]))
        }
    }

    @Sendable static func flaw(_ input: [UInt8]) -> String? {
        guard let first = input.first, input.count <= 9_000 else { return nil }
        let row = Int(first) % headers.count
        let message = Array(input.dropFirst())
        let frame = (headers[row] / Payload(message)).bytes
        if let flaw = FrameOutcome.flaw(of: frame) { return flaw }
        let outcome = FrameOutcome(of: frame)
        guard outcome.reason == nil, outcome.reading.claimedMAC.bits != 0 else { return nil }
        let claim = (0..<6).map { UInt8(truncatingIfNeeded: outcome.reading.claimedMAC.bits >> UInt64(40 - 8 * $0)) }
        // Where hardware addresses may stand: in ARP's sender field; in an option, behind its type and length.
        let places = row == 0 ? [8] : Array(stride(from: 10, to: max(10, message.count - 5), by: 8))
        let isThere = places.contains { $0 + 6 <= message.count && Array(message[$0..<$0 + 6]) == claim }
        return isThere || row > 1 ? nil : "a claim that nobody made: \(outcome.reading.claimedMAC)"
    }
}
