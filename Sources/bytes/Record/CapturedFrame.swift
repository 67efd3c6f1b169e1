// SPDX-License-Identifier: Apache-2.0

/// One sight of a frame, as a worker writes it into its capture ring in front of the frame's bytes: numbers only, of fixed size and
/// layout. Names are put to them by control, which reads what another process wrote and believes no length in it.
@frozen public struct CapturedFrame: BitwiseCopyable, Sendable {
    /// Where on its way a frame was seen.
    @frozen public enum Sight: UInt8, Sendable, CaseIterable {
        /// As it was received, before its verdict.
        case before = 0
        /// As it leaves by the other port.
        case after
        /// A frame of Bulkhead's own, sent because of another: a reset, or an ICMP error.
        case generated
    }

    /// What became of the frame.
    @frozen public enum Fate: UInt8, Sendable, CaseIterable {
        /// It leaves by the other port.
        case forward = 0
        /// It ends here.
        case drop
        /// It ends here, and its sender is told where that may be.
        case reject
    }

    /// Facts that are true or not, as bits of `marks`.
    public enum Marks {
        /// It belongs to a flow that the table knows: counters, state and grounds in `flow` are the flow's.
        @inlinable public static var knownFlow: UInt8 { @_noLocks get { 1 } }
        /// It could not be read, or not to its end: what `flow` says of it may be incomplete.
        @inlinable public static var unread: UInt8 { @_noLocks get { 2 } }
        /// It goes from the flow's responder to its initiator.
        @inlinable public static var reply: UInt8 { @_noLocks get { 4 } }
        /// It was held for another fragment of its datagram before its fate was known.
        @inlinable public static var held: UInt8 { @_noLocks get { 8 } }
        /// Policy was asked: classes, zones, workloads and side records in `flow` are its answer.
        @inlinable public static var judged: UInt8 { @_noLocks get { 16 } }
    }

    /// What is known of its flow: the flow's record where the table knows it, else that of a flow that it would open. The time is
    /// the sight's; the reason is why the frame was dropped, or none.
    public var flow = FlowRecord()
    /// The order that it was copied for.
    public var capture: UInt64 = 0
    /// The frame's number among those that the worker has copied: both sights of it share it, and what was sent because of it.
    public var serial: UInt64 = 0
    /// Bytes of the frame as it was seen.
    public var length: UInt32 = 0
    /// Bytes of it that stand behind this.
    public var captured: UInt16 = 0
    /// A `Sight`'s number.
    public var sight: UInt8 = 0
    /// The port of the pair at which it was seen: it came in by it, or leaves by it.
    public var port: UInt8 = 0
    /// A `Fate`'s number.
    public var fate: UInt8 = 0
    /// Bits of `Marks`.
    public var marks: UInt8 = 0
    /// Room up to whole words; 0.
    public var reserved: UInt16 = 0
    /// Room for later fields; 0.
    public var reservedWord: UInt32 = 0

    /// Nothing seen.
    @_noLocks @inlinable public init() {}
}

extension CapturedFrame.Sight {
    /// The sight's name in the API.
    public var name: String { String(describing: self) }
    /// The case's number, for hot code (see `DropReason.number`).
    @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }
}

extension CapturedFrame.Fate {
    /// The fate's name in the API.
    public var name: String { String(describing: self) }
    /// The case's number, for hot code (see `DropReason.number`).
    @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }
}
