// SPDX-License-Identifier: Apache-2.0

/// A VXLAN header (RFC 7348); stands in a `UDP(to: 4789)`.
public struct VXLAN: PacketLayer {
    /// VXLAN network identifier, 24 bits.
    public var identifier: UInt32
    /// The flag byte; only I is set.
    public var flags: UInt8
    /// VXLAN-GPE's next protocol; reserved otherwise.
    public var nextProtocol: UInt8

    /// A header with its network identifier.
    public init(_ identifier: UInt32, flags: UInt8 = 8, nextProtocol: UInt8 = 0) {
        self.identifier = identifier
        self.flags = flags
        self.nextProtocol = nextProtocol
    }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        [flags, 0, 0, nextProtocol] + wire(identifier << 8) + payload
    }

    /// The layer in a word or two.
    public var description: String { "VXLAN(\(identifier))" }
}

/// A Geneve header (RFC 8926); stands in a `UDP(to: 6081)`.
public struct Geneve: PacketLayer {
    /// Virtual network identifier, 24 bits.
    public var identifier: UInt32
    /// The options, each with its header.
    public var options: [UInt8]
    /// The version.
    public var version: UInt8
    /// Length of the options in words of 4 bytes; `nil` for the right one.
    public var optionWords: UInt8?
    /// The protocol type; `nil` for the next layer's.
    public var type: UInt16?

    /// A header; what is not given is right.
    public init(_ identifier: UInt32, options: [UInt8] = [], version: UInt8 = 0, optionWords: UInt8? = nil, type: UInt16? = nil) {
        self.identifier = identifier
        self.options = options.paddedToWords
        self.version = version
        self.optionWords = optionWords
        self.type = type
    }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        let words = optionWords ?? UInt8(options.count / 4)
        return [version << 6 | words, 0] + wire(type ?? next?.etherType ?? 0) + wire(identifier << 8) + options + payload
    }

    /// The layer in a word or two.
    public var description: String { "Geneve(\(identifier))" }
}

/// A GRE header (RFC 2784, RFC 2890), or with version 1 that of PPTP (RFC 2637).
public struct GRE: PacketLayer {
    /// Whether the optional checksum is there; it is right.
    public var hasChecksum: Bool
    /// Key and sequence number; `nil` where the header lacks them.
    public var key, sequence: UInt32?
    /// Other bits of the first two bytes: the routing bit, the version.
    public var bits: UInt16
    /// The protocol type; `nil` for the next layer's.
    public var type: UInt16?

    /// A header; what is not given is left out.
    public init(hasChecksum: Bool = false, key: UInt32? = nil, sequence: UInt32? = nil, bits: UInt16 = 0, type: UInt16? = nil) {
        self.hasChecksum = hasChecksum
        self.key = key
        self.sequence = sequence
        self.bits = bits
        self.type = type
    }

    /// PPTP's header around so many bytes of PPP for a call.
    public static func pptp(call: UInt16, carrying count: Int) -> GRE {
        GRE(key: UInt32(count) << 16 | UInt32(call), sequence: 1, bits: 1, type: 0x880b)
    }

    /// What announces it to IP.
    public var protocolNumber: UInt8? { 47 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        let present: UInt16 = (hasChecksum ? 0x8000 : 0) | (key == nil ? 0 : 0x2000) | (sequence == nil ? 0 : 0x1000)
        var packet = wire(present | bits) + wire(type ?? next?.etherType ?? 0) + (hasChecksum ? [0, 0, 0, 0] : [])
        packet += (key.map { wire($0) } ?? []) + (sequence.map { wire($0) } ?? []) + payload
        if hasChecksum { packet.write(internetChecksum(packet), at: 4) }
        return packet
    }

    /// The layer in a word or two.
    public var description: String { "GRE(\(key.map { String($0) } ?? ""))" }
}
