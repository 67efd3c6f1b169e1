// SPDX-License-Identifier: Apache-2.0
import Net
public import TestSupport

/// Frames that are almost right: a sample, by itself or in up to three tunnels, valid headers down to some depth, one field there with a
/// value that matters, and what comes behind it cut, padded or left. Blind changes rarely get past the first length or checksum; these
/// do, because the sums of IPv4 headers are made right again.
public struct FrameGrammar: Sendable {
    /// A sample with the places of its layers.
    struct Blueprint: Sendable {
        let bytes: [UInt8]
        /// The first byte of each layer, outermost first, and the end of the last.
        let borders: [Int]

        init(_ packet: Packet) {
            let layers = packet.layers.filter { !($0 is Padding) }
            // Layers put their headers in front, so that a packet's tail is as long as the layers that make it.
            let tails = layers.indices.map { Packet(Array(layers[$0...])).bytes.count }
            let whole = tails.first ?? 0
            bytes = packet.bytes
            borders = tails.map { whole - $0 } + [whole]
        }
    }

    let blueprints: [Blueprint]

    /// The grammar of all samples, each also in one tunnel of each kind, and some in two and three.
    public init() {
        let samples = Sample.all.map(\.packet)
        let once = samples.flatMap { sample in Self.tunnels.compactMap { Self.put(sample, into: $0) } }
        let twice = once.enumerated().compactMap { Self.put($1, into: Self.tunnels[$0 / 3 % Self.tunnels.count]) }
        let thrice = twice.enumerated().compactMap { Self.put($1, into: Self.tunnels[$0 / 5 % Self.tunnels.count]) }
        // The plain ones as often as all others together.
        let deep = twice.filter { $0.layers.count % 2 == 0 } + thrice.filter { $0.layers.count % 4 == 0 }
        let nested = (once + deep).map(Blueprint.init)
        let plain = samples.map(Blueprint.init)
        blueprints = nested + (0..<nested.count).map { plain[$0 % plain.count] }
    }

    /// Headers around an Ethernet frame or, where the last one is an IP header or GRE, around a packet.
    private static let tunnels: [Packet] = [
        Ethernet() / IPv4(from: "10.8.0.1", to: "10.8.0.2") / UDP(from: 49152, to: 4789) / VXLAN(9),
        Ethernet() / VLAN(8) / IPv6(from: "fd08::1", to: "fd08::2") / UDP(from: 49152, to: 6081) / Geneve(9),
        Ethernet() / IPv4(from: "10.8.0.1", to: "10.8.0.2") / GRE(key: 9),
        Packet([Ethernet(), IPv6(from: "fd08::1", to: "fd08::2")]),
    ]

    /// A packet in a tunnel; `nil` where the tunnel carries packets and this is none.
    private static func put(_ packet: Packet, into tunnel: Packet) -> Packet? {
        let carriesFrames = tunnel.layers.last is VXLAN || tunnel.layers.last is Geneve
        guard !carriesFrames else { return Packet(tunnel.layers + packet.layers) }
        guard let network = packet.layers.firstIndex(where: { $0 is any NetworkLayer }) else { return nil }
        return Packet(tunnel.layers + packet.layers[network...])
    }

    /// The next frame.
    public func frame(_ random: inout PacketRandom) -> [UInt8] {
        let blueprint = blueprints[Int.random(in: blueprints.indices, using: &random)]
        var frame = blueprint.bytes
        let changes = Int.random(in: 0..<16, using: &random) == 0 ? 2 : 1
        for _ in 0..<changes {
            let layer = Int.random(in: 0..<blueprint.borders.count - 1, using: &random)
            FieldChange.change(&frame, in: blueprint.borders[layer]..<blueprint.borders[layer + 1], &random)
        }
        FieldChange.changeTail(&frame, borders: blueprint.borders, &random)
        if Int.random(in: 0..<8, using: &random) != 0 { FieldChange.repairSums(&frame, at: blueprint.borders) }
        if Int.random(in: 0..<32, using: &random) == 0 { FieldChange.addTags(&frame, &random) }
        return frame
    }

    /// A frame made from another one, of which nothing is known but what Wire reads from it.
    public func frame(from other: [UInt8], _ random: inout PacketRandom) -> [UInt8] {
        var frame = other
        let outcome = FrameOutcome(of: other)
        var borders = [0, 12]
        for reading in [outcome.reading] + outcome.inner.map(\.reading) {
            borders += [reading.networkOffset, reading.transportOffset, reading.payloadOffset, reading.end].map { Int($0) }
        }
        borders = Array(Set(borders).filter { $0 <= other.count }).sorted()
        guard borders.count > 1 else { return self.frame(&random) }
        let layer = Int.random(in: 0..<borders.count - 1, using: &random)
        FieldChange.change(&frame, in: borders[layer]..<borders[layer + 1], &random)
        FieldChange.changeTail(&frame, borders: borders, &random)
        FieldChange.repairSums(&frame, at: borders)
        return frame
    }
}
