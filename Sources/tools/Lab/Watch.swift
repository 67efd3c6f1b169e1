// SPDX-License-Identifier: Apache-2.0

/// Watches a sink for the time that is measured.
public struct Watch {
    /// What came in a time.
    public struct Window: Sendable {
        /// How long it was.
        public var seconds: Double
        /// Frames in it.
        public var frames: UInt64
        /// Their bytes, without FCS.
        public var bytes: UInt64

        /// A time and what came in it.
        public init(seconds: Double, frames: UInt64, bytes: UInt64) {
            (self.seconds, self.frames, self.bytes) = (seconds, frames, bytes)
        }
    }

    private struct Sample {
        let time: UInt64
        let arrived: Arrived

        init(_ sink: Sink) { (time, arrived) = (monotonicNow(), sink.arrived) }

        func since(_ earlier: Sample) -> Window {
            Window(
                seconds: Double(time - earlier.time) / 1e9, frames: arrived.frames - earlier.arrived.frames,
                bytes: arrived.bytes - earlier.arrived.bytes)
        }
    }

    private let sink: Sink
    private let skip: Double
    private let duration: Double?
    private let frames: UInt64?
    private let every: Double?

    /// Watches `sink`: from `skip` seconds after the first frame, for `duration` seconds (nil: until the end), or until `frames` have
    /// come and no more follow; with `every` it tells in between.
    public init(_ sink: Sink, skip: Double, duration: Double?, frames: UInt64?, every: Double?) {
        (self.sink, self.skip, self.duration, self.frames, self.every) = (sink, skip, duration, frames, every)
    }

    /// Watches until the time is over, the frames have come, or a signal comes; what came in the measured time. `tell` is called for
    /// each interval.
    public func run(until interruption: Interruption, tell: (Window) throws -> Void) throws -> Window {
        var start = Sample(sink)
        while start.arrived.frames == 0 {
            if interruption.wait(seconds: 0.001) { return Sample(sink).since(start) }
            start = Sample(sink)
        }
        if skip > 0 {
            if interruption.wait(seconds: skip) { return Sample(sink).since(start) }
            start = Sample(sink)
        }
        let end = duration.map { start.time &+ UInt64($0 * 1e9) } ?? .max
        var told = start
        while true {
            let now = monotonicNow()
            if now >= end { return Sample(sink).since(start) }
            let next = every.map { min(end, told.time &+ UInt64($0 * 1e9)) } ?? end
            // A tenth of a second at most: somebody may wait for a number of frames.
            let pause = next > now ? Double(min(next - now, 100_000_000)) / 1e9 : 0
            let before = Sample(sink)
            if interruption.wait(seconds: pause) { return Sample(sink).since(start) }
            let sample = Sample(sink)
            if let frames, sample.arrived.frames >= frames, sample.arrived.frames == before.arrived.frames {
                return sample.since(start)
            }
            if let every, sample.time &- told.time >= UInt64(every * 1e9) {
                try tell(sample.since(told))
                told = sample
            }
        }
    }
}
