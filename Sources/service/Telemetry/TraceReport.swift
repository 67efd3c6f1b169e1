// SPDX-License-Identifier: Apache-2.0

/// What workers answer about one live connection, as the API writes it and the client reads it.
public struct TraceReport: Codable, Hashable, Sendable {
    /// A worker's answer.
    public struct Answer: Codable, Hashable, Sendable {
        /// The worker's number among all.
        public var worker: Int
        /// Its pair.
        public var pair: String
        /// Its queue, which is its number in the pair.
        public var queue: Int
        /// Whether it has the connection.
        public var found: Bool
        /// Microseconds from the question to the answer.
        public var microseconds: UInt64

        /// An answer.
        public init(worker: Int, pair: String, queue: Int, found: Bool, microseconds: UInt64) {
            self.worker = worker
            self.pair = pair
            self.queue = queue
            self.found = found
            self.microseconds = microseconds
        }
    }

    /// What holds in the worker for any connection where no rule speaks: enough to foretell a frame.
    public struct Terms: Codable, Hashable, Sendable {
        /// When a segment from the middle of a connection may open a flow: never, restart or always.
        public var pickUp: String
        /// Seconds for which such segments may still open flows after a restart.
        public var grace: UInt64
        /// strict or loose.
        public var windows: String
        /// Whether only one direction is seen.
        public var isAsymmetric: Bool
        /// Whether checksums are verified.
        public var verifiesChecksums: Bool

        /// Terms.
        public init(pickUp: String, grace: UInt64, windows: String, isAsymmetric: Bool, verifiesChecksums: Bool) {
            self.pickUp = pickUp
            self.grace = grace
            self.windows = windows
            self.isAsymmetric = isAsymmetric
            self.verifiesChecksums = verifiesChecksums
        }
    }

    /// The generation in force.
    public var generation: UInt32
    /// The inventory's epoch.
    public var epoch: UInt32
    /// Every worker that answered in time.
    public var answers: [Answer]
    /// Numbers of workers that did not.
    public var silent: [Int]
    /// The connection; `nil` where no worker that answered has it.
    public var live: LiveConnection?
    /// What holds for any connection.
    public var terms: Terms

    /// A report of answers.
    public init(
        generation: UInt32, epoch: UInt32, answers: [Answer], silent: [Int], live: LiveConnection?, terms: Terms
    ) {
        self.generation = generation
        self.epoch = epoch
        self.answers = answers
        self.silent = silent
        self.live = live
        self.terms = terms
    }
}

/// A connection as its worker has it.
public struct LiveConnection: Codable, Hashable, Sendable {
    /// One end of a TCP connection, in its sequence space (RFC 9293, 3.4).
    public struct Window: Codable, Hashable, Sendable {
        /// Highest sequence number sent, plus one.
        public var end: UInt32
        /// Highest acknowledgement number sent.
        public var acknowledged: UInt32
        /// Largest window advertised, in units of the scale.
        public var maximum: UInt16
        /// How far windows are shifted; before both SYNs were seen what the end's own offered, 255 for nothing.
        public var scale: UInt8
        /// What is known of the end, as the bits of the flow's entry.
        public var marks: UInt8
        /// All TCP flags that it has sent, as the header's byte.
        public var flags: UInt8

        /// An end.
        public init(end: UInt32, acknowledged: UInt32, maximum: UInt16, scale: UInt8, marks: UInt8, flags: UInt8) {
            self.end = end
            self.acknowledged = acknowledged
            self.maximum = maximum
            self.scale = scale
            self.marks = marks
            self.flags = flags
        }
    }

    /// Until when a verdict holds.
    public struct Lapse: Codable, Hashable, Sendable {
        /// Whether it is a time that was granted, a drain or a reply's; else a point in time that a policy names.
        public var isGranted: Bool
        /// Seconds from the answer on; 0 where it is over.
        public var seconds: UInt64

        /// A lapse.
        public init(isGranted: Bool, seconds: UInt64) {
            self.isGranted = isGranted
            self.seconds = seconds
        }
    }

    /// The number of the worker that has it.
    public var worker: Int
    /// The flow as a record at an interval would tell it: ends, frames and bytes of both, who judged it, and what both sides said.
    public var flow: FlowReport
    /// How far it has come: synSent, synReceived, established, closing, closed, oneSided, answered.
    public var state = ""
    /// Facts about it, as the bits of the flow's entry.
    public var marks: UInt8 = 0
    /// Of TCP: what the initiator has sent and may send.
    public var forward: Window?
    /// Of TCP: what the responder has sent and may send.
    public var reverse: Window?
    /// Milliseconds since its first frame.
    public var age: UInt64 = 0
    /// Milliseconds since its last frame.
    public var quiet: UInt64 = 0
    /// Milliseconds that it may be quiet now.
    public var timeout: UInt64 = 0
    /// Until when its verdict holds; `nil` for as long as the policy does.
    public var lapse: Lapse?
    /// What becomes of it when policy no longer allows it: keep, drain, reevaluate or reset.
    public var change = ""
    /// For drain: seconds.
    public var drainSeconds: UInt16 = 0

    /// A connection that a worker has.
    public init(_ flow: FlowReport, worker: Int) {
        self.flow = flow
        self.worker = worker
    }
}
