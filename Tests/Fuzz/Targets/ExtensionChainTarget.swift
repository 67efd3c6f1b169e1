// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport

extension FuzzTarget {
    /// IPv6 extension chains: the input's first byte is the first next header, the rest is what follows the IPv6 header.
    static let extensionChain = FuzzTarget(
        "extension-chain", "as `frame`, and a chain that is read ends where an obvious walk over it does, within its limits",
        seeds: ExtensionChain.seeds, mutate: ExtensionChain.mutated, flaw: ExtensionChain.flaw)
}

private enum ExtensionChain {
    /// Next headers whose second byte is a length.
    static let headers: Set<UInt8> = [0, 43, 44, 51, 60, 135, 139, 140]

    /// The chains of the samples that have one.
    @Sendable static func seeds() -> [FuzzTarget.Seed] {
        Sample.all.compactMap { sample in
            let layers = sample.packet.layers
            guard let network = layers.firstIndex(where: { $0 is IPv6 }), network + 1 < layers.count,
                layers[..<network].allSatisfy({ $0 is Ethernet }), let first = layers[network + 1].protocolNumber,
                headers.contains(first)
            else { return nil }
            return (sample.name, [first] + sample.bytes.dropFirst(54))
        }
    }

    /// One header's field changed, or a header more in front of one.
    @Sendable static func mutated(_ input: [UInt8], _ random: inout PacketRandom) -> [UInt8] {
        guard input.count > 8 else { return seeds().randomElement(using: &random)?.bytes ?? [] }
        var chain = input
        let borders = [0] + walk(chain).borders + [chain.count]
        let header = Int.random(in: 0..<borders.count - 1, using: &random)
        if Int.random(in: 0..<4, using: &random) == 0, header > 0, borders[header] + 1 < chain.count {
            let number = headers.randomElement(using: &random) ?? 60
            // The new header leads where the one before it led, which leads to the new one.
            let pointer = header == 1 ? 0 : borders[header - 1]
            let body: [UInt8] = [chain[pointer], number == 51 ? 4 : 0, 1, 4, 0, 0, 0, 0]
            chain.insert(contentsOf: body + (number == 51 ? [UInt8](repeating: 7, count: 16) : []), at: borders[header])
            chain[pointer] = number
        } else {
            FieldChange.change(&chain, in: borders[header]..<borders[header + 1], &random)
        }
        FieldChange.changeTail(&chain, borders: borders, &random)
        return chain
    }

    @Sendable static func flaw(_ input: [UInt8]) -> String? {
        guard let first = input.first, input.count <= 9_000 else { return nil }
        let frame = (Ethernet() / IPv6(next: first) / Payload(Array(input.dropFirst()))).bytes
        if let flaw = FrameOutcome.flaw(of: frame) { return flaw }
        let outcome = FrameOutcome(of: frame)
        guard outcome.reason == nil else { return nil }
        let (borders, end, number) = walk(input)
        guard borders.count <= 9, end - 1 <= 256 else { return "a chain beyond its limits is read" }
        guard outcome.reading.protocolNumber.rawValue == number, Int(outcome.reading.transportOffset) == 54 - 1 + end else {
            return "read to \(outcome.reading.protocolNumber.rawValue) at \(outcome.reading.transportOffset), walked to \(number)"
        }
        return nil
    }

    /// The obvious walk: where each header begins, where the last one ends, and what follows there.
    static func walk(_ input: [UInt8]) -> (borders: [Int], end: Int, number: UInt8) {
        var (borders, offset, number) = ([1], 1, input[0])
        while headers.contains(number), offset + 8 <= input.count {
            let length =
                switch number {
                case 44: 8
                case 51: (Int(input[offset + 1]) + 2) * 4
                default: (Int(input[offset + 1]) + 1) * 8
                }
            guard offset + length <= input.count else { break }
            let next = input[offset]
            // What ends with such a message is that message.
            if next == 59, number == 135 || number == 139 { break }
            let isLater = number == 44 && (input[offset + 2] != 0 || input[offset + 3] & 0xf8 != 0)
            (offset, number) = (offset + length, next)
            borders.append(offset)
            if isLater { break }
        }
        return (borders, offset, number)
    }
}
