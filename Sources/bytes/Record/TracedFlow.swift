// SPDX-License-Identifier: Apache-2.0

/// A live flow as its worker keeps it, at one moment: what a record at an interval would tell, and what only the flow's entry knows. Plain
/// integers of which any are possible, because it crosses from data to control; 192 bytes.
@frozen public struct TracedFlow: BitwiseCopyable, Sendable {
    /// One end of a TCP connection: the fields of `TCPWindow` in Flow.
    @frozen public struct End: BitwiseCopyable, Sendable {
        /// Highest sequence number sent, plus one.
        public var end: UInt32 = 0
        /// Highest acknowledgement number sent.
        public var acknowledged: UInt32 = 0
        /// Largest window advertised, in units of the scale.
        public var maximum: UInt16 = 0
        /// How far windows are shifted.
        public var scale: UInt8 = 0
        /// What is known of the end.
        public var marks: UInt8 = 0

        /// Nothing known.
        @_noLocks @inlinable public init() {}
    }

    /// Who, to whom, how much, judged by whom; its time is when it was looked at.
    public var record = FlowRecord()
    /// The initiator's end.
    public var forward = End()
    /// The responder's end.
    public var reverse = End()
    /// Until when the verdict holds, in unix seconds, or where `isTimed` is 1 in seconds of the monotonic clock; `UInt32.max` for ever.
    public var validUntil = UInt32.max
    /// Ticks of 2²⁰ ns since the last frame.
    public var quiet: UInt32 = 0
    /// Ticks that it may be quiet now.
    public var timeout: UInt32 = 0
    /// For the change mode that drains: seconds.
    public var drainSeconds: UInt16 = 0
    /// The marks of its entry (`FlowMarks` in Flow).
    public var marks: UInt8 = 0
    /// The number of its change mode in the lower two bits, and `isTimed` in the third.
    public var change: UInt8 = 0

    /// No flow.
    @_noLocks @inlinable public init() {}
}
