// SPDX-License-Identifier: Apache-2.0
public import Net

/// A frame written down the way it stands on the wire:
///
///     Ethernet() / VLAN(10) / IPv4(from: "10.0.0.1", to: "10.0.0.2", ttl: 64) / TCP(from: 40000, to: 443, [.syn]) / Payload("hello")
///
/// Lengths, checksums and the types that announce the next layer are computed, from the innermost layer outwards, unless a layer
/// was given one that is wrong on purpose.
public struct Packet: Sendable, CustomStringConvertible {
    /// The layers, outermost first.
    public var layers: [any PacketLayer]

    /// A packet of layers, outermost first.
    public init(_ layers: [any PacketLayer]) { self.layers = layers }

    /// The frame's bytes, without a check sequence.
    public var bytes: [UInt8] {
        let paddings = layers.reversed().prefix { $0 is Padding }.reversed()
        let headers = layers.dropLast(paddings.count)
        var frame: [UInt8] = []
        for index in headers.indices.reversed() {
            let network = headers[..<index].last { $0 is any NetworkLayer } as? any NetworkLayer
            let next = index + 1 < headers.endIndex ? headers[index + 1] : nil
            frame = headers[index].bytes(around: frame, next: next, network: network)
        }
        for padding in paddings { frame = padding.bytes(around: frame, next: nil, network: nil) }
        return frame
    }

    /// One line: the layers, then the bytes in hexadecimal.
    public var description: String {
        layers.map(\.description).joined(separator: " / ") + ": " + hexadecimal(bytes)
    }
}

/// One layer of a `Packet`.
public protocol PacketLayer: Sendable, CustomStringConvertible {
    /// What an Ethernet header or VLAN tag before this layer says about it; `nil` where it has no such number.
    var etherType: UInt16? { get }
    /// What an IP header before this layer says about it; `nil` where it has no such number.
    var protocolNumber: UInt8? { get }
    /// The layer's header with the given payload behind it. `network` is the IP header that the layer is in.
    func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8]
}

/// IPv4 or IPv6, whose addresses enter the checksums of what they carry.
public protocol NetworkLayer: PacketLayer {
    /// The source address.
    var source: Address { get }
    /// The destination address.
    var destination: Address { get }
}

extension PacketLayer {
    /// No ether type.
    public var etherType: UInt16? { nil }
    /// No protocol number.
    public var protocolNumber: UInt8? { nil }

    /// Two layers, the second in the first.
    public static func / (outer: Self, inner: some PacketLayer) -> Packet { Packet([outer, inner]) }
    /// A layer around a packet.
    public static func / (outer: Self, inner: Packet) -> Packet { Packet([outer] + inner.layers) }
}

extension Packet {
    /// The packet with one more layer inside.
    public static func / (outer: Packet, inner: some PacketLayer) -> Packet { Packet(outer.layers + [inner]) }
    /// The packet with another inside, as in a tunnel or an ICMP error.
    public static func / (outer: Packet, inner: Packet) -> Packet { Packet(outer.layers + inner.layers) }
}

/// Bytes in hexadecimal, without separators.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
