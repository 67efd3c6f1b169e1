// SPDX-License-Identifier: Apache-2.0
internal import Record
public import Telemetry

/// What `POST /v1/capture` takes: which frames are wanted, how much of each, and when it is enough. What is absent has its default.
public struct CaptureRequest: Codable, Hashable, Sendable {
    /// A condition of the filter, as `GET /v1/flows` takes them in its query.
    public struct Condition: Codable, Hashable, Sendable {
        /// A key of `FlowFilter`, `not-` before it where it is negated.
        public var key: String
        /// What is compared with.
        public var value: String
        /// A condition.
        public init(key: String, value: String) { (self.key, self.value) = (key, value) }
    }

    /// Conditions that a frame's connection must meet.
    public var conditions: [Condition]?
    /// before, after, or both where absent.
    public var sights: [String]?
    /// Whether payload is copied; headers alone where absent.
    public var payload: Bool?
    /// Bytes of a frame at most.
    public var snap: UInt32?
    /// Frames a second of each worker at most.
    public var rate: UInt32?
    /// Seconds after which it ends.
    public var seconds: UInt32?
    /// Sights after which it ends.
    public var frames: UInt64?
    /// Bytes of frames after which it ends.
    public var bytes: UInt64?

    /// A request with every default.
    public init() {}
}

extension CaptureRequest {
    /// What each limit may be, and is where none is asked for.
    public enum Limits {
        /// Bytes of a frame.
        public static let snap: ClosedRange<UInt32> = 1...1856
        /// Frames a second of each worker.
        public static let rate: ClosedRange<UInt32> = 1...20_000
        /// Seconds.
        public static let seconds: ClosedRange<UInt32> = 1...3_600
        /// Sights.
        public static let frames: ClosedRange<UInt64> = 1...10_000_000
        /// Bytes of frames.
        public static let bytes: ClosedRange<UInt64> = 1...1_073_741_824
        /// Where none is asked for.
        public static let (usualRate, usualSeconds): (UInt32, UInt32) = (2_000, 300)
        /// Where none is asked for.
        public static let (usualFrames, usualBytes): (UInt64, UInt64) = (100_000, 67_108_864)
    }

    /// What is wrong with it; `nil` when nothing is, and the filter is made then.
    public func fault(_ filter: inout FlowFilter) -> String? {
        for condition in conditions ?? [] {
            let key = condition.key.hasPrefix("not-") ? String(condition.key.dropFirst(4)) : condition.key
            guard !["event", "audit", "since", "until"].contains(key) else {
                return "\(condition.key) is no filter of a capture: it asks about events, and not about frames"
            }
            if let fault = filter.set(condition.key, to: condition.value) { return fault }
        }
        if let sights, sights.isEmpty || !Set(sights).isSubset(of: ["before", "after"]) {
            return "sights are before and after, one of them or both"
        }
        return Self.fault("snap", snap, Limits.snap) ?? Self.fault("rate", rate, Limits.rate)
            ?? Self.fault("seconds", seconds, Limits.seconds) ?? Self.fault("frames", frames, Limits.frames)
            ?? Self.fault("bytes", bytes, Limits.bytes)
    }

    private static func fault<Number: BinaryInteger>(
        _ name: String, _ value: Number?, _ range: ClosedRange<Number>
    ) -> String? {
        guard let value, !range.contains(value) else { return nil }
        return "\(name) is a number from \(range.lowerBound) to \(range.upperBound), not \(value)"
    }

    /// What it is for the audit log and whoever finds it going on: `headers, port=443, not-ip=10.0.0.9, for 60 s`.
    public var words: String {
        let filter = (conditions ?? []).map { "\($0.key)=\($0.value)" }
        let what = payload == true ? "payload" : "headers"
        return ([what] + filter + ["for \(seconds ?? Limits.usualSeconds) s"]).joined(separator: ", ")
    }
}

/// How a capture begins: what its interfaces are.
public struct CaptureBegin: Codable, Hashable, Sendable {
    /// The pairs' ports by name, pair by pair.
    public var ports: [String]
    /// Bytes of a frame at most.
    public var snap: UInt32
    /// Whether payload is copied.
    public var payload: Bool
    /// When it ends at the latest, RFC 3339.
    public var until: String
    /// The release that captures.
    public var version: String

    /// A beginning.
    public init(ports: [String], snap: UInt32, payload: Bool, until: String, version: String) {
        (self.ports, self.snap, self.payload, self.until, self.version) = (ports, snap, payload, until, version)
    }
}

/// How far a capture has come, and what is missing in it.
public struct CaptureCounts: Codable, Hashable, Sendable {
    /// Sights that were handed to the client.
    public var captured: UInt64 = 0
    /// Bytes of frames in them.
    public var bytes: UInt64 = 0
    /// Frames that workers left out because they were more than a second may have. The workers' filter is coarser than the capture's,
    /// so that some of these might not have been wanted.
    public var suppressed: UInt64 = 0
    /// Frames that found no room in a worker's ring.
    public var lost: UInt64 = 0
    /// Sights for which the client was too slow.
    public var undelivered: UInt64 = 0
    /// Nothing yet.
    public init() {}
}

/// How a capture ended.
public struct CaptureEnd: Codable, Hashable, Sendable {
    /// time, frames, size, asked, gone (the client), unauthorized or stopping (the daemon).
    public var why: String
    /// All in all.
    public var counts: CaptureCounts
    /// An end.
    public init(why: String, counts: CaptureCounts) { (self.why, self.counts) = (why, counts) }
}

/// A capture as the API streams it.
public struct CaptureFeed: Sendable {
    /// What comes.
    public enum Delivery: Sendable {
        /// Sights in the order in which a worker saw them.
        case frames([FrameReport])
        /// How far it is; comes every second, also when nothing else does.
        case counts(CaptureCounts)
        /// Nothing comes behind it.
        case end(CaptureEnd)
    }

    /// How it begins.
    public let begin: CaptureBegin
    /// What comes; the capture ends when nobody waits for it any more.
    public let deliveries: AsyncStream<Delivery>
    /// Ends it, for a reason as in `CaptureEnd`.
    public let end: @Sendable (_ why: String) -> Void

    /// A feed.
    public init(begin: CaptureBegin, deliveries: AsyncStream<Delivery>, end: @escaping @Sendable (_ why: String) -> Void) {
        (self.begin, self.deliveries, self.end) = (begin, deliveries, end)
    }
}
