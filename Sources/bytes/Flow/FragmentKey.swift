// SPDX-License-Identifier: Apache-2.0
public import Net

/// What makes fragments parts of one datagram (RFC 791, 3.2; RFC 8200, 4.5): both addresses, the identification, over IPv4 the protocol,
/// and where they were seen: pair, port, VLAN tags, tunnel. 48 bytes.
///
/// The port is a part of it, because a datagram comes in by one side: else who sits on the other side could spoil it with a fragment of
/// its own. Over IPv6 the protocol is not, because only the first fragment's next header means anything there.
@frozen public struct FragmentKey: BitwiseCopyable, Sendable {
    /// Who sent the datagram.
    public var source: Address
    /// Whom it is for.
    public var destination: Address
    /// The sender's number for it; of 16 bits over IPv4.
    public var identification: UInt32
    /// VLAN tags as `VLANTags.word`.
    public var vlans: UInt32
    /// Tunnel identifier.
    public var tunnel: UInt32
    /// `protocol << 24 | pair << 16 | tunnel kind << 8 | port << 7 | tunnel depth`; the protocol is 0 over IPv6.
    public var context: UInt32

    /// The key of a fragment that came in by a port of a pair.
    @_noLocks public init(of reading: borrowing Reading, pair: UInt8, port: UInt8) {
        source = reading.source
        destination = reading.destination
        identification = reading.identification
        vlans = reading.vlans.word
        tunnel = reading.tunnel.identifier
        // A first fragment with an authentication header says what lies behind that; the others say authentication (51).
        let (offset, start, transport) = (reading.fragmentOffset, reading.fragmentStart, reading.transportOffset)
        let isBehindAuthentication = offset == 0 && transport != start
        let number: UInt8 = isBehindAuthentication ? 51 : reading.protocolNumber.rawValue
        context =
            (reading.isIPv4 ? UInt32(number) << 24 : 0) | UInt32(pair) << 16 | UInt32(reading.tunnel.kind.number) << 8
            | UInt32(port & 1) << 7 | UInt32(reading.tunnel.depth & 3)
    }

    /// Bit equality over all words.
    @_noLocks static func same(_ a: FragmentKey, _ b: FragmentKey) -> Bool {
        let sources = (a.source.high ^ b.source.high) | (a.source.low ^ b.source.low)
        let destinations = (a.destination.high ^ b.destination.high) | (a.destination.low ^ b.destination.low)
        let rest = (a.identification ^ b.identification) | (a.vlans ^ b.vlans) | (a.tunnel ^ b.tunnel) | (a.context ^ b.context)
        return sources | destinations | UInt64(rest) == 0
    }

    /// Keyed hash over all 32-bit words, as that of a flow's key. Bits 16 to 31 name the owner among workers; the table uses others.
    @_noLocks public func hash(_ secret: borrowing HashSecret) -> UInt64 {
        var sum = secret[0] &+ secret[1] &* (source.high >> 32) &+ secret[2] &* (source.high & 0xffff_ffff)
        sum &+= secret[3] &* (source.low >> 32) &+ secret[4] &* (source.low & 0xffff_ffff)
        sum &+= secret[5] &* (destination.high >> 32) &+ secret[6] &* (destination.high & 0xffff_ffff)
        sum &+= secret[7] &* (destination.low >> 32) &+ secret[8] &* (destination.low & 0xffff_ffff)
        sum &+= secret[9] &* UInt64(identification) &+ secret[10] &* UInt64(vlans)
        sum &+= secret[11] &* UInt64(tunnel) &+ secret[12] &* UInt64(context)
        return mixed(sum)
    }

    /// Keyed hash of who the limits for one source are counted for: an IPv4 address, or an IPv6 /64, of which one host has all.
    @_noLocks func sourceHash(_ secret: borrowing HashSecret) -> UInt64 {
        let word = source.isIPv4 ? source.low : source.high
        return mixed(secret[13] &+ secret[14] &* (word >> 32) &+ secret[15] &* (word & 0xffff_ffff))
    }
}

/// Spreads the upper half of a sum of products over 64 bits (see `FlowKey`).
@_noLocks private func mixed(_ sum: UInt64) -> UInt64 {
    var word = sum >> 32
    word ^= word >> 16
    word = word &* 0x9E37_79B9_7F4A_7C15
    word ^= word >> 32
    word = word &* 0xD6E8_FEB8_6659_FD93
    return word ^ word >> 32
}

/// A fragment: its datagram, and the piece of it that it carries.
@frozen public struct FragmentPiece: BitwiseCopyable, Sendable {
    /// Its datagram.
    public let key: FragmentKey
    /// First byte in the datagram; a multiple of 8.
    public let offset: Int
    /// One past its last byte; at most 65,535, and above `offset`.
    public let end: Int
    /// Whether more follow: then `end` is a multiple of 8.
    public let hasMore: Bool

    /// A fragment of a reading that Wire did not refuse, which is what the bounds above rest on.
    @_noLocks public init(of reading: borrowing Reading, pair: UInt8, port: UInt8) {
        self.init(
            key: FragmentKey(of: reading, pair: pair, port: port), offset: Int(reading.fragmentOffset),
            length: Int(reading.end) &- Int(reading.fragmentStart),
            hasMore: reading.marks.rawValue & Reading.Marks.moreFragments.rawValue != 0)
    }

    /// A fragment of `length` bytes. What Wire would have refused is brought into the bounds, so that no number leads out of a bitmap.
    @_noLocks public init(key: FragmentKey, offset: Int, length: Int, hasMore: Bool) {
        self.key = key
        self.offset = offset & 0xfff8
        let most = 0xffff &- self.offset
        end = self.offset &+ (length < 1 ? 1 : length > most ? most : length)
        self.hasMore = hasMore
    }
}
