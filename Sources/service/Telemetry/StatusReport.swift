// SPDX-License-Identifier: Apache-2.0
internal import Net
public import Record

/// The state of the daemon as `bulkhead status --json` prints it; its keys are a promise to others.
public struct StatusReport: Codable, Hashable, Sendable {
    /// A process of the daemon.
    public struct Process: Codable, Hashable, Sendable {
        /// keeper, data or control.
        public var name: String
        /// Process number, 0 while there is none.
        public var pid: Int32
        /// How often it was started again.
        public var restarts: UInt32
        /// A process.
        public init(name: String, pid: Int32, restarts: UInt32) {
            self.name = name
            self.pid = pid
            self.restarts = restarts
        }
    }
    /// A port pair.
    public struct Pair: Codable, Hashable, Sendable {
        /// Its name.
        public var name: String
        /// block, closed, open or bypass: what the mode word says now.
        public var mode: String
        /// What names the worker that owns a flow: `queue` where the NIC's queue does, `hash` where a hash of the flow's key does.
        public var owner: String
        /// A pair.
        public init(name: String, mode: String, owner: String) {
            self.name = name
            self.mode = mode
            self.owner = owner
        }
    }
    /// A port.
    public struct Port: Codable, Hashable, Sendable {
        /// Interface name.
        public var name: String
        /// Its pair.
        public var pair: String
        /// up, down, or gone.
        public var link: String
        /// native or generic.
        public var xdp: String
        /// zero-copy or copy.
        public var copy: String
        /// Its queues, by number.
        public var queues: [Queue]
        /// A port.
        public init(name: String, pair: String, link: String, xdp: String, copy: String, queues: [Queue]) {
            self.name = name
            self.pair = pair
            self.link = link
            self.xdp = xdp
            self.copy = copy
            self.queues = queues
        }
    }
    /// A service that no policy can close.
    public struct Opening: Codable, Hashable, Sendable {
        /// box or transit.
        public var list: String
        /// Its name in causes.
        public var name: String
        /// The services, as policies write them.
        public var services: [String]
        /// Blocks and zones of those who may open it; empty for anybody.
        public var from: [String]
        /// Blocks and zones to which it leads; empty for any.
        public var to: [String]
        /// An opening.
        public init(list: String, name: String, services: [String], from: [String], to: [String]) {
            self.list = list
            self.name = name
            self.services = services
            self.from = from
            self.to = to
        }
    }
    /// Flow tables of all workers together.
    public struct Flows: Codable, Hashable, Sendable {
        /// Flows that fit.
        public var capacity: UInt64
        /// Flows there now.
        public var used: UInt64
        /// Flows of these that wait: half open, one-sided, or answered once.
        public var waiting: UInt64?
        /// Waiting flows that gave their place to newer ones.
        public var evicted: UInt64?
        /// TCP flows that were opened by a segment from the middle of a connection.
        public var pickedUp: UInt64?
        /// Frames that passed without a flow because there was no place for one.
        public var passedUntracked: UInt64?
        /// Frames of connections that had been refused within a second.
        public var refusedAgain: UInt64?
        /// Flows of unicast replies to frames to a group.
        public var expectedReplies: UInt64?
        /// Ends whose expected replies were forgotten for another's.
        public var forgottenReplies: UInt64?
        /// Seconds for which connections under way may still be picked up, 0 when no grace is granted.
        public var grace: UInt64?
        /// Tables that were refused after a crash and replaced by empty ones.
        public var replaced: UInt64?
        /// Connections that were admitted; a record of each one's start was kept or is in `records.lost`.
        public var admitted: UInt64?
        /// Refusals of connections; each is told by a record, alone or as a number, is in `records.lost`, or is told within a second.
        public var refused: UInt64?

        private enum CodingKeys: String, CodingKey {
            case capacity, used, waiting, evicted, grace, replaced, admitted, refused
            case pickedUp = "picked_up"
            case passedUntracked = "passed_untracked"
            case refusedAgain = "refused_again"
            case expectedReplies = "expected_replies"
            case forgottenReplies = "forgotten_replies"
        }

        /// Flow tables of so many flows of which so many are used; nothing else is known.
        public init(capacity: UInt64, used: UInt64) {
            self.capacity = capacity
            self.used = used
        }

        /// Flow tables of so many flows, from what their workers count.
        public init(capacity: UInt64, workers: [WorkerCounters], grace: UInt64 = 0) {
            self.capacity = capacity
            self.grace = grace
            replaced = workers.reduce(0) { $0 &+ $1.replacedTables }
            // Data writes the counters: sums wrap.
            used = workers.reduce(0) { $0 &+ $1.flows }
            admitted = workers.reduce(0) { $0 &+ $1.admitted }
            refused = workers.reduce(0) { $0 &+ $1.refused }
            waiting = workers.reduce(0) { $0 &+ $1.waiting }
            evicted = workers.reduce(0) { $0 &+ $1.evicted }
            pickedUp = workers.reduce(0) { $0 &+ $1.pickedUp }
            passedUntracked = workers.reduce(0) { $0 &+ $1.passedUntracked }
            refusedAgain = workers.reduce(0) { $0 &+ $1.refusedAgain }
            expectedReplies = workers.reduce(0) { $0 &+ $1.expectedReplies }
            forgottenReplies = workers.reduce(0) { $0 &+ $1.forgottenReplies }
        }
    }

    /// Transport checksums, of all workers together.
    public struct Checksums: Codable, Hashable, Sendable {
        /// Frames whose sender had left the checksum to its NIC, and for which a worker completed it.
        public var completed: UInt64
        /// Checksums.
        public init(completed: UInt64) { self.completed = completed }
    }

    /// The policy generation in force, 0 before the first.
    public var generation: UInt32
    /// The inventory's epoch.
    public var epoch: UInt32
    /// keeper, data, control.
    public var processes: [Process]
    /// The port pairs in their configured order.
    public var pairs: [Pair]
    /// Their ports, first and second of each pair.
    public var ports: [Port]
    /// Flow tables.
    public var flows: Flows
    /// Transport checksums.
    public var checksums: Checksums
    /// What no policy can close.
    public var failsafe: [Opening]
    /// Which policy serves; `nil` before one does.
    public var policy: PolicyState?
    /// Everything that is on and should not stay so; `nil` of a daemon that does not say.
    public var conditions: [Condition]?
    /// What became of the workers' records; `nil` where nobody counted.
    public var records: Records?
    /// What the API's servers count; `nil` where nobody counted.
    public var api: APICounters?
    /// How the workers fare, by pair and queue; `nil` where nobody counted.
    public var workers: [Worker]?
    /// The processors that everything but the workers keeps to, as the kernel writes lists of them (`0-2,5`); `nil` where they share
    /// those of the workers.
    public var processors: String?

    /// A report from its parts.
    public init(
        generation: UInt32, epoch: UInt32, processes: [Process], pairs: [Pair], ports: [Port], flows: Flows, checksums: Checksums,
        failsafe: [Opening] = []
    ) {
        self.generation = generation
        self.epoch = epoch
        self.processes = processes
        self.pairs = pairs
        self.ports = ports
        self.flows = flows
        self.checksums = checksums
        self.failsafe = failsafe
    }
}

extension StatusReport {
    /// A queue of a port. `received = forwarded + dropped + held`, once the worker is between two turns.
    public struct Queue: Codable, Hashable, Sendable {
        /// Its number.
        public var queue: Int
        /// Frames received.
        public var received: UInt64
        /// Frames of these that left by the other port.
        public var forwarded: UInt64
        /// Frames of our own sent by this port.
        public var generated: UInt64
        /// Frames of these that wait.
        public var held: UInt64
        /// Frames of these that ended here, by reason; every reason is listed.
        public var dropped: [String: UInt64]
        /// The kernel's statistics of its socket.
        public var kernel: Kernel

        /// A queue from what its worker and the kernel counted.
        public init(queue: Int, counters: QueueCounters, kernel: KernelStatistics) {
            self.queue = queue
            received = counters.received
            forwarded = counters.forwarded
            generated = counters.generated
            held = counters.held
            dropped = Dictionary(
                uniqueKeysWithValues: DropReason.allCases.map { ($0.name, counters.dropped[Int($0.number)]) })
            self.kernel = Kernel(kernel)
        }
    }

    /// The six statistics of an AF_XDP socket under the names that the kernel gives them (struct xdp_statistics, linux/if_xdp.h).
    public struct Kernel: Codable, Hashable, Sendable {
        /// Dropped for other reasons than a full ring.
        public var dropped: UInt64
        /// Dropped because of a bad descriptor.
        public var invalidDescriptors: UInt64
        /// Not sent because of a bad descriptor.
        public var transmitInvalidDescriptors: UInt64
        /// Dropped because the receive ring was full.
        public var ringFull: UInt64
        /// How often the fill ring was found empty.
        public var fillRingEmpty: UInt64
        /// How often the transmit ring was found empty.
        public var transmitRingEmpty: UInt64

        private enum CodingKeys: String, CodingKey {
            case dropped = "rx_dropped"
            case invalidDescriptors = "rx_invalid_descs"
            case transmitInvalidDescriptors = "tx_invalid_descs"
            case ringFull = "rx_ring_full"
            case fillRingEmpty = "rx_fill_ring_empty_descs"
            case transmitRingEmpty = "tx_ring_empty_descs"
        }

        /// From the board's numbers.
        public init(_ statistics: KernelStatistics) {
            dropped = statistics.receiveDropped
            invalidDescriptors = statistics.receiveInvalidDescriptors
            transmitInvalidDescriptors = statistics.transmitInvalidDescriptors
            ringFull = statistics.receiveRingFull
            fillRingEmpty = statistics.fillRingEmpty
            transmitRingEmpty = statistics.transmitRingEmpty
        }
    }
}
