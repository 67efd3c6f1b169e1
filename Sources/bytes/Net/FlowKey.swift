// SPDX-License-Identifier: Apache-2.0

/// Which end of a flow's key sent a frame. A key is free of direction: its low end is the smaller (address, port).
@frozen public enum FlowEnd: UInt8, Sendable {
    /// The smaller end sent it.
    case low = 0
    /// The larger end sent it.
    case high = 1

    /// 0 for low, 1 for high.
    @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }
    /// The end that receives what this one sends.
    @inlinable public var other: FlowEnd { @_noLocks get { self == .low ? .high : .low } }
    /// Two ends are the same.
    @_noLocks @inlinable public static func == (a: FlowEnd, b: FlowEnd) -> Bool { a.number == b.number }
}

/// Random words that nobody outside the process knows; they key the hash of the flow table, so that an attacker cannot choose
/// tuples that collide. Part of the flow table's memory file, so that a new process finds what the old one stored.
public typealias HashSecret = InlineArray<16, UInt64>

/// What makes two frames belong to one connection, whichever way they go: both ends, the protocol, the port pair, the VLAN tags and
/// the tunnel. Ports and tags of a pair stand for its zones, which follow from them in either direction.
public protocol FlowKey: BitwiseCopyable, Sendable {
    /// The key of a reading that arrived on a port of the pair, and the end that sent it.
    static func make(of reading: borrowing Reading, pair: UInt8) -> (key: Self, sender: FlowEnd)
    /// Bit equality.
    static func same(_ a: borrowing Self, _ b: borrowing Self) -> Bool
    /// Keyed hash: strongly universal over the key's 32-bit words.
    func hash(_ secret: borrowing HashSecret) -> UInt64
    /// VLAN tags as `VLANTags.word`.
    var vlans: UInt32 { get }
    /// Tunnel identifier.
    var tunnel: UInt32 { get }
    /// `protocol << 24 | pair << 16 | tunnel kind << 8 | tunnel depth`.
    var context: UInt32 { get }
    /// The two ends as addresses and ports, low first.
    var ends: (low: (address: Address, port: UInt16), high: (address: Address, port: UInt16)) { get }
}

extension FlowKey {
    /// The protocol of both directions.
    @inlinable public var protocolNumber: IPProtocol { IPProtocol(rawValue: UInt8(truncatingIfNeeded: context >> 24)) }
}

/// Strongly universal hashing by multiplication: the sum of each 32-bit word times its own secret 64-bit word, of which the high
/// half is kept (Lemire and Kaser, "Strongly universal string hashing is fast", 2014). Two different keys that were chosen without
/// knowing the secret collide with probability 2⁻³². The last steps are a bijection of that half, so they keep the bound; they break
/// up the arithmetic progressions that dense keys make of it, and spread it over 64 bits.
@_noLocks @inlinable @inline(__always) func finish(_ sum: UInt64) -> UInt64 {
    var mixed = sum >> 32
    mixed ^= mixed >> 16
    mixed = mixed &* 0x9E37_79B9_7F4A_7C15
    mixed ^= mixed >> 32
    mixed = mixed &* 0xD6E8_FEB8_6659_FD93
    return mixed ^ mixed >> 32
}

/// The key of an IPv4 flow: 24 bytes.
@frozen public struct FlowKey4: FlowKey {
    /// Smaller address, host order.
    public var low: UInt32
    /// Larger address, host order.
    public var high: UInt32
    /// `low port << 16 | high port`.
    public var ports: UInt32
    /// VLAN tags as one word.
    public var vlans: UInt32
    /// Tunnel identifier.
    public var tunnel: UInt32
    /// `protocol << 24 | pair << 16 | tunnel kind << 8 | tunnel depth`.
    public var context: UInt32

    /// A key from its words; the caller has put the ends in order.
    @_noLocks @inlinable public init(low: UInt32, high: UInt32, ports: UInt32, vlans: UInt32, tunnel: UInt32, context: UInt32) {
        self.low = low
        self.high = high
        self.ports = ports
        self.vlans = vlans
        self.tunnel = tunnel
        self.context = context
    }

    /// The key of a reading on the given pair, and the end that sent it.
    @_noLocks @inlinable @inline(__always)
    public static func make(of reading: borrowing Reading, pair: UInt8) -> (key: FlowKey4, sender: FlowEnd) {
        let source = reading.source.v4
        let destination = reading.destination.v4
        let sourceIsLow = source != destination ? source < destination : reading.sourcePort <= reading.destinationPort
        let (from, to) = (UInt32(reading.sourcePort), UInt32(reading.destinationPort))
        let key = FlowKey4(
            low: sourceIsLow ? source : destination, high: sourceIsLow ? destination : source,
            ports: sourceIsLow ? from << 16 | to : to << 16 | from, vlans: reading.vlans.word,
            tunnel: reading.tunnel.identifier, context: contextWord(of: reading, pair: pair))
        return (key, sourceIsLow ? .low : .high)
    }

    /// Bit equality over all words.
    @_noLocks @inlinable @inline(__always) public static func same(_ a: borrowing FlowKey4, _ b: borrowing FlowKey4) -> Bool {
        let ends = joined(a.low, a.high) ^ joined(b.low, b.high)
        let places = joined(a.ports, a.vlans) ^ joined(b.ports, b.vlans)
        return ends | places | joined(a.tunnel, a.context) ^ joined(b.tunnel, b.context) == 0
    }

    /// Keyed hash over all 32-bit words of the key.
    @_noLocks @inlinable @inline(__always) public func hash(_ secret: borrowing HashSecret) -> UInt64 {
        var sum = secret[0] &+ secret[1] &* UInt64(low) &+ secret[2] &* UInt64(high)
        sum &+= secret[3] &* UInt64(ports) &+ secret[4] &* UInt64(vlans)
        sum &+= secret[5] &* UInt64(tunnel) &+ secret[6] &* UInt64(context)
        return finish(sum)
    }

    /// Both ends as addresses and ports, low first.
    @inlinable public var ends: (low: (address: Address, port: UInt16), high: (address: Address, port: UInt16)) {
        @_noLocks get {
            (
                (Address(v4: low), UInt16(truncatingIfNeeded: ports >> 16)),
                (Address(v4: high), UInt16(truncatingIfNeeded: ports))
            )
        }
    }
}

/// The key of an IPv6 flow: 48 bytes.
@frozen public struct FlowKey6: FlowKey {
    /// Smaller address.
    public var low: Address
    /// Larger address.
    public var high: Address
    /// `low port << 16 | high port`.
    public var ports: UInt32
    /// VLAN tags as one word.
    public var vlans: UInt32
    /// Tunnel identifier.
    public var tunnel: UInt32
    /// `protocol << 24 | pair << 16 | tunnel kind << 8 | tunnel depth`.
    public var context: UInt32

    /// A key from its words; the caller has put the ends in order.
    @_noLocks @inlinable public init(low: Address, high: Address, ports: UInt32, vlans: UInt32, tunnel: UInt32, context: UInt32) {
        self.low = low
        self.high = high
        self.ports = ports
        self.vlans = vlans
        self.tunnel = tunnel
        self.context = context
    }

    /// The key of a reading on the given pair, and the end that sent it.
    @_noLocks @inlinable @inline(__always)
    public static func make(of reading: borrowing Reading, pair: UInt8) -> (key: FlowKey6, sender: FlowEnd) {
        let (source, destination) = (reading.source, reading.destination)
        let sourceIsLow = source == destination ? reading.sourcePort <= reading.destinationPort : source < destination
        let (from, to) = (UInt32(reading.sourcePort), UInt32(reading.destinationPort))
        let key = FlowKey6(
            low: sourceIsLow ? source : destination, high: sourceIsLow ? destination : source,
            ports: sourceIsLow ? from << 16 | to : to << 16 | from, vlans: reading.vlans.word,
            tunnel: reading.tunnel.identifier, context: contextWord(of: reading, pair: pair))
        return (key, sourceIsLow ? .low : .high)
    }

    /// Bit equality over all words.
    @_noLocks @inlinable @inline(__always) public static func same(_ a: borrowing FlowKey6, _ b: borrowing FlowKey6) -> Bool {
        let lows = (a.low.high ^ b.low.high) | (a.low.low ^ b.low.low)
        let highs = (a.high.high ^ b.high.high) | (a.high.low ^ b.high.low)
        let places = joined(a.ports, a.vlans) ^ joined(b.ports, b.vlans)
        return lows | highs | places | joined(a.tunnel, a.context) ^ joined(b.tunnel, b.context) == 0
    }

    /// Keyed hash over all 32-bit words of the key.
    @_noLocks @inlinable @inline(__always) public func hash(_ secret: borrowing HashSecret) -> UInt64 {
        var sum = secret[0] &+ secret[1] &* (low.high >> 32) &+ secret[2] &* (low.high & 0xffff_ffff)
        sum &+= secret[3] &* (low.low >> 32) &+ secret[4] &* (low.low & 0xffff_ffff)
        sum &+= secret[5] &* (high.high >> 32) &+ secret[6] &* (high.high & 0xffff_ffff)
        sum &+= secret[7] &* (high.low >> 32) &+ secret[8] &* (high.low & 0xffff_ffff)
        sum &+= secret[9] &* UInt64(ports) &+ secret[10] &* UInt64(vlans)
        sum &+= secret[11] &* UInt64(tunnel) &+ secret[12] &* UInt64(context)
        return finish(sum)
    }

    /// Both ends as addresses and ports, low first.
    @inlinable public var ends: (low: (address: Address, port: UInt16), high: (address: Address, port: UInt16)) {
        @_noLocks get { ((low, UInt16(truncatingIfNeeded: ports >> 16)), (high, UInt16(truncatingIfNeeded: ports))) }
    }
}

/// Two words that lie side by side as one, which the compiler reads by one load.
@_noLocks @inlinable @inline(__always) func joined(_ first: UInt32, _ second: UInt32) -> UInt64 {
    UInt64(first) | UInt64(second) << 32
}

/// The word that both families share: what the packet is and where it was seen.
@_noLocks @inlinable @inline(__always) func contextWord(of reading: borrowing Reading, pair: UInt8) -> UInt32 {
    UInt32(reading.protocolNumber.rawValue) << 24 | UInt32(pair) << 16 | UInt32(reading.tunnel.kind.number) << 8
        | UInt32(reading.tunnel.depth)
}
