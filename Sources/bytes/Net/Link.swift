// SPDX-License-Identifier: Apache-2.0

/// A 48-bit hardware address in the low bits of a number, most significant byte first on the wire.
@frozen public struct MACAddress: BitwiseCopyable, Hashable, Sendable, CustomStringConvertible {
    /// The 48 bits in host order; the top 16 are zero.
    public var bits: UInt64

    /// A hardware address from its 48 bits.
    @_noLocks @inlinable public init(bits: UInt64) { self.bits = bits & 0xffff_ffff_ffff }

    /// The group bit (IEEE 802, 8.2): multicast or broadcast.
    @inlinable public var isGroup: Bool { @_noLocks get { bits >> 40 & 1 == 1 } }

    /// ff:ff:ff:ff:ff:ff.
    @inlinable public var isBroadcast: Bool { @_noLocks get { bits == 0xffff_ffff_ffff } }

    /// Two are the same when their bits are.
    @_noLocks @inlinable public static func == (a: MACAddress, b: MACAddress) -> Bool { a.bits == b.bits }

    /// Six hexadecimal bytes with colons.
    public var description: String {
        (0..<6).map { index in
            let byte = UInt8(truncatingIfNeeded: bits >> UInt64(40 - 8 * index))
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined(separator: ":")
    }
}

/// The VLAN tags of a frame, at most two (IEEE 802.1Q, 802.1ad). VLAN 0 carries a priority and no VLAN: it equals untagged and is
/// not recorded. Bit 15 of a tag here says that it is present, bits 0 to 11 are the VLAN identifier.
@frozen public struct VLANTags: BitwiseCopyable, Hashable, Sendable {
    /// The outer tag, or the only one; 0 when untagged.
    public var outer: UInt16
    /// The inner tag of a double-tagged frame, else 0.
    public var inner: UInt16

    /// No tag.
    @_noLocks @inlinable public init() {
        outer = 0
        inner = 0
    }

    /// Both words as they are kept.
    @_noLocks @inlinable public init(outer: UInt16, inner: UInt16) {
        self.outer = outer
        self.inner = inner
    }

    /// The tags of the given VLAN identifiers, outermost first; 0 leaves none.
    public init(_ identifiers: UInt16...) {
        self.init()
        for identifier in identifiers where identifier != 0 { append(identifier) }
    }

    /// Adds the next inner VLAN identifier (1 to 4095); a third one is not kept: the reader has refused it by then.
    @_noLocks @inlinable public mutating func append(_ identifier: UInt16) {
        let tag = identifier & 0xfff | 0x8000
        if outer == 0 { outer = tag } else if inner == 0 { inner = tag }
    }

    /// How many tags are kept.
    @inlinable public var count: Int { @_noLocks get { (outer == 0 ? 0 : 1) &+ (inner == 0 ? 0 : 1) } }

    /// Both tags as one word, which is how keys compare them.
    @inlinable public var word: UInt32 { @_noLocks get { UInt32(outer) << 16 | UInt32(inner) } }

    /// The tags of a word, as `word` gave it.
    @_noLocks @inlinable public init(word: UInt32) {
        outer = UInt16(truncatingIfNeeded: word >> 16)
        inner = UInt16(truncatingIfNeeded: word)
    }

    /// The VLAN identifiers, outermost first.
    public var identifiers: [UInt16] { [outer, inner].filter { $0 != 0 }.map { $0 & 0xfff } }

    /// Two lists are the same when both tags are.
    @_noLocks @inlinable public static func == (a: VLANTags, b: VLANTags) -> Bool { a.outer == b.outer && a.inner == b.inner }
}

/// The tunnel that the headers of a reading were found in.
@frozen public struct Tunnel: BitwiseCopyable, Hashable, Sendable {
    /// What carries the inner frame or packet.
    @frozen public enum Kind: UInt8, Sendable, CaseIterable {
        /// No tunnel: the headers are the frame's own.
        case none = 0
        /// IPv4 in IPv4 (protocol 4, RFC 2003) or IPv6 in IPv4 (protocol 41, RFC 4213).
        case ipip
        /// Generic routing encapsulation (RFC 2784), with its key if it has one (RFC 2890).
        case gre
        /// VXLAN (RFC 7348).
        case vxlan
        /// Geneve (RFC 8926).
        case geneve

        /// The case's number. By hand, because a synthesised `rawValue` is closed to hot code of other modules; the cases are numbered
        /// from 0 in their order, which is how the compiler stores them, and a test pins it.
        @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }
    }
    /// The encapsulation.
    public var kind: Kind
    /// How many tunnels lie around the headers: 0 to 2.
    public var depth: UInt8
    /// VXLAN or Geneve network identifier, GRE key; 0 where there is none.
    public var identifier: UInt32

    /// A tunnel of the given kind.
    @_noLocks @inlinable public init(_ kind: Kind = .none, identifier: UInt32 = 0, depth: UInt8 = 0) {
        self.kind = kind
        self.identifier = identifier
        self.depth = depth
    }

    /// A tunnel from numbers that were kept; a kind that is none is no tunnel.
    @_noLocks @inlinable public init(kindNumber: UInt8, identifier: UInt32, depth: UInt8) {
        // The kinds are numbered from 0 to 4.
        kind = kindNumber <= Kind.geneve.number ? unsafe unsafeBitCast(kindNumber, to: Kind.self) : .none
        self.identifier = identifier
        self.depth = depth
    }
}
