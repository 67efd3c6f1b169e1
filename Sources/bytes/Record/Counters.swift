// SPDX-License-Identifier: Apache-2.0
internal import Net

/// What a worker counts for one port of its queue. Written by the worker alone, read by others at any time: single 64-bit words
/// that only grow. `received = forwarded + dropped + held` holds whenever the worker is between two turns.
@frozen public struct QueueCounters: BitwiseCopyable, Sendable {
    /// Frames taken from the receive ring, with the drops that happened before a worker could look at them.
    public var received: UInt64 = 0
    /// Frames of `received` that were put into the other port's transmit ring.
    public var forwarded: UInt64 = 0
    /// Frames of our own sent out by this port.
    public var generated: UInt64 = 0
    /// Frames of `received` that wait now; goes down again.
    public var held: UInt64 = 0
    /// Bytes of `received`.
    public var receivedBytes: UInt64 = 0
    /// Bytes of `forwarded`.
    public var forwardedBytes: UInt64 = 0
    /// Positions of the receive ring consumed since the socket was made: what tells a new process how much an old one took.
    public var ringPosition: UInt64 = 0
    /// Room up to a cache line.
    public var reserved: UInt64 = 0
    /// Frames of `received` that ended here, by `DropReason.number`.
    public var dropped: InlineArray<64, UInt64> = .init(repeating: 0)

    /// All zero.
    public init() {}

    /// All frames that ended here.
    public var droppedInAll: UInt64 { (0..<DropReason.capacity).reduce(0) { $0 &+ dropped[$1] } }
}

/// What a worker counts beside its queues.
@frozen public struct WorkerCounters: BitwiseCopyable, Sendable {
    /// The pair's first and second port.
    public var ports: InlineArray<2, QueueCounters> = .init(repeating: QueueCounters())
    /// Turns that found something to do.
    public var turns: UInt64 = 0
    /// The longest turn, in nanoseconds of the monotonic clock: pauses that the worker did not choose are in it.
    public var longestTurn: UInt64 = 0
    /// The thread's CPU time, in nanoseconds.
    public var cpuTime: UInt64 = 0
    /// Frames passed to and taken from other workers of the pair.
    public var handedOver: UInt64 = 0
    /// Frames that other workers passed here.
    public var takenOver: UInt64 = 0
    /// Flows in the table now.
    public var flows: UInt64 = 0
    /// Flows that were evicted to make room.
    public var evicted: UInt64 = 0
    /// Records that did not fit into the event ring.
    public var lostEvents: UInt64 = 0
    /// Flows that wait now: half open, one-sided, or answered once.
    public var waiting: UInt64 = 0
    /// Frames of connections that had been refused within a second, which policy was not asked about again.
    public var refusedAgain: UInt64 = 0
    /// Frames that passed without a flow because there was no place for one.
    public var passedUntracked: UInt64 = 0
    /// TCP flows that were opened by a segment from the middle of a connection.
    public var pickedUp: UInt64 = 0
    /// Flow tables that were refused after a crash and replaced by empty ones.
    public var replacedTables: UInt64 = 0
    /// Until when connections may be picked up after a restart, in nanoseconds of the monotonic clock; 0 for not.
    public var graceUntil: UInt64 = 0
    /// Frames whose transport checksum was partial and was completed.
    public var completedChecksums: UInt64 = 0
    /// Flows of unicast replies to frames to a group.
    public var expectedReplies: UInt64 = 0
    /// Ends whose expected replies were forgotten for those of another one, because too many expect some.
    public var forgottenReplies: UInt64 = 0
    /// Connections that were admitted: as many records of a flow's start were written or lost.
    public var admitted: UInt64 = 0
    /// Refusals: as many are told by records of refused connections and the numbers that these carry, or are yet to be told.
    public var refused: UInt64 = 0
    /// Those of `lostEvents` that told of a connection that was admitted.
    public var lostStarts: UInt64 = 0
    /// Those of `refused` that records tell, alone or as a number.
    public var toldRefusals: UInt64 = 0
    /// Those of `refused` that nobody tells any more: the worker that held them was killed, or halted with its port.
    public var lostRefusals: UInt64 = 0

    /// All zero.
    public init() {}

    /// Books as lost what an earlier worker had refused and was yet to tell. To be called by a worker that begins, when no other writes
    /// these counters any more.
    public mutating func loseUntoldRefusals() {
        let untold = refused &- toldRefusals &- lostRefusals
        // What a worker tells twice, as a crash may leave it, is no loss.
        guard Int64(bitPattern: untold) > 0 else { return }
        lostRefusals &+= untold
    }
}

/// The kernel's six statistics of an AF_XDP socket (XDP_STATISTICS, linux/if_xdp.h), summed over the sockets that a queue has had.
@frozen public struct KernelStatistics: BitwiseCopyable, Sendable {
    /// Dropped for other reasons than a full ring: frames too long for UMEM, no memory.
    public var receiveDropped: UInt64 = 0
    /// Dropped because the descriptor was bad.
    public var receiveInvalidDescriptors: UInt64 = 0
    /// Not sent because the descriptor was bad.
    public var transmitInvalidDescriptors: UInt64 = 0
    /// Dropped because the receive ring was full.
    public var receiveRingFull: UInt64 = 0
    /// How often the fill ring was found empty.
    public var fillRingEmpty: UInt64 = 0
    /// How often the transmit ring was found empty.
    public var transmitRingEmpty: UInt64 = 0
    /// All zero.
    public init() {}
}
