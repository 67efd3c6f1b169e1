// SPDX-License-Identifier: Apache-2.0

/// What one side of a connection decides, interned: decision, cause, what audit would have said beside it, how long it holds and
/// what holds afterwards. Two of them, the source's egress and the destination's ingress, make a connection's verdict.
@frozen public struct SideRecord: BitwiseCopyable, Sendable {
    /// What becomes of live connections when this record stops deciding.
    @frozen public enum Change: UInt8, Sendable, CaseIterable {
        /// They are judged again on their next frame.
        case reevaluate = 0
        /// They go on until they end.
        case keep
        /// They go on for `drainSeconds`.
        case drain
        /// They are reset.
        case reset

        /// The case's number, for hot code.
        @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }
    }

    /// The decision's number.
    public var decision: UInt8 = 0
    /// What audit would have decided, or 255 where nothing is audited.
    public var audit: UInt8 = 255
    /// The change mode's number.
    public var change: UInt8 = 0
    /// Bit 0: unjudged (the zone pair's setting decided). Bit 1: contested. Bit 2: stateless (`track: none`). Bit 3: logged. Bit 4: lease.
    /// Bit 5: failsafe.
    public var flags: UInt8 = 0
    /// Index in the cause table of this generation.
    public var cause: UInt32 = SnapshotLayout.none
    /// Index in the cause table of what audit would have said, or none.
    public var auditCause: UInt32 = SnapshotLayout.none
    /// The record that decides from `validUntil` on; greater than this record's own number, so that a chain ends.
    public var successor: UInt32 = SnapshotLayout.none
    /// Unix seconds at which this record stops deciding; `UInt64.max` for ever.
    public var validUntil: UInt64 = .max
    /// For `Change.drain`.
    public var drainSeconds: UInt32 = 0
    /// The layer-7 program that must see the connection, 0 for none.
    public var inspection: UInt32 = 0
    /// With the flag `lease`: unix seconds at which live connections are judged again; `UInt64.max` for never.
    public var flowsUntil: UInt64 = .max
    /// For a frame to a group: so many seconds long unicast replies are expected by its source, 0 for none.
    public var replySeconds: UInt32 = 0
    /// Room up to a multiple of 8; 0.
    public var reserved: UInt32 = 0

    /// `flags`: the zone pair's setting decided, not a policy.
    @inlinable public static var unjudged: UInt8 { @_noLocks get { 1 } }
    /// `flags`: the address is contested.
    @inlinable public static var contested: UInt8 { @_noLocks get { 2 } }
    /// `flags`: no flow is kept.
    @inlinable public static var stateless: UInt8 { @_noLocks get { 4 } }
    /// `flags`: a rule that logs spoke on the way.
    @inlinable public static var logged: UInt8 { @_noLocks get { 8 } }
    /// `flags`: at `validUntil` an address lease lapses, which stops new connections only; live ones go on until `flowsUntil`.
    @inlinable public static var lease: UInt8 { @_noLocks get { 16 } }

    /// `flags`: a management service that no policy can close.
    @inlinable public static var failsafe: UInt8 { @_noLocks get { 32 } }

    /// Every bit of `flags` that means something.
    static let allFlags: UInt8 = 63

    /// A record that allows for ever without a cause.
    public init() {}

    /// Whether it has nothing to say beside its decision and its cause, so that nobody needs to read it to judge.
    var onlyDecides: Bool {
        audit == .max && change == Change.reevaluate.rawValue && flags == 0 && validUntil == .max && inspection == 0
            && replySeconds == 0 && decision <= 2
    }
}
