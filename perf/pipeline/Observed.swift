// SPDX-License-Identifier: Apache-2.0
import Datapath
import Flow
import Glibc
import Measure
import Net
import Telemetry

// What being looked at costs a frame that nobody asks about: records of live flows at intervals, hits, rules in audit, and a capture of
// another flow, beside the same worker without any of them.

extension Question {
    /// What a frame of an established flow may cost more where everything is on, in nanoseconds.
    static let observationBudget = 2.0
    /// Seconds between two records of a live flow: sixty times as many as where nobody says otherwise.
    static let observedInterval: UInt16 = 1

    /// Frames of established connections through a worker that is observed in every way, beside one that is not.
    func observed() throws -> Fields {
        let stream = Stream(huge: huge)
        var (watched, alone) = (settings, settings)
        (watched.recordSeconds, alone.recordSeconds) = (Self.observedInterval, 0)
        let capture = CaptureSide()
        let audited = try Loaded(Estate.small(isAudited: true), flows: watched, huge: huge)
        let plain = try Loaded(Estate.small(), flows: alone, huge: huge)
        let on = try Worker(stream, audited.inForce, capacity: flows, isIPv4: isIPv4, huge: huge, capture: capture)
        let off = try Worker(stream, plain.inForce, capacity: flows, isIPv4: isIPv4, huge: huge)
        // What lies at rest is not observed: both tables are filled before time goes by.
        for worker in [on, off] { try worker.establish(stream, flows, isIPv4: isIPv4, at: Self.now) }
        fill(stream)
        let control = ControlSide(
            on, PublishedNames(generation: 1, epoch: 0, causes: audited.causes, zones: [], workloads: ["servers"]))
        defer { control.end() }
        func pass(_ isObserved: Bool, capturing: Bool = true) throws -> Double {
            capturing ? capture.arm() : capture.disarm()
            return try forwardInTime(isObserved ? on : off, stream)
        }
        _ = (try pass(true), try pass(false))
        let all = try Pairs(pairs) { try pass($0) }
        var row = row(all)
        row.add("difference_ns", (all.ratio - 1) * all.second, digits: 2)
        let uncaptured = try Pairs(pairs) { try pass($0, capturing: false) }
        row.add("uncaptured_ns", uncaptured.first, digits: 2)
        row.add("uncaptured_difference_ns", (uncaptured.ratio - 1) * uncaptured.second, digits: 2)
        row.add("budget_ns", Self.observationBudget)
        row.add("records", Int(control.records))
        row.add("a_a", try Pairs(min(pairs, 5)) { _ in try pass(false) })
        return row
    }

    /// One pass over the stream in time that goes by, so that records fall due. Every piece counts but the slowest and the fastest
    /// hundredth, where the processor was away: what comes now and then belongs to what is measured.
    private func forwardInTime(_ worker: Worker, _ stream: Stream) throws -> Double {
        let before = worker.forwarded
        let time = worker.pass(stream, keeping: 0.98) {
            let passed = nanoseconds(CLOCK_MONOTONIC) &- Self.began
            return Moment(nanoseconds: Self.now.nanoseconds &+ passed, wall: Self.now.wall &+ passed / 1_000_000_000)
        }
        guard worker.forwarded - before == UInt64(Stream.count) else {
            throw Trouble.otherFate("\(worker.forwarded - before) of \(Stream.count) frames were forwarded; \(worker.reasons)")
        }
        return time
    }

    /// When time began to go by.
    private static let began = nanoseconds(CLOCK_MONOTONIC)
}
