// SPDX-License-Identifier: Apache-2.0
import Net

extension FrameOutcome {
    /// Reasons that Wire never gives: what they name is readable, or is found by a later room.
    private static let foreign: Set<DropReason> = [.unknownEtherType]

    /// What is wrong with a reading of the bytes from `start` to `end`; `nil` when nothing is.
    static func flaw(in reason: DropReason?, _ reading: Reading, from start: Int, to end: Int) -> String? {
        if let reason {
            let isWires = reason.rawValue <= DropReason.martian.rawValue && !foreign.contains(reason)
            return isWires ? nil : "\(reason) is not Wire's to give"
        }
        let offsets = [reading.networkOffset, reading.transportOffset, reading.payloadOffset, reading.end].map { Int($0) }
        guard zip(offsets, offsets.dropFirst()).allSatisfy(<=), offsets[0] >= start, offsets[3] <= end else {
            return "offsets \(offsets) in \(start)..<\(end)"
        }
        guard reading.vlans.outer != 0 || reading.vlans.inner == 0 else { return "tags \(reading.vlans)" }
        guard reading.windowScale <= 14 || reading.windowScale == 255 else { return "window scale \(reading.windowScale)" }
        guard reading.tunnel.depth <= 2, reading.carried.depth <= 3 else { return "tunnel \(reading.tunnel), \(reading.carried)" }
        return switch reading.kind {
        case .packet, .fragment, .neighbour: packetFlaw(in: reading)
        case .arp: reading.isIPv4 && reading.link == .arp ? nil : "ARP of \(reading.source), \(reading.link)"
        case .link: reading.link == .none ? "a frame without IP that belongs to no row" : nil
        }
    }

    /// What is wrong with the reading of an IP packet.
    private static func packetFlaw(in reading: Reading) -> String? {
        let header = reading.isIPv4 ? 20 : 40
        guard reading.source.isIPv4 == reading.destination.isIPv4 else { return "two families" }
        guard Int(reading.transportOffset) - Int(reading.networkOffset) >= header else { return "a header that is too short" }
        // Who sends an echo of BFD sends it to itself (RFC 5881, 5).
        let isToItself = reading.source == reading.destination && reading.link != .bfd
        guard !reading.source.isMulticast, !reading.source.isBroadcast, !isToItself else {
            return "a martian, \(reading.source) to \(reading.destination)"
        }
        if reading.kind == .fragment {
            guard reading.marks.contains(.fragment) else { return "a fragment without its mark" }
            guard reading.end > reading.fragmentStart else { return "a fragment without a byte" }
            if reading.fragmentOffset != 0 { return nil }
        } else if reading.marks.contains(.fragment) {
            return "a mark of a fragment without the kind"
        }
        let transport = Int(reading.payloadOffset) - Int(reading.transportOffset)
        // The shortest messages of ICMPv6 end behind the checksum (RFC 4286).
        let least: [UInt8: Int] = [6: 20, 17: 8, 132: 12, 1: 8, 58: 4]
        if let least = least[reading.protocolNumber.rawValue], transport < least { return "a transport header of \(transport)" }
        return nil
    }

    /// What is wrong with the reading of a packet inside another; `nil` when nothing is.
    static func innerFlaw(in reason: DropReason?, _ inner: Reading, of outer: Reading) -> String? {
        // Of a frame without Ethernet the packet begins where the tunnel's header ends.
        if let flaw = flaw(in: reason, inner, from: Int(outer.payloadOffset), to: Int(outer.end)) { return "inside: \(flaw)" }
        guard reason == nil else { return nil }
        guard inner.tunnel == outer.carried, inner.tunnel.depth == outer.tunnel.depth + 1 else {
            return "inside: tunnel \(inner.tunnel) of \(outer.carried)"
        }
        return inner.vlans == outer.vlans ? nil : "inside: other VLANs"
    }

    /// Whether two readings say the same in every field.
    static func same(_ a: Reading, _ b: Reading) -> Bool {
        a.source == b.source && a.destination == b.destination && a.target == b.target
            && a.destinationMAC == b.destinationMAC && a.sourceMAC == b.sourceMAC && a.claimedMAC == b.claimedMAC
            && sameTransport(a, b) && a.identification == b.identification && a.fragmentOffset == b.fragmentOffset
            && a.tunnel == b.tunnel && a.carried == b.carried && a.vlans == b.vlans && a.etherType == b.etherType
            && a.networkOffset == b.networkOffset && a.transportOffset == b.transportOffset
            && a.payloadOffset == b.payloadOffset && a.end == b.end && a.hopLimit == b.hopLimit && a.kind == b.kind
            && a.link == b.link && a.marks == b.marks
    }

    private static func sameTransport(_ a: Reading, _ b: Reading) -> Bool {
        a.protocolNumber == b.protocolNumber && a.sourcePort == b.sourcePort && a.destinationPort == b.destinationPort
            && a.sequence == b.sequence && a.acknowledgement == b.acknowledgement && a.window == b.window
            && a.windowScale == b.windowScale && a.tcpFlags == b.tcpFlags && a.icmpType == b.icmpType && a.icmpCode == b.icmpCode
            && a.maximumSegment == b.maximumSegment && a.fragmentStart == b.fragmentStart
    }
}
