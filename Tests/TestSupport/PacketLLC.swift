// SPDX-License-Identifier: Apache-2.0

/// What stands behind a length instead of an ether type (IEEE 802.3, 3.2.6).
public protocol LengthLayer: PacketLayer {}

/// The type or length field before a layer: a length before LLC, else the layer's ether type.
func typeOrLength(of next: (any PacketLayer)?, _ payload: [UInt8]) -> UInt16 {
    next is any LengthLayer ? UInt16(payload.count) : next?.etherType ?? 0
}

/// A logical link control header (IEEE 802.2).
public struct LLC: LengthLayer {
    /// Destination and source service access point, and the control byte.
    public var destination, source, control: UInt8

    /// A header; unnumbered information unless another control byte is given.
    public init(_ destination: UInt8, _ source: UInt8, control: UInt8 = 3) {
        self.destination = destination
        self.source = source
        self.control = control
    }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        [destination, source, control] + payload
    }

    /// The layer in a word or two.
    public var description: String { "LLC(\(destination), \(source))" }
}

/// A SNAP header with the LLC header that announces it (IEEE 802, 9.2; RFC 1042).
public struct SNAP: LengthLayer {
    /// The organisation code, 24 bits.
    public var organisation: UInt32
    /// The protocol; `nil` for the next layer's ether type.
    public var type: UInt16?

    /// A header; RFC 1042's unless another organisation is given.
    public init(_ organisation: UInt32 = 0, type: UInt16? = nil) {
        self.organisation = organisation
        self.type = type
    }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        [0xaa, 0xaa, 3] + wire(organisation).dropFirst() + wire(type ?? next?.etherType ?? 0) + payload
    }

    /// The layer in a word or two.
    public var description: String { "SNAP(\(organisation))" }
}
