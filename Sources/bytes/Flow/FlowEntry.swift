// SPDX-License-Identifier: Apache-2.0

/// A connection in the flow table, behind its key: one entry for both directions. Everything that an established frame reads or writes
/// lies in key and entry, two cache lines at most: 96 bytes with an IPv4 key, 120 (in a stride of 128) with an IPv6 key. What it does
/// not need is kept apart in `FlowDetail` (24 bytes); with the index (64 bytes for 10 flows) that makes 128 and 160 bytes a flow.
///
/// Two stamps say by what the flow was last judged: `generation` (policy) and `epoch` (inventory). They are different numbers: a
/// new epoch compares the classes kept in `FlowGrounds` and judges again only where one changed; a new generation always does.
@frozen public struct FlowEntry: BitwiseCopyable, Sendable {
    /// Bytes from the low end in the upper 48 bits, so that adding never reaches the lower 16; these hold `drainSeconds`.
    @usableFromInline var lowMeter: UInt64 = 0
    /// Bytes from the high end in the upper 48 bits; the lower 16 hold `change` and `isTimed`.
    @usableFromInline var highMeter: UInt64 = 0
    /// Frames from the low end; may wrap, which a record at intervals bridges.
    public var lowFrames: UInt32 = 0
    /// Frames from the high end.
    public var highFrames: UInt32 = 0
    /// The policy generation that judged the flow last.
    public var generation: UInt32 = 0
    /// The inventory epoch that judged the flow last.
    public var epoch: UInt32 = 0
    /// Until when the verdict holds, in unix seconds, or where `isTimed` says so in seconds of the monotonic clock; `UInt32.max` for ever.
    public var validUntil: UInt32 = .max
    /// When the last frame came, in ticks of 2²⁰ ns of the monotonic clock; wraps after 52 days, so only differences count.
    public var lastSeen: UInt32 = 0
    /// A part of `FlowGrounds`, see `FlowTable.grounds(of:)`.
    @usableFromInline var grounds: UInt32 = .max
    /// What kind of flow, and how far it has come.
    public var state: FlowState = .free
    /// Facts that are true or not.
    public var marks = FlowMarks(rawValue: 0)
    /// All TCP flags seen from the low end.
    public var lowFlags: UInt8 = 0
    /// All TCP flags seen from the high end.
    public var highFlags: UInt8 = 0
    /// TCP: what the low end sent and may send.
    public var lowWindow = TCPWindow()
    /// TCP: what the high end sent and may send.
    public var highWindow = TCPWindow()

    /// A fresh entry.
    @_noLocks @inlinable public init() {}

    /// Bytes of whole frames from the low end, modulo 2⁴⁸.
    @inlinable public var lowBytes: UInt64 { @_noLocks get { lowMeter >> 16 } }
    /// Bytes of whole frames from the high end, modulo 2⁴⁸.
    @inlinable public var highBytes: UInt64 { @_noLocks get { highMeter >> 16 } }
    /// What becomes of the flow when policy no longer allows it, a change mode's number (0 to 3), as the rule said that admitted it.
    @inlinable public var change: UInt8 {
        @_noLocks get { UInt8(truncatingIfNeeded: highMeter & 3) }
        @_noLocks set { highMeter = highMeter & ~3 | UInt64(newValue & 3) }
    }
    /// Whether `validUntil` is the end of a time that was granted, a drain or a reply's, and not a point in time that a policy names: such
    /// a time has its length whatever becomes of the wall clock.
    @inlinable public var isTimed: Bool {
        @_noLocks get { highMeter & 4 != 0 }
        @_noLocks set { highMeter = highMeter & ~4 | (newValue ? 4 : 0) }
    }
    /// Whether the verdict holds no longer, at a unix second and a second of the monotonic clock.
    @_noLocks @inlinable @inline(__always) public func isDue(wall: UInt64, timer: UInt64) -> Bool {
        validUntil != .max && (isTimed ? timer : wall) >= UInt64(validUntil)
    }
    /// For the change mode that drains: seconds, at most 65,535.
    @inlinable public var drainSeconds: UInt16 {
        @_noLocks get { UInt16(truncatingIfNeeded: lowMeter) }
        @_noLocks set { lowMeter = lowMeter & ~0xffff | UInt64(newValue) }
    }
}

/// Who both ends were and what both sides said when a flow was judged last: four numbers of 24 bits, which lie in an entry and its
/// detail in three words. A snapshot has fewer than 2²⁴ - 1 classes and records (`Snapshot` is refused else).
@frozen public struct FlowGrounds: BitwiseCopyable, Hashable, Sendable {
    /// Class of the initiator.
    public var sourceClass: UInt32
    /// Class of the responder.
    public var destinationClass: UInt32
    /// The source's side record, or `.max` for none.
    public var egressRecord: UInt32
    /// The destination's side record, or `.max` for none.
    public var ingressRecord: UInt32

    /// Grounds from their numbers; of numbers that do not fit 24 bits none remains.
    @_noLocks @inlinable public init(
        sourceClass: UInt32 = .max, destinationClass: UInt32 = .max, egressRecord: UInt32 = .max, ingressRecord: UInt32 = .max
    ) {
        self.sourceClass = sourceClass
        self.destinationClass = destinationClass
        self.egressRecord = egressRecord
        self.ingressRecord = ingressRecord
    }
}

/// What a flow's frames do not need: read when it is judged again, reported or ended.
@frozen public struct FlowDetail: BitwiseCopyable, Sendable {
    /// Parts of `FlowGrounds`, see `FlowTable.grounds(of:)`.
    @usableFromInline var lowGrounds: UInt32 = .max
    /// Parts of `FlowGrounds`.
    @usableFromInline var highGrounds: UInt32 = .max
    /// When the first frame came, in the ticks of `lastSeen`.
    public var firstSeen: UInt32 = 0
    /// The next entry of the list of waiting flows or of the free list.
    public var next: UInt32 = .max
    /// The entry before it in the list of waiting flows.
    public var previous: UInt32 = .max
    /// Handle of the layer-7 inspection, 0 for none.
    public var inspection: UInt32 = 0
    /// An empty detail.
    @_noLocks @inlinable public init() {}
}

/// How far a flow has come.
@frozen public enum FlowState: UInt8, Sendable, CaseIterable {
    /// The entry is not in use.
    case free = 0
    /// TCP: the first SYN was seen.
    case synSent
    /// TCP: the SYNs of both were seen, but not yet that each was acknowledged.
    case synReceived
    /// TCP: the handshake is complete. Other protocols: the initiator has gone on after an answer, or the flow opened so.
    case established
    /// TCP: one end has sent FIN.
    case closing
    /// TCP: both ends have sent FIN, and both were acknowledged, or one sent a valid RST.
    case closed
    /// Not TCP: only the initiator has spoken.
    case oneSided
    /// Not TCP: the responder has answered, and the initiator has not spoken since.
    case answered

    /// The case's number, for hot code (see `DropReason.number`).
    @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }
    /// Two states are the same.
    @_noLocks @inlinable public static func == (a: FlowState, b: FlowState) -> Bool { a.number == b.number }
    /// The state's name in the API.
    public var name: String { String(describing: self) }
}

/// Facts about a flow.
@frozen public struct FlowMarks: OptionSet, BitwiseCopyable, Sendable {
    /// The bits.
    public let rawValue: UInt8
    /// Marks from their bits.
    @_noLocks @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The initiator is the key's high end.
    @inlinable public static var initiatorIsHigh: FlowMarks { @_noLocks get { FlowMarks(rawValue: 1) } }
    /// A failsafe service admitted it.
    @inlinable public static var failsafe: FlowMarks { @_noLocks get { FlowMarks(rawValue: 2) } }
    /// Its responders are not known by address: the initiator spoke to a group, and expects unicast replies.
    @inlinable public static var expectsReplies: FlowMarks { @_noLocks get { FlowMarks(rawValue: 4) } }
    /// A layer-7 program must see its frames.
    @inlinable public static var inspected: FlowMarks { @_noLocks get { FlowMarks(rawValue: 8) } }
    /// Picked up mid-stream.
    @inlinable public static var pickedUp: FlowMarks { @_noLocks get { FlowMarks(rawValue: 16) } }
    /// It goes on although the policy in force would refuse it (change mode keep or drain).
    @inlinable public static var outlived: FlowMarks { @_noLocks get { FlowMarks(rawValue: 32) } }
    /// The initiator came in by the pair's second port; a frame of either end that comes in by the other port is not its own.
    @inlinable public static var secondPort: FlowMarks { @_noLocks get { FlowMarks(rawValue: 64) } }
    /// Workloads claim the responder's address, but none in the zone that it would answer from: who answers from there is not it.
    @inlinable public static var responderElsewhere: FlowMarks { @_noLocks get { FlowMarks(rawValue: 128) } }
}
