// SPDX-License-Identifier: Apache-2.0
import TestSupport

/// A flow that found no place.
struct FillError: Error { let found: Int }

extension SweepBench {
    /// Opens all flows and lets them go on after an answer.
    func fill() throws {
        var first = 0
        while first < flowCount {
            let burst = first..<min(first + 64, flowCount)
            _ = pass(burst.map { frame(of: $0, isAnswer: false) }, port: 0)
            _ = pass(burst.map { frame(of: $0, isAnswer: true) }, port: 1)
            _ = pass(burst.map { frame(of: $0, isAnswer: false) }, port: 0)
            first += 64
            _ = takeRecords()
        }
        settleDown()
        guard used >= flowCount - flowCount / 100 else { throw FillError(found: used) }
    }

    private func settleDown() {
        repeat { _ = turn() } while !isQuiet
        _ = takeRecords()
    }

    /// All cases.
    func rows() throws -> [String] {
        var rows: [String] = []
        try publish(2)
        rows.append(idle("new generation, allowed"))
        pass(seconds: 60)
        try moveHost()
        rows.append(idle("new epoch, same classes"))
        rows.append(loaded("frames alone"))
        try publish(3)
        rows.append(loaded("frames during a new generation"))
        settleDown()
        try publish(4, SmallPolicy.denied)
        rows.append(idle("new generation, refused"))
        return rows
    }

    /// Turns without frames until all is done.
    private func idle(_ name: String) -> String {
        let count = used
        var lengths: [UInt64] = []
        var (records, total) = (0, UInt64(0))
        repeat {
            lengths.append(turn())
            total += lengths[lengths.count - 1]
            records += takeRecords()
        } while !isQuiet
        return row(
            name, lengths,
            extra: [
                ("flows", "\(count)"), ("left", "\(used)"), ("records", "\(records)"),
                ("total_ms", "\(Double(total / 10_000) / 100)"),
                ("flows_per_second", "\(UInt64(count) * 1_000_000_000 / max(total, 1))"),
            ])
    }

    /// A hundred thousand turns with a burst of 64 frames each, of flows that are cached and live.
    private func loaded(_ name: String) -> String {
        let bursts = (0..<16).map { number in (0..<64).map { frame(of: number * 64 + $0, isAnswer: false) } }
        let lengths = (0..<100_000).map { pass(bursts[$0 & 15], port: 0) }
        let records = takeRecords()
        return row(name, lengths, extra: [("still_sweeping", "\(!isQuiet)"), ("records", "\(records)")])
    }

    private func row(_ name: String, _ lengths: [UInt64], extra: [(String, String)]) -> String {
        let sorted = lengths.sorted()
        let figures = [
            ("turns", "\(sorted.count)"), ("turn_median_us", Self.micro(sorted[sorted.count / 2])),
            ("turn_p999_us", Self.micro(sorted[sorted.count * 999 / 1000])),
            ("turn_max_us", Self.micro(sorted[sorted.count - 1])),
        ]
        return "{\"case\": \"\(name)\", " + (figures + extra).map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
    }

    private static func micro(_ nanoseconds: UInt64) -> String { "\(Double(nanoseconds / 10) / 100)" }
}
