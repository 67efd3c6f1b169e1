// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// Random numbers that a seed repeats (SplitMix64), so that a failure that prints the seed can be had again.
public struct Seeded: RandomNumberGenerator, Sendable {
    /// How far the numbers have come.
    public var state: UInt64

    /// The numbers that follow from a seed.
    public init(_ seed: UInt64) { state = seed }

    /// A seed that is printed, so that a failure can be run again with `BULKHEAD_SEED`.
    public static func seed() -> UInt64 {
        let seed = ProcessInfo.processInfo.environment["BULKHEAD_SEED"].flatMap(UInt64.init) ?? .random(in: 0...999_999)
        print("seed \(seed)")
        return seed
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    /// A number from 0 to before a bound.
    public mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
    /// Something that happens once in so many times.
    public mutating func happens(oneIn bound: Int) -> Bool { below(bound) == 0 }
    /// One of the items, of which there is one at least.
    public mutating func pick<Item>(_ items: [Item]) -> Item { items[below(items.count)] }
    /// One to so many of the items, in any order.
    public mutating func some<Item>(_ items: [Item], atMost: Int) -> [Item] {
        Array(items.shuffled(using: &self).prefix(1 + below(atMost)))
    }
}
