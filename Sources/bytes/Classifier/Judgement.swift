// SPDX-License-Identifier: Apache-2.0
public import Net

/// Whose address it is, as one snapshot and one address map see it.
@frozen public struct Owner: BitwiseCopyable, Sendable {
    /// What policies can tell apart: an index of the snapshot's classes.
    public var classNumber: ClassNumber
    /// The label set's number in the inventory, or `SnapshotLayout.none` where no host address claims it.
    public var labelSet: UInt32
    /// The workload's number in the inventory, or `SnapshotLayout.none` where no host address claims it.
    public var workload: UInt32
    /// Workloads claim the address, but none of them in this zone: who sends from it here is somebody else.
    public var isElsewhere: Bool

    /// An owner from its numbers.
    @_noLocks @inlinable public init(
        classNumber: ClassNumber, labelSet: UInt32 = SnapshotLayout.none, workload: UInt32 = SnapshotLayout.none,
        isElsewhere: Bool = false
    ) {
        self.classNumber = classNumber
        self.labelSet = labelSet
        self.workload = workload
        self.isElsewhere = isElsewhere
    }
}

/// What becomes of a connection, and which side records say so.
@frozen public struct Judgement: BitwiseCopyable, Sendable {
    /// The side record of the source's egress, or `SnapshotLayout.none` where that side does not judge. Where neither does, the
    /// record of the zone pair, which carries `SideRecord.unjudged`.
    public var egress: UInt32
    /// The side record of the destination's ingress, or `SnapshotLayout.none` where that side does not judge.
    public var ingress: UInt32
    /// The first of both sides' decisions that does not allow, egress before ingress; else allow.
    public var decision: Decision
    /// What audit would have decided, a `Decision`'s number, or 255 where nothing is audited.
    public var auditDecision: UInt8
    /// Unix seconds at which a live connection must be judged again, because one of both records stops deciding; `UInt32.max` for never.
    public var validUntil: UInt32
    /// Whether `validUntil` counts seconds of the monotonic clock: the end of a time that was granted, and not what a record says.
    public var isTimed: Bool
    /// Why not; `denied`, `unjudged` or `contested` where policy was asked, and meaningless unless the decision is other than allow.
    public var reason: DropReason
    /// What becomes of the flow when a record stops deciding: the stricter of both sides (reset, re-evaluate, drain, keep).
    public var change: SideRecord.Change
    /// For `SideRecord.Change.drain`: seconds, the shorter of both sides.
    public var drainSeconds: UInt32
    /// The layer-7 program that must see the connection, 0 for none.
    public var inspection: UInt32
    /// Whether a side says `track: none`: no flow is kept.
    public var isStateless: Bool
    /// Whether a rule that logs spoke on either side.
    public var isLogged: Bool
    /// Whether a management service that no policy can close was asked for, on either side.
    public var isFailsafe: Bool
    /// For a frame to a group: so many seconds long unicast replies are expected by its source, 0 for none.
    public var replySeconds: UInt32

    /// The judgement on what no policy is asked about: a denial without records, whose reason the caller knows.
    @_noLocks @inlinable public static func unasked(_ reason: DropReason) -> Judgement {
        var judgement = Judgement(egress: SnapshotLayout.none, ingress: SnapshotLayout.none)
        judgement.decision = .deny
        judgement.reason = reason
        return judgement
    }

    /// The judgement on a unicast reply to a frame to a group: allowed until a second, by the record that allowed to ask.
    @_noLocks @inlinable public static func expected(by egress: UInt32, until second: UInt32, isTimed: Bool) -> Judgement {
        var judgement = Judgement(egress: egress, ingress: SnapshotLayout.none)
        judgement.validUntil = second
        judgement.isTimed = isTimed
        judgement.change = .reevaluate
        return judgement
    }

    /// A judgement of two records before they are read.
    @_noLocks @inlinable init(egress: UInt32, ingress: UInt32) {
        self.egress = egress
        self.ingress = ingress
        decision = .allow
        auditDecision = .max
        validUntil = .max
        isTimed = false
        reason = .denied
        change = .keep
        drainSeconds = .max
        inspection = 0
        isStateless = false
        isLogged = false
        isFailsafe = false
        replySeconds = 0
    }
}
