// SPDX-License-Identifier: Apache-2.0
public import Net

/// An IPv6 Fragment header.
public struct Fragment: PacketLayer {
    /// Fragment offset in bytes.
    public var offset: Int
    /// Whether more fragments follow.
    public var more: Bool
    /// Identification.
    public var identification: UInt32
    /// The next header; `nil` for the next layer's.
    public var next: UInt8?

    /// A header; atomic unless an offset or `more` is given.
    public init(offset: Int = 0, more: Bool = false, identification: UInt32 = 1, next: UInt8? = nil) {
        self.offset = offset
        self.more = more
        self.identification = identification
        self.next = next
    }

    /// What announces it to IP.
    public var protocolNumber: UInt8? { 44 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next layer: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        [next ?? layer?.protocolNumber ?? 59, 0] + wire(UInt16(offset) & 0xfff8 | (more ? 1 : 0)) + wire(identification) + payload
    }

    /// The layer in a word or two.
    public var description: String { "Fragment(\(offset)\(more ? "+" : ""), \(identification))" }
}

/// Any other IPv6 extension header: next header, length in units of 8 bytes, and a body that is padded with zero bytes (which are Pad1
/// options where the body is a list of options).
public struct Extension: PacketLayer {
    /// Its own number.
    public var number: UInt8
    /// What follows next header and length.
    public var body: [UInt8]
    /// The length in units of 8 bytes behind the first 8; `nil` for the right one.
    public var length: UInt8?
    /// The next header; `nil` for the next layer's.
    public var next: UInt8?

    /// An extension header by its number, filled with padding options.
    public init(_ number: UInt8, body: [UInt8] = [1, 4, 0, 0, 0, 0], length: UInt8? = nil, next: UInt8? = nil) {
        self.number = number
        self.body = body + [UInt8](repeating: 0, count: (14 - body.count % 8) % 8)
        self.length = length
        self.next = next
    }

    /// Hop-by-hop options (RFC 8200, 4.3); padding unless options are given.
    public static func hopByHop(_ options: [UInt8] = [1, 4, 0, 0, 0, 0]) -> Extension { Extension(0, body: options) }

    /// Hop-by-hop options with a router alert (RFC 2711), as listener discovery sends it.
    public static func routerAlert() -> Extension { Extension(0, body: [5, 2, 0, 0, 1, 0]) }

    /// Destination options (RFC 8200, 4.6); padding unless options are given.
    public static func destination(_ options: [UInt8] = [1, 4, 0, 0, 0, 0]) -> Extension { Extension(60, body: options) }

    /// A routing header (RFC 8200, 4.4) with so many segments left of the given ones.
    public static func routing(type: UInt8, segmentsLeft: UInt8, _ segments: [Address] = ["fd00::99"]) -> Extension {
        Extension(43, body: [type, segmentsLeft, 0, 0, 0, 0] + segments.flatMap { wire($0) })
    }

    /// What announces it to IP.
    public var protocolNumber: UInt8? { number }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next layer: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        let number: UInt8 = next ?? layer?.protocolNumber ?? 59
        let units: UInt8 = length ?? UInt8(body.count / 8)
        return [number, units] + body + payload
    }

    /// The layer in a word or two.
    public var description: String { "Extension(\(number))" }
}

/// An authentication header (RFC 4302), over either family.
public struct Authentication: PacketLayer {
    /// Security parameters index.
    public var index: UInt32
    /// The check value; 12 bytes make the header's 24, a multiple of 8.
    public var checkValue: [UInt8]
    /// The length in units of 4 bytes, less 2; `nil` for the right one.
    public var length: UInt8?

    /// A header with a check value of zero bytes.
    public init(_ index: UInt32 = 0x1000, checkValue: [UInt8] = [UInt8](repeating: 0, count: 12), length: UInt8? = nil) {
        self.index = index
        self.checkValue = checkValue
        self.length = length
    }

    /// What announces it to IP.
    public var protocolNumber: UInt8? { 51 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        let words = length ?? UInt8(1 + checkValue.count / 4)
        return [next?.protocolNumber ?? 59, words, 0, 0] + wire(index) + wire(UInt32(1)) + checkValue + payload
    }

    /// The layer in a word or two.
    public var description: String { "Authentication(\(index))" }
}

/// An encapsulating security payload (RFC 4303); what it encrypts follows as `Payload`.
public struct ESP: PacketLayer {
    /// Security parameters index.
    public var index: UInt32

    /// A header with its index.
    public init(_ index: UInt32 = 0x1000) { self.index = index }

    /// What announces it to IP.
    public var protocolNumber: UInt8? { 50 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        wire(index) + wire(UInt32(1)) + payload
    }

    /// The layer in a word or two.
    public var description: String { "ESP(\(index))" }
}
