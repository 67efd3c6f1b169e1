// SPDX-License-Identifier: Apache-2.0
public import Net

/// A connection in the flow table: one entry for both directions. Everything that an established frame reads or writes lies
/// here, two cache lines at most: 96 bytes with an IPv4 key, 120 (in a stride of 128) with an IPv6 key. What it does not need is
/// kept apart in `FlowDetail` (24 bytes); with the index (64 bytes for 10 flows) that makes 128 and 160 bytes a flow.
///
/// Two stamps say by what the flow was last judged: `generation` (policy) and `epoch` (inventory). They are different numbers: a
/// new epoch compares the classes kept in `FlowDetail` and judges again only where one changed; a new generation always does.
@frozen public struct FlowEntry<Key: FlowKey>: BitwiseCopyable {
    /// Both ends, protocol, pair, tags, tunnel.
    public var key: Key
    /// Bytes of whole frames from the low and from the high end.
    public var lowBytes: UInt64 = 0
    /// Bytes of whole frames from the high end.
    public var highBytes: UInt64 = 0
    /// Frames from the low end; may wrap, which a record at intervals bridges.
    public var lowFrames: UInt32 = 0
    /// Frames from the high end.
    public var highFrames: UInt32 = 0
    /// The policy generation that judged the flow last.
    public var generation: UInt32 = 0
    /// The inventory epoch that judged the flow last.
    public var epoch: UInt32 = 0
    /// Unix seconds until which the verdict holds; `UInt32.max` for ever.
    public var validUntil: UInt32 = .max
    /// When the last frame came, in ticks of 2²⁰ ns of the monotonic clock; wraps after 52 days, so only differences count.
    public var lastSeen: UInt32 = 0
    /// The destination's side record, or none.
    public var ingressRecord: UInt32 = .max
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

    /// A fresh entry of a key.
    @inlinable public init(key: Key) { self.key = key }
}

/// What a flow's frames do not need: read when it is judged again, reported or ended.
@frozen public struct FlowDetail: BitwiseCopyable, Sendable {
    /// The source's (initiator's) side record, or none.
    public var egressRecord: UInt32 = .max
    /// Class of the initiator when it was judged.
    public var sourceClass: UInt32 = 0
    /// Class of the responder when it was judged.
    public var destinationClass: UInt32 = 0
    /// When the first frame came, in the ticks of `lastSeen`.
    public var firstSeen: UInt32 = 0
    /// The next entry of the expiry list or of the free list.
    public var next: UInt32 = .max
    /// Handle of the layer-7 inspection, 0 for none.
    public var inspection: UInt32 = 0
    /// An empty detail.
    @_noLocks @inlinable public init() {}
}

/// What one end of a TCP connection has sent and may send (sequence space of RFC 9293, windows scaled by RFC 7323).
@frozen public struct TCPWindow: BitwiseCopyable, Sendable {
    /// Highest sequence number sent, plus one.
    public var end: UInt32 = 0
    /// Highest sequence number that the other end lets it send.
    public var limit: UInt32 = 0
    /// Largest window that it ever advertised, unscaled by `scale`.
    public var maximum: UInt16 = 0
    /// Its window scale, or 255 where it sent no option.
    public var scale: UInt8 = 255
    /// Bit 0: `end` and `limit` are known. Bit 1: it has sent FIN. Bit 2: its FIN was acknowledged.
    public var flags: UInt8 = 0
    /// Nothing known.
    @_noLocks @inlinable public init() {}
}

/// How far a flow has come.
@frozen public enum FlowState: UInt8, Sendable, CaseIterable {
    /// The entry is not in use.
    case free = 0
    /// TCP: the first SYN was seen.
    case synSent
    /// TCP: SYN and ACK of the responder were seen.
    case synReceived
    /// TCP: the handshake is complete. Other protocols: both ends have spoken.
    case established
    /// TCP: one end has sent FIN.
    case closing
    /// TCP: both ends have sent FIN, and both were acknowledged, or one sent a valid RST.
    case closed
    /// Not TCP: only the initiator has spoken.
    case oneSided

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
    /// The flow may pass; without it the entry remembers a refusal.
    @inlinable public static var allowed: FlowMarks { @_noLocks get { FlowMarks(rawValue: 2) } }
    /// A refusal answers.
    @inlinable public static var rejects: FlowMarks { @_noLocks get { FlowMarks(rawValue: 4) } }
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
