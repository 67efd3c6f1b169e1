// SPDX-License-Identifier: Apache-2.0

/// What the appliance's configuration says of connections: how long they are kept, how strictly they are followed, and how much of
/// everything there may be. Part of the snapshot's image, so that it changes with a generation and a worker finds it with one load.
/// What sizes memory (the table's capacity) is no part of it: that is fixed at the start.
@frozen public struct FlowSettings: BitwiseCopyable, Hashable, Sendable {
    /// When a TCP segment from the middle of a connection may open a flow that policy allows.
    @frozen public enum PickUp: UInt8, Sendable, CaseIterable {
        /// Never: only a SYN opens.
        case never = 0
        /// For `graceSeconds` after a restart that lost the table, and after frames have passed unjudged.
        case restart
        /// Always.
        case always
    }
    /// What becomes of the sequence and acknowledgement numbers of TCP.
    @frozen public enum Windows: UInt8, Sendable, CaseIterable {
        /// A segment outside of the windows is dropped.
        case strict = 0
        /// Only a RST is held against them.
        case loose
    }
    /// What becomes of a frame whose transport checksum is only the pseudo-header's sum, because its sender left the rest to a NIC.
    @frozen public enum Partial: UInt8, Sendable, CaseIterable {
        /// It is completed.
        case complete = 0
        /// It is refused.
        case refuse
    }
    /// What becomes of a connection that policy allows and that finds no place in the table.
    @frozen public enum WhenFull: UInt8, Sendable, CaseIterable {
        /// It is dropped.
        case deny = 0
        /// Each of its frames is judged by itself, as under `track: none`.
        case pass

        /// The case's number, for hot code (see `DropReason.number`).
        @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }
    }

    /// How long quiet flows are kept.
    public var timeouts = FlowTimeouts()
    /// How long after a restart mid-stream segments may open flows, in seconds, 0 to 3600.
    public var graceSeconds: UInt32 = 30
    /// Of 1,000 flows of the capacity, how many may wait (half open, one-sided, or answered once), 10 to 1,000.
    public var waitingShare: UInt32 = 250
    /// Flows of each worker that only failsafe services may take, 0 to 65,536 and at most an eighth of its capacity.
    public var reservedFlows: UInt32 = 64
    /// New flows a second from one source address (IPv6: from one /64) and worker; 0 for no limit.
    public var sourceRate: UInt32 = 0
    /// New flows of one source at once after a quiet time; meaningless without `sourceRate`.
    public var sourceBurst: UInt32 = 0
    /// Answers to rejected frames that a worker sends in a second at most, and at once; 0 for none.
    public var repliesPerSecond: UInt32 = 200
    /// ICMP errors that a worker lets through in a second at most, and at once; 0 for no limit.
    public var errorsPerSecond: UInt32 = 1000
    /// How long the fragments of a datagram are waited for, in ticks; at most 120 s.
    public var fragmentTimeout = FlowTimeouts.ticks(seconds: 15)
    /// Datagrams of one source that may be incomplete at a worker, 1 to 1,024.
    public var fragmentDatagrams: UInt32 = 256
    /// Fragments of one source that a worker may hold, 1 to 1,024.
    public var fragmentFrames: UInt32 = 512
    /// A `PickUp`'s number.
    public var pickUp = PickUp.restart.rawValue
    /// A `Windows`' number.
    public var windows = Windows.strict.rawValue
    /// 1 where the appliance sees only one direction of its connections: then windows are loose, and TCP goes on without an answer.
    public var isAsymmetric: UInt8 = 0
    /// 1 where a wrong transport checksum drops the frame before it touches any state.
    public var verifiesChecksums: UInt8 = 1
    /// A `Partial`'s number.
    public var partialChecksums = Partial.complete.rawValue
    /// A `WhenFull`'s number.
    public var whenFull = WhenFull.deny.rawValue
    /// Seconds between two records of a live flow; 0 for none.
    public var recordSeconds: UInt16 = 60

    /// The defaults.
    @inlinable public init() {}

    /// Whether every field holds what it may: nothing else is believed of an image.
    public var isPossible: Bool {
        let longest = FlowTimeouts.ticks(seconds: FlowTimeouts.longest)
        for (_, path) in FlowTimeouts.names {
            guard (1...longest).contains(timeouts[keyPath: path]) else { return false }
        }
        guard graceSeconds <= 3600, (10...1000).contains(waitingShare), reservedFlows <= 65_536 else { return false }
        guard sourceRate <= 10_000_000, sourceBurst <= 10_000_000, sourceRate == 0 || sourceBurst > 0 else { return false }
        guard repliesPerSecond <= 1_000_000, errorsPerSecond <= 1_000_000 else { return false }
        guard fragmentTimeout > 0, fragmentTimeout <= FlowTimeouts.ticks(seconds: 120) else { return false }
        guard (1...1024).contains(fragmentDatagrams), (1...1024).contains(fragmentFrames) else { return false }
        return pickUp <= 2 && windows <= 1 && isAsymmetric <= 1 && verifiesChecksums <= 1 && partialChecksums <= 1
            && whenFull <= 1
    }
}
