// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lab

/// What a sink or a meter says at its end, or in between.
struct LabReport: Encodable {
    /// Frames of the measured time, in a second.
    var framesPerSecond: Double
    /// Bits of those frames without FCS, in a second.
    var bitsPerSecond: Double
    /// The measured time.
    var seconds: Double
    /// Since the beginning; only at the end.
    var frames, bytes, numbered, foreign, lost, reordered, duplicated, corrupt: UInt64?
    /// How old frames were, or how long a round trip took.
    var ages: Ages?
    /// What was sent meanwhile.
    var sent: Sent?

    enum CodingKeys: String, CodingKey {
        case framesPerSecond = "frames_per_second", bitsPerSecond = "bits_per_second", seconds
        case frames, bytes, numbered, foreign, lost, reordered, duplicated, corrupt, ages, sent
    }

    /// The rates of a time.
    init(window: Watch.Window) {
        seconds = window.seconds
        let measured = max(window.seconds, 1e-9)
        framesPerSecond = Double(window.frames) / measured
        bitsPerSecond = Double(window.bytes) * 8 / measured
    }

    /// Adds what came in all.
    mutating func total(_ arrived: Arrived, ages: Ages?) {
        (frames, bytes, numbered, foreign) = (arrived.frames, arrived.bytes, arrived.numbered, arrived.foreign)
        (lost, reordered, duplicated, corrupt) = (arrived.lost, arrived.reordered, arrived.duplicated, arrived.corrupt)
        self.ages = ages
    }

    /// For people, or one JSON document in a line.
    func text(json: Bool) throws -> String {
        if json { return try DaemonClient.encode(self) }
        var text = "\(Self.rate(framesPerSecond)) over \(Self.short(seconds)) s, \(Self.short(bitsPerSecond / 1e9)) Gb/s"
        if let frames, let numbered, let lost, let reordered, let duplicated, let corrupt {
            text += "; \(frames) frames in all, \(numbered) numbered: \(lost) lost, \(reordered) late, \(duplicated) twice, "
            text += "\(corrupt) cut"
        }
        if let ages {
            let shares = [50, 90, 99, 99.9].map { "p\(Self.short($0)) \(Self.short(Double(ages.percentile($0)) / 1e3))" }
            text += "\n\(shares.joined(separator: ", ")), max \(Self.short(Double(ages.greatest) / 1e3)) microseconds"
        }
        return text
    }

    /// A number with three decimals at most.
    static func short(_ value: Double) -> String {
        let text = String(format: "%.3f", value)
        return text.replacing(#/\.?0+$/#, with: "")
    }

    /// Frames in a second.
    static func rate(_ value: Double) -> String { "\(short(value / 1e6)) M frames/s" }
}
