// SPDX-License-Identifier: Apache-2.0

/// What is kept of a plain packet, see `readPlain` in Wire: of a TCP segment what its connection's windows are held against, of a UDP
/// datagram nothing.
@frozen public struct PlainPacket: BitwiseCopyable, Sendable {
    /// TCP: the sequence number behind the last byte.
    public var end: UInt32 = 0
    /// TCP: acknowledgement number; the segment has one.
    public var acknowledgement: UInt32 = 0
    /// TCP: the window as in the header, unscaled.
    public var window: UInt16 = 0
    /// TCP: the control bits: ACK, neither SYN, FIN nor RST. None of a datagram.
    public var flags = TCPFlags(rawValue: 0)

    /// Whether it is a UDP datagram.
    @inlinable @inline(always) public var isDatagram: Bool { @_noLocks get { flags.rawValue == 0 } }

    /// An empty one, to be filled by Wire.
    @_noLocks @inlinable public init() {}
}

/// What a worker asks of a packet before it takes it for plain.
@frozen public struct PlainTerms: BitwiseCopyable, Sendable {
    /// The pair's number, a part of every key.
    public let pair: UInt8
    /// Whether the transport's checksum is verified.
    public let verifiesChecksum: Bool
    /// Hardware addresses that no plain frame comes from or goes to: those of the pair's own ports.
    public let own: (first: UInt64, second: UInt64)

    /// The terms of a worker.
    @_noLocks @inlinable public init(pair: UInt8, verifiesChecksum: Bool, own: (first: UInt64, second: UInt64)) {
        self.pair = pair
        self.verifiesChecksum = verifiesChecksum
        self.own = own
    }
}

extension FlowKey4 {
    /// The key of a packet outside of tunnels between two different addresses, and the end that sent it. `ports` is
    /// `source << 16 | destination`, `vlans` a `VLANTags.word`.
    @_noLocks @inlinable @inline(__always)
    public static func plain(
        from source: UInt32, to destination: UInt32, ports: UInt32, _ number: IPProtocol, vlans: UInt32, pair: UInt8
    ) -> (key: FlowKey4, sender: FlowEnd) {
        let isLow = source < destination
        let key = FlowKey4(
            low: isLow ? source : destination, high: isLow ? destination : source,
            ports: isLow ? ports : ports << 16 | ports >> 16,
            vlans: vlans, tunnel: 0, context: plainContext(number, pair: pair))
        return (key, isLow ? .low : .high)
    }
}

extension FlowKey6 {
    /// As of IPv4.
    @_noLocks @inlinable @inline(__always)
    public static func plain(
        from source: Address, to destination: Address, ports: UInt32, _ number: IPProtocol, vlans: UInt32, pair: UInt8
    ) -> (key: FlowKey6, sender: FlowEnd) {
        // Who sends is as random as a coin: the ends change places under a mask, because a branch would be guessed wrong half of the time.
        let isLow = source < destination
        let mask: UInt64 = isLow ? 0 : .max
        let (high, low) = ((source.high ^ destination.high) & mask, (source.low ^ destination.low) & mask)
        let key = FlowKey6(
            low: Address(high: source.high ^ high, low: source.low ^ low),
            high: Address(high: destination.high ^ high, low: destination.low ^ low),
            ports: isLow ? ports : ports << 16 | ports >> 16, vlans: vlans, tunnel: 0, context: plainContext(number, pair: pair))
        return (key, isLow ? .low : .high)
    }
}

/// `contextWord` of a packet outside of tunnels.
@_noLocks @inlinable @inline(__always) func plainContext(_ number: IPProtocol, pair: UInt8) -> UInt32 {
    UInt32(number.rawValue) << 24 | UInt32(pair) << 16
}
