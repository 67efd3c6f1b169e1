// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// A run of `LoadTraffic` and what became of its frames: where those were lost that did not arrive, and whether the worker had its
/// processor meanwhile.
struct LoadRun {
    /// What was sent and what came.
    let traffic: LoadTraffic.Outcome
    /// Nanoseconds of the worker's thread for each frame.
    let cost: Double
    /// Milliseconds in all for which the worker could have run, and others had its processor: the kernel's threads and other programs,
    /// for nothing else of the daemon's may run there (`Placing`).
    let waited: Double
    /// Milliseconds that the frames were sent for, and the rate that was asked for.
    let (length, rate): (Double, Int)
    /// Milliseconds, in tens, that the hypervisor took from the worker's processor and from the generator's (proc(5), stat: steal).
    let stolen: Int
    /// Frames that the kernel had no room for at the port that they came in by.
    let atPort: Int
    /// Frames that workers dropped.
    let dropped: Int
    /// What whatever ran beside it says of itself.
    var notes: [String] = []

    /// Frames that were lost outside of the appliance: on the wires.
    var onWires: Int { traffic.lost - atPort - dropped }

    /// Whether other programs had the processors that the frames need: the worker waited for a hundredth of the time, or the generator did
    /// not keep its rate.
    var isCrowded: Bool { waited > length / 100 || traffic.offered < 0.98 * Double(rate) }

    /// In words.
    var summary: String {
        let places = traffic.lost == 0 ? "" : " (\(atPort) at the port, \(dropped) by the worker, \(onWires) on the wires)"
        return
            ([
                "\(traffic.sent) sent, \(traffic.lost) lost\(places)", "\(cost.short) ns of the worker a frame",
                "it waited \(waited.short) ms for its processor", "\(stolen) ms stolen",
            ] + notes).joined(separator: "; ")
    }

    /// Sends for a while, and looks at everything before and after.
    static func measure(_ traffic: LoadTraffic, rate: Int, seconds: Int, newShare: Double = 0) throws -> LoadRun {
        let before = try Counts(traffic.lab)
        let outcome = try traffic.send(rate: rate, seconds: seconds, newShare: newShare)
        let after = try Counts(traffic.lab)
        return LoadRun(
            traffic: outcome, cost: Double(after.ran - before.ran) / Double(max(1, outcome.sent - outcome.lost)),
            waited: Double(after.waited - before.waited) / 1e6, length: outcome.seconds * 1000, rate: rate,
            stolen: (after.stolen - before.stolen) * 10,
            atPort: Int(after.atPort - before.atPort), dropped: Int(after.dropped - before.dropped))
    }

    /// What is counted from the begin on.
    private struct Counts {
        let ran, waited, atPort, dropped: UInt64
        let stolen: Int

        init(_ lab: Lab) throws {
            // Keeper looks at the kernel's statistics five times a second.
            pause(0.3)
            let status = try lab.status()
            let times = try WorkerTimes(of: status.process("data").pid)
            (ran, waited) = (times.ran, times.waited)
            let port = try status.port("p0")
            atPort = port.queues.reduce(0) { $0 + ($1.kernel["rx_dropped"] ?? 0) + ($1.kernel["rx_ring_full"] ?? 0) }
            dropped = port.queues.reduce(0) { $0 + $1.allDropped }
            stolen = try Self.stolen(from: [0, LoadTraffic.last])
        }

        /// Ticks of 10 ms that the hypervisor has taken from these processors.
        private static func stolen(from processors: [Int]) throws -> Int {
            let names = Set(processors.map { "cpu\($0)" })
            return try String(contentsOfFile: "/proc/stat", encoding: .utf8).split(separator: "\n").reduce(0) { sum, line in
                let words = line.split(separator: " ")
                guard let name = words.first, names.contains(String(name)), words.count > 8 else { return sum }
                return sum + (Int(words[8]) ?? 0)
            }
        }
    }
}

/// Nanoseconds for which the workers of a data process have run, by the clock of their threads, which counts what they spend in the kernel
/// too, and for which they waited to. The clock ticks of `stat` are too coarse for a comparison.
struct WorkerTimes {
    let ran, waited: UInt64

    /// Those of a laboratory's daemon.
    init(_ lab: Lab) throws { try self.init(of: lab.status().process("data").pid) }

    init(of data: Int32) throws {
        let threads = "/proc/\(data)/task"
        var (ran, waited, workers): (UInt64, UInt64, Int) = (0, 0, 0)
        for thread in try FileManager.default.contentsOfDirectory(atPath: threads) {
            // Other threads come and go.
            let name = try? String(contentsOfFile: "\(threads)/\(thread)/comm", encoding: .utf8)
            guard let name, name.hasPrefix("worker-") else { continue }
            // proc(5), schedstat: time on a processor, time in the run queue, slices.
            let line = try String(contentsOfFile: "\(threads)/\(thread)/schedstat", encoding: .utf8)
            let numbers = line.split(whereSeparator: \.isWhitespace).compactMap { UInt64($0) }
            guard numbers.count == 3 else { throw Trouble("the time of \(name) cannot be read: \(line)") }
            (ran, waited, workers) = (ran + numbers[0], waited + numbers[1], workers + 1)
        }
        guard workers > 0 else { throw Trouble("data process \(data) has no worker") }
        (self.ran, self.waited) = (ran, waited)
    }
}

/// Runs in turn, without something and with it, at the same rate.
struct LoadPairs {
    /// One of each.
    struct Pair {
        let without, with: LoadRun
        /// Why it says nothing of the appliance: a generator that did not keep its rate, or frames that were lost while the hypervisor or other
        /// programs had a processor that they need.
        var disturbance: String? {
            let runs = [without, with]
            if runs.contains(where: { $0.isCrowded && ($0.traffic.lost > 0 || $0.traffic.offered < 0.98 * Double($0.rate)) }) {
                return "other programs had the processors of the worker or of the generator"
            }
            return runs.contains { $0.traffic.lost > 0 && $0.stolen > 0 } ? "the hypervisor had one of their processors" : nil
        }
    }

    /// The pairs that count.
    let pairs: [Pair]
    /// How many pairs that were disturbed are made again; then they count as they are.
    private static let patience = 5

    /// Makes so many pairs, every other one the other way round; `run` is told whether it is one with or one without. A pair that was
    /// disturbed from outside is told with its figures, and made again.
    init(_ count: Int, _ run: (_ isWith: Bool) throws -> LoadRun) throws {
        var (pairs, again): ([Pair], Int) = ([], 0)
        while pairs.count < count {
            let startsWithout = pairs.count % 2 == 0
            let first = try run(!startsWithout)
            let second = try run(startsWithout)
            let pair = startsWithout ? Pair(without: first, with: second) : Pair(without: second, with: first)
            figure("pair \(pairs.count + 1), without", pair.without.summary)
            figure("pair \(pairs.count + 1), with", pair.with.summary)
            if let why = pair.disturbance, again < Self.patience {
                again += 1
                figure("pair \(pairs.count + 1)", "made again: \(why)")
            } else {
                pairs.append(pair)
            }
        }
        self.pairs = pairs
    }

    /// The middle one of the worker's times with over those without, pair by pair.
    var ratio: Double {
        let ratios = pairs.map { $0.with.cost / $0.without.cost }.sorted()
        return ratios[ratios.count / 2]
    }

    /// Frames lost in all runs.
    var lost: (without: Int, with: Int) {
        (pairs.reduce(0) { $0 + $1.without.traffic.lost }, pairs.reduce(0) { $0 + $1.with.traffic.lost })
    }

    /// Holds the pairs against what is promised: over all of them no more frames are lost with it than without.
    func judge() {
        figure(
            "all \(pairs.count) pairs",
            "\(lost.with) lost with, \(lost.without) without; the worker's time a frame with it is "
                + "\(String(format: "%.3f", ratio)) of that without (the middle one)")
        #expect(lost.with <= lost.without)
        for pair in pairs {
            let sent = [pair.without.traffic.sent, pair.with.traffic.sent].sorted()
            #expect(Double(sent[0]) >= 0.98 * Double(sent[1]), "the generator did not keep its rate: is the machine quiet?")
        }
    }
}
