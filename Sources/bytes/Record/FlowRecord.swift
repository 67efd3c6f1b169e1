// SPDX-License-Identifier: Apache-2.0
public import Net

/// One event in the life of a flow, as a worker writes it into its event ring: numbers only, of fixed size and layout, because it
/// crosses from the data process to the control process through shared memory. Names are put to the numbers by control, with the
/// cause table of `generation`. Source is whoever opened the flow, or sent the frame that was refused.
@frozen public struct FlowRecord: BitwiseCopyable, Sendable {
    /// What happened.
    @frozen public enum Event: UInt8, Sendable, CaseIterable {
        /// A flow was admitted.
        case start = 0
        /// A live flow was judged again and its decision or its cause changed.
        case change
        /// A live flow's counters, at intervals.
        case update
        /// A flow ended: closed, idle, evicted or no longer allowed.
        case end
        /// A connection was refused by policy, or by the flow table.
        case refused
    }

    /// Stands for "none" in the fields that hold numbers of records, reasons and decisions.
    public static let none32 = UInt32.max
    /// Stands for "none" in byte fields.
    public static let none8 = UInt8.max

    /// Initiator's address.
    public var source = Address(high: 0, low: 0)
    /// Responder's address.
    public var destination = Address(high: 0, low: 0)
    /// When, in nanoseconds of the monotonic clock.
    public var time: UInt64 = 0
    /// When the flow's first frame came, in nanoseconds of the monotonic clock.
    public var firstSeen: UInt64 = 0
    /// Frames from initiator to responder.
    public var forwardFrames: UInt64 = 0
    /// Frames from responder to initiator.
    public var reverseFrames: UInt64 = 0
    /// Bytes from initiator to responder, whole frames.
    public var forwardBytes: UInt64 = 0
    /// Bytes from responder to initiator, whole frames.
    public var reverseBytes: UInt64 = 0
    /// Events like this one that were left out since the last one of its kind.
    public var suppressed: UInt32 = 0
    /// Class of the initiator in `generation`.
    public var sourceClass: UInt32 = 0
    /// Class of the responder in `generation`.
    public var destinationClass: UInt32 = 0
    /// Workload number of the initiator in the inventory of `epoch`, or none.
    public var sourceWorkload = FlowRecord.none32
    /// Workload number of the responder in the inventory of `epoch`, or none.
    public var destinationWorkload = FlowRecord.none32
    /// What the source's egress side decided: a side record of `generation`, or none where that side does not judge.
    public var egressRecord = FlowRecord.none32
    /// What the destination's ingress side decided: a side record of `generation`, or none where that side does not judge.
    public var ingressRecord = FlowRecord.none32
    /// The policy generation that judged.
    public var generation: UInt32 = 0
    /// The inventory epoch that judged.
    public var epoch: UInt32 = 0
    /// VLAN tags as `VLANTags.word`.
    public var vlans: UInt32 = 0
    /// Tunnel identifier, see `tunnelKind`.
    public var tunnelIdentifier: UInt32 = 0
    /// The layer-7 program's handle, 0 for none.
    public var inspection: UInt32 = 0
    /// Initiator's port, or ICMP identifier.
    public var sourcePort: UInt16 = 0
    /// Responder's port, or ICMP type and code.
    public var destinationPort: UInt16 = 0
    /// Zone of the initiator.
    public var sourceZone: UInt16 = 0
    /// Zone of the responder.
    public var destinationZone: UInt16 = 0
    /// An `Event`'s number.
    public var event: UInt8 = 0
    /// A `Decision`'s number.
    public var decision: UInt8 = 0
    /// What audit would have decided, a `Decision`'s number, or none.
    public var auditDecision = FlowRecord.none8
    /// A `DropReason`'s number, or none.
    public var reason = FlowRecord.none8
    /// IP protocol number.
    public var protocolNumber: UInt8 = 0
    /// A `Tunnel.Kind`'s number.
    public var tunnelKind: UInt8 = 0
    /// The TCP state's number, 0 where there is none.
    public var state: UInt8 = 0
    /// All TCP flags seen from initiator to responder.
    public var forwardFlags: UInt8 = 0
    /// All TCP flags seen from responder to initiator.
    public var reverseFlags: UInt8 = 0
    /// The port pair.
    public var pair: UInt8 = 0
    /// Which port of the pair the frame came in by: 0 or 1.
    public var port: UInt8 = 0
    /// The queue, which is the worker's number in its pair.
    public var queue: UInt8 = 0
    /// Those of `suppressed` that are of this one's kind: the same classes, service and reason. The others are of kinds that nobody
    /// wrote down, or repeats within a second.
    public var alike: UInt32 = 0

    /// An empty record.
    @_noLocks @inlinable public init() {}
}

extension FlowRecord.Event {
    /// The event's name in the API.
    public var name: String { String(describing: self) }
    /// The case's number, for hot code (see `DropReason.number`).
    @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }
}
