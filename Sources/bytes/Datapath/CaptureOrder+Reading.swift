// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Record

// What an order asks of a frame, by what was read of it. A field that could not be read cannot have what is asked for.

extension CaptureOrder {
    /// Whether a frame may be wanted. Of a fragment whose first one is not known yet the ports are asked later, see `wantsPorts`.
    @_noLocks
    func wants(_ reading: borrowing Reading) -> Bool {
        let isIP = reading.isOfIP
        var isARP = false
        if case .arp = reading.kind { isARP = true }
        let family = isIP || isARP ? (reading.isIPv4 ? Bits.v4 : Bits.v6) : Bits.other
        guard families & family != 0 else { return false }
        if blockCount > 0 { guard isIP || isARP, wants(reading.source, reading.destination) else { return false } }
        guard isIP else { return portCount == 0 && wantsAllProtocols }
        // Its first fragment's ports are not known yet.
        if isLaterFragment(reading) { return true }
        return wantsTransport(reading)
    }

    /// Whether a packet's transport is wanted: its protocol, and its ports where it has some.
    @_noLocks
    func wantsTransport(_ reading: borrowing Reading) -> Bool {
        guard wants(protocolNumber: reading.protocolNumber.rawValue) else { return false }
        guard portCount > 0 else { return true }
        guard reading.protocolNumber.hasPorts else { return false }
        return wants(port: reading.sourcePort, reading.destinationPort)
    }

    /// Whether what became of a frame is wanted.
    @_noLocks
    func wants(_ fate: CapturedFrame.Fate, because reason: UInt8) -> Bool {
        guard fates >> fate.number & 1 != 0 else { return false }
        return fate.number == CapturedFrame.Fate.forward.number || wants(reason: reason)
    }

    /// Bytes of a frame that are copied: all that fit, or its headers alone.
    @_noLocks
    func cut(_ length: UInt32, _ reading: borrowing Reading, isRead: Bool) -> UInt32 {
        let most = min(UInt32(snapLength), min(length, UInt32(truncatingIfNeeded: CaptureRingLayout.mostBytes)))
        return withPayload != 0 ? most : min(most, reading.headers(of: length, isRead: isRead))
    }

    @_noLocks
    private func isLaterFragment(_ reading: borrowing Reading) -> Bool {
        if case .fragment = reading.kind { return reading.fragmentOffset != 0 }
        return false
    }

    private var wantsAllProtocols: Bool {
        @_noLocks get { protocols[0] & protocols[1] & protocols[2] & protocols[3] == .max }
    }
}

extension Reading {
    /// Whether an IP header was read: both addresses are known.
    var isOfIP: Bool {
        @_noLocks get {
            if case .link = kind { return false }
            if case .arp = kind { return false }
            return source.high | source.low | destination.high | destination.low != 0
        }
    }

    /// Bytes of a frame before its payload. What networks say of themselves (ARP, neighbour discovery, the protocols of a LAN) has none; what
    /// carries other packets without our reading them (MPLS, PPPoE, MACsec, ether types that nobody knows) is all payload; an
    /// ICMP error's is behind the header that it quotes and the 8 bytes that follow, which hold the ports (RFC 792). Of a frame that
    /// could not be read it begins behind where the headers of a UDP datagram over IPv4 would end.
    @_noLocks
    func headers(of length: UInt32, isRead: Bool) -> UInt32 {
        if case .arp = kind { return length }
        if case .neighbour = kind { return length }
        guard isRead || (isOfIP && payloadOffset >= 42) else { return 42 }
        if case .link = kind { return link.carriesOthers ? UInt32(payloadOffset) : length }
        guard marks.rawValue & Marks.icmpError.rawValue != 0 else { return UInt32(payloadOffset) }
        return UInt32(payloadOffset) &+ (isIPv4 ? 28 : 48)
    }
}

extension LinkProtocol {
    /// Whether frames of the row may carry what hosts say to each other, of which nothing was read.
    fileprivate var carriesOthers: Bool {
        @_noLocks get {
            switch self {
            case .mpls, .pppoe, .macsec, .llc, .unknown, .linkLocal: true
            default: false
            }
        }
    }
}
