// SPDX-License-Identifier: Apache-2.0
internal import CXDP

/// How old frames were when they came, as a histogram whose places are 1/128 of a power of two wide: a value is told to 0.8 %.
public struct Ages: Sendable, Encodable {
    /// How many frames were that old, by place.
    private let counts: [UInt64]

    init(_ counts: [UInt64]) { self.counts = counts }

    /// Frames in all.
    public var count: UInt64 { counts.reduce(0, &+) }

    /// The age that this share of the frames does not exceed, in nanoseconds: the upper end of its place. 0 where there are no frames.
    public func percentile(_ share: Double) -> UInt64 {
        let wanted = max(1, (Double(count) * share / 100).rounded(.up))
        var seen: UInt64 = 0
        for (place, number) in counts.enumerated() {
            seen &+= number
            if Double(seen) >= wanted { return Self.end(of: place) }
        }
        return 0
    }

    /// The greatest age, in nanoseconds.
    public var greatest: UInt64 { counts.lastIndex { $0 > 0 }.map(Self.end) ?? 0 }

    /// The largest age that falls into a place.
    static func end(of place: Int) -> UInt64 {
        let width = 1 << Int(CXDP_LAB_PLACES_BITS)
        if place < 2 * width { return UInt64(place) }
        let shift = place / width - 1
        return UInt64((place - shift * width + 1) << shift - 1)
    }

    private enum CodingKeys: String, CodingKey {
        case frames, p50 = "p50_ns", p90 = "p90_ns", p99 = "p99_ns", p999 = "p999_ns", greatest = "max_ns"
    }

    /// As percentiles in nanoseconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(count, forKey: .frames)
        for (share, key) in [(50.0, CodingKeys.p50), (90, .p90), (99, .p99), (99.9, .p999)] {
            try container.encode(percentile(share), forKey: key)
        }
        try container.encode(greatest, forKey: .greatest)
    }
}
