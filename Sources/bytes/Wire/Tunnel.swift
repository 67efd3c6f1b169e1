// SPDX-License-Identifier: Apache-2.0
public import Net

// A packet that carries another is read like any, and says in `carried` what it carries. `readInner` takes one step inside. Both ask
// the same functions for the tunnel's header, so that they cannot disagree on it.

/// How deep headers are read: the same limit as for VLAN tags.
private var mostTunnels: UInt8 { 2 }

/// Whether packets of a protocol and destination port are read as tunnels.
@_noLocks
public func mayCarry(_ number: IPProtocol, _ port: UInt16) -> Bool {
    switch number.rawValue {
    case 4, 41, 47: true
    case 17: port == ServicePort.vxlan || port == ServicePort.geneve
    default: false
    }
}

/// Notes a tunnel of the packet at hand, one deeper than its own headers.
@_noLocks
func noteTunnel(_ kind: Tunnel.Kind, identifier: UInt32, into reading: inout Reading) {
    reading.carried = Tunnel(kind, identifier: identifier, depth: reading.tunnel.depth &+ 1)
}

/// Notes a packet that stands right behind an IP header: protocol 4 (RFC 2003, RFC 2473) or 41 (RFC 4213). It must begin like one.
@_noLocks
func notePacketInside(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    let isIPv4 = reading.protocolNumber.rawValue == 4
    guard Int(reading.end) &- start >= (isIPv4 ? 20 : 40) else { return .truncated }
    guard u8(frame, start) >> 4 == (isIPv4 ? 4 : 6) else { return .badTunnel }
    noteTunnel(.ipip, identifier: 0, into: &reading)
    return nil
}

/// Reads what a packet carries in its tunnel, one step in: the whole frame or packet inside, as `read` would, between the tunnel's header
/// and the end of the packet around it. Offsets count from the first byte of the same frame.
///
/// - Parameters:
///   - frame: the frame that `outer` was read from.
///   - outer: a reading of kind `packet` whose `carried` names a tunnel.
///   - inner: overwritten as a whole; its `tunnel` is what `outer` carries, its VLAN tags are the frame's. Where the tunnel carries no
///     Ethernet, hardware addresses are the outer ones.
/// - Returns: `nil` when the inside is readable; else why not, as from `read`. `.badTunnel` for the third tunnel, and where `outer` carries
///   none.
@_noLocks @inline(never)
public func readInner(_ frame: borrowing RawSpan, of outer: Reading, into inner: inout Reading) -> DropReason? {
    inner = Reading()
    inner.vlans = outer.vlans
    inner.tunnel = outer.carried
    inner.sourceMAC = outer.sourceMAC
    inner.destinationMAC = outer.destinationMAC
    // A reading of another frame must not lead out of this one.
    guard Int(outer.end) <= frame.byteCount, outer.transportOffset <= outer.payloadOffset, outer.payloadOffset <= outer.end
    else { return .truncated }
    let kind = outer.carried.kind.number
    guard kind != Tunnel.Kind.none.number, outer.carried.depth <= mostTunnels else { return .badTunnel }
    var inside = Inside(offset: Int(outer.payloadOffset), end: Int(outer.end), type: EtherType.frame)
    if kind == Tunnel.Kind.ipip.number {
        inside.type = outer.protocolNumber.rawValue == 4 ? EtherType.ipv4 : EtherType.ipv6
    } else if kind == Tunnel.Kind.gre.number {
        inside = insideGRE(frame, outer)
    } else {
        inside = kind == Tunnel.Kind.vxlan.number ? insideVXLAN(frame, outer) : insideGeneve(frame, outer)
    }
    guard inside.offset <= inside.end, inside.end <= Int(outer.end) else { return .badTunnel }
    if inside.type == EtherType.frame { return readFrame(frame, from: inside.offset, to: inside.end, into: &inner) }
    guard inside.type >= EtherType.first else { return .badTunnel }
    inner.etherType = inside.type
    inner.networkOffset = UInt16(truncatingIfNeeded: inside.offset)
    inner.end = UInt16(truncatingIfNeeded: inside.end)
    return readNetwork(frame, into: &inner)
}

/// What lies inside a tunnel: from where to where, announced by which ether type. An end before the offset is a header that does not fit.
struct Inside: BitwiseCopyable {
    var offset: Int
    var end: Int
    var type: UInt16

    @_noLocks
    init(offset: Int, end: Int, type: UInt16) {
        self.offset = offset
        self.end = end
        self.type = type
    }

    /// A header that does not fit.
    static var none: Inside { @_noLocks get { Inside(offset: 0, end: -1, type: 0) } }
}
