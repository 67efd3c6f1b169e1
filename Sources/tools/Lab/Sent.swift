// SPDX-License-Identifier: Apache-2.0

/// What a generator has sent.
public struct Sent: Sendable, Encodable {
    /// Frames handed to the port; whether the port took them is not known here.
    public var frames: UInt64
    /// Their bytes, without FCS.
    public var bytes: UInt64
    /// From the program's first run to the end.
    public var seconds: Double
    /// Flows that were renewed.
    public var renewed: UInt64
    /// Frames that were given up, because the generator was late by more than a millisecond.
    public var missed: UInt64

    /// In a second.
    public var rate: Double { seconds > 0 ? Double(frames) / seconds : 0 }

    private enum CodingKeys: String, CodingKey {
        case frames, bytes, seconds, renewed, missed, rate = "frames_per_second"
    }

    /// With `frames_per_second`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        for (value, key) in [(frames, CodingKeys.frames), (bytes, .bytes), (renewed, .renewed), (missed, .missed)] {
            try container.encode(value, forKey: key)
        }
        for (value, key) in [(seconds, CodingKeys.seconds), (rate, .rate)] { try container.encode(value, forKey: key) }
    }
}
