// SPDX-License-Identifier: Apache-2.0
public import Record

extension StatusReport {
    /// How one worker fares. Times are in nanoseconds.
    public struct Worker: Codable, Hashable, Sendable {
        /// The port pair that it serves.
        public var pair: String
        /// Its number in the pair, which is that of its queues.
        public var queue: Int
        /// Turns that found something to do.
        public var turns: UInt64
        /// The longest of them since the counters were made, pauses that the worker did not choose included.
        public var longestTurn: UInt64
        /// The thread's CPU time, brought up to date every 256 turns; it begins anew with each data process.
        public var cpuTime: UInt64
        /// Frames passed to other workers of the pair.
        public var handedOver: UInt64
        /// Frames that other workers of the pair passed to it.
        public var takenOver: UInt64
        /// The processor that it is pinned to; `nil` where it is not.
        public var processor: Int?

        private enum CodingKeys: String, CodingKey {
            case pair, queue, turns, processor
            case longestTurn = "longest_turn"
            case cpuTime = "cpu_time"
            case handedOver = "handed_over"
            case takenOver = "taken_over"
        }

        /// A worker of a pair from what it counts.
        public init(pair: String, queue: Int, counters: WorkerCounters, processor: Int? = nil) {
            (self.pair, self.queue) = (pair, queue)
            (turns, longestTurn, cpuTime) = (counters.turns, counters.longestTurn, counters.cpuTime)
            (handedOver, takenOver) = (counters.handedOver, counters.takenOver)
            self.processor = processor
        }

        /// `worker 0 on processor 3: 812 turns, the longest 1.204 ms, 3.250 s of CPU time`.
        var line: String {
            "worker \(queue)\(processor.map { " on processor \($0)" } ?? ""): \(turns) turns, the longest \(Self.told(longestTurn / 1000)) ms, "
                + "\(Self.told(cpuTime / 1_000_000)) s of CPU time"
        }

        /// A number of thousandths.
        private static func told(_ thousandths: UInt64) -> String {
            let rest = String(thousandths % 1000)
            return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
        }
    }
}
