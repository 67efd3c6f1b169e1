// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Wire

/// A frame that nobody has sent: what the first one of a connection looks like, or one from its middle. Lengths and checksums are right,
/// so that it reads as one from the wire would.
struct MadeFrame {
    /// What is around the packet, where it runs in a tunnel.
    struct Around {
        var tunnel: Tunnel
        var source: Address
        var destination: Address
    }

    var source: Address
    var destination: Address
    var sourceMAC = MACAddress(bits: 0x0200_0000_0001)
    var destinationMAC = MACAddress(bits: 0x0200_0000_0002)
    var vlans: [UInt16] = []
    var around: Around?
    /// Protocol and destination port, or ICMP type and code.
    var service: ServiceKey
    /// Of an ICMP request the identifier.
    var sourcePort: UInt16
    var flags = TCPFlags.syn
    var sequence: UInt32 = 1
    var acknowledgement: UInt32 = 0
    var window: UInt16 = 64_240
    /// SCTP: whether it is an INIT, and not a packet of an association.
    var opens = true

    private var number: IPProtocol { IPProtocol(rawValue: UInt8(truncatingIfNeeded: service.rawValue >> 16)) }
    private var port: UInt16 { UInt16(truncatingIfNeeded: service.rawValue) }

    /// The frame as it comes out of a NIC: padded to the least that Ethernet has, and without its check sequence.
    var bytes: [UInt8] {
        let frame = unpadded
        return frame + [UInt8](repeating: 0, count: max(0, 60 - frame.count))
    }

    private var unpadded: [UInt8] {
        let tags: [UInt8] = vlans.reduce(into: []) { $0 += [0x81, 0x00] + Self.big($1) }
        let packet = Self.packet(number, source, destination, hops: hops, transport)
        let inner = Self.summed(link(to: destination, tags: around == nil ? tags : [], packet, isIPv4: source.isIPv4))
        guard let around else { return inner }
        let carried = around.tunnel.isEthernet ? inner : Array(inner.dropFirst(14))
        let outer = Self.packet(
            around.tunnel.protocolNumber(isIPv4Inside: source.isIPv4), around.source, around.destination, hops: 64,
            around.tunnel.header(isIPv4Inside: source.isIPv4, length: carried.count) + carried)
        return Self.summed(link(to: around.destination, tags: tags, outer, isIPv4: around.source.isIPv4))
    }

    /// Neighbour discovery comes from the link itself (RFC 4861, 6.1.1).
    private var hops: UInt8 { number == .icmp6 && (133...137).contains(port >> 8) ? 255 : 64 }

    private func link(to address: Address, tags: [UInt8], _ packet: [UInt8], isIPv4: Bool) -> [UInt8] {
        let type: [UInt8] = isIPv4 ? [0x08, 0x00] : [0x86, 0xdd]
        return Self.big(address.groupMAC ?? destinationMAC) + Self.big(sourceMAC) + tags + type + packet
    }

    private static func packet(
        _ number: IPProtocol, _ source: Address, _ destination: Address, hops: UInt8, _ transport: [UInt8]
    ) -> [UInt8] {
        guard source.isIPv4 else {
            let head = [0x60, 0, 0, 0] + big(UInt16(truncatingIfNeeded: transport.count)) + [number.rawValue, hops]
            return head + big(source) + big(destination) + transport
        }
        var head =
            [0x45, 0] + big(UInt16(truncatingIfNeeded: 20 + transport.count)) + [0, 0, 0x40, 0, hops, number.rawValue, 0, 0]
        head += big(source) + big(destination)
        var sum = stride(from: 0, to: 20, by: 2).reduce(UInt32(0)) { $0 + UInt32(head[$1]) << 8 + UInt32(head[$1 + 1]) }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        head.replaceSubrange(10..<12, with: big(~UInt16(truncatingIfNeeded: sum)))
        return head + transport
    }

    /// The transport's header and what it needs behind it, without a checksum.
    private var transport: [UInt8] {
        let ports = Self.big(sourcePort) + Self.big(port)
        if number == .tcp {
            return ports + Self.big(sequence) + Self.big(acknowledgement) + [0x50, flags.rawValue] + Self.big(window) + [
                0, 0, 0, 0,
            ]
        }
        if number == .udp {
            let payload = datagram
            // Not 0, which says that there is no checksum.
            return ports + Self.big(UInt16(8 + payload.count)) + [0xff, 0xff] + payload
        }
        if number == .sctp {
            // INIT with a tag, a window and one stream each way (RFC 9260, 3.3.2); else a COOKIE ACK (3.3.12).
            let initiation: [UInt8] = [1, 0, 0, 20, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]
            return ports + Self.big(opens ? 0 : UInt32(1)) + [0, 0, 0, 0] + (opens ? initiation : [11, 0, 0, 4])
        }
        if number.isICMP { return Self.big(port) + [0, 0] + Self.big(sourcePort) + [0, 1] + [UInt8](repeating: 0, count: 32) }
        return otherTransport
    }

    /// What a datagram carries: as much of nothing as a reply to it needs room for, and to a tunnel's port a tunnel's header.
    private var datagram: [UInt8] {
        switch port {
        case 4789: Tunnel(.vxlan, identifier: 1).encapsulation(isIPv4Inside: true)
        case 6081: Tunnel(.geneve, identifier: 1).encapsulation(isIPv4Inside: true)
        default: [UInt8](repeating: 0, count: 32)
        }
    }

    private var otherTransport: [UInt8] {
        switch number.rawValue {
        case 4: Self.packet(IPProtocol(rawValue: 59), source, destination, hops: 64, [])
        case 41: [0x60] + [UInt8](repeating: 0, count: 39)
        case 47: Tunnel(.gre).encapsulation(isIPv4Inside: true)
        // A security payload has an index from 256 on, a sequence number, and a trailer (RFC 4303, 2).
        case 50: [0, 0, 1, 0, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
        default: [UInt8](repeating: 0, count: 8)
        }
    }

    /// The frame with the checksum of its transport, as Wire works it out.
    private static func summed(_ frame: [UInt8]) -> [UInt8] {
        var frame = frame
        var reading = Reading()
        _ = read(frame, into: &reading)
        let extent = PacketExtent(reading)
        // Bytes of this array, which lives as long as the calls.
        let checksum = unsafe frame.withUnsafeBytes { unsafe rightChecksum(of: extent, in: RawSpan(_unsafeBytes: $0), .shared) }
        unsafe frame.withUnsafeMutableBytes { bytes in
            var span = unsafe MutableRawSpan(_unsafeBytes: bytes)
            checksum?.write(into: &span)
        }
        return frame
    }

    static func big<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<(Number.bitWidth / 8)).map { UInt8(truncatingIfNeeded: number >> Number(Number.bitWidth - 8 - 8 * $0)) }
    }

    private static func big(_ address: Address) -> [UInt8] {
        address.isIPv4 ? big(address.v4) : big(address.high) + big(address.low)
    }

    private static func big(_ address: MACAddress) -> [UInt8] { Array(big(address.bits).dropFirst(2)) }
}

extension Address {
    /// The hardware address of a group's members (RFC 1112, 6.4; RFC 2464, 7); `nil` for one host's.
    fileprivate var groupMAC: MACAddress? {
        if isBroadcast { return MACAddress(bits: 0xffff_ffff_ffff) }
        guard isMulticast else { return nil }
        return MACAddress(bits: isIPv4 ? 0x0100_5e00_0000 | UInt64(v4 & 0x7f_ffff) : 0x3333_0000_0000 | low & 0xffff_ffff)
    }
}

extension Tunnel {
    /// Whether it carries whole frames.
    fileprivate var isEthernet: Bool { kind == .vxlan || kind == .geneve }

    fileprivate func protocolNumber(isIPv4Inside: Bool) -> IPProtocol {
        switch kind {
        case .ipip, .none: IPProtocol(rawValue: isIPv4Inside ? 4 : 41)
        case .gre: IPProtocol(rawValue: 47)
        case .vxlan, .geneve: .udp
        }
    }

    /// What stands between the outer IP header and what is carried, of so many bytes.
    fileprivate func header(isIPv4Inside: Bool, length: Int) -> [UInt8] {
        let own = encapsulation(isIPv4Inside: isIPv4Inside)
        guard isEthernet else { return own }
        let ports = MadeFrame.big(UInt16(49_152)) + MadeFrame.big(UInt16(kind == .vxlan ? 4789 : 6081))
        return ports + MadeFrame.big(UInt16(8 + own.count + length)) + [0xff, 0xff] + own
    }

    /// The tunnel's own header.
    fileprivate func encapsulation(isIPv4Inside: Bool) -> [UInt8] {
        let network = Array(MadeFrame.big(identifier << 8).dropLast())
        switch kind {
        case .none, .ipip: return []
        // With a key where there is one (RFC 2890, 2).
        case .gre:
            let type: [UInt8] = isIPv4Inside ? [0x08, 0x00] : [0x86, 0xdd]
            return identifier == 0 ? [0, 0] + type : [0x20, 0] + type + MadeFrame.big(identifier)
        case .vxlan: return [0x08, 0, 0, 0] + network + [0]
        case .geneve: return [0, 0, 0x65, 0x58] + network + [0]
        }
    }
}
