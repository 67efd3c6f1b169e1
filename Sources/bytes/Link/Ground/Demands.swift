// SPDX-License-Identifier: Apache-2.0
public import Net

/// What a pair asks of its ports and of the machine.
public struct Demands: Sendable, Equatable {
    /// What an idle worker does.
    public enum Poll: Sendable {
        /// It sleeps.
        case wait
        /// It looks at the rings without pause.
        case spin
        /// Its own calls drive the device.
        case busy
    }

    /// What the pair declares for the time without a worker.
    public var fail: FailMode
    /// Whether it asked for generic XDP.
    public var generic: Bool
    /// How frames are to cross between kernel and UMEM.
    public var copy: CopyMode
    /// What an idle worker does.
    public var poll: Poll
    /// Whether its frames carry VLAN tags.
    public var tagged: Bool
    /// Queues of a port that workers can be given for.
    public var queues: UInt32

    /// Queues of a port at most, unless somebody says otherwise.
    public static let queuesAtMost: UInt32 = 16

    /// Queues of all pairs together at most, unless somebody says otherwise.
    public static let queuesInAllAtMost = 32

    /// Demands by name; the defaults are those of the configuration file.
    public init(
        fail: FailMode = .closed, generic: Bool = false, copy: CopyMode = .auto, poll: Poll = .wait, tagged: Bool = false,
        queues: UInt32 = Demands.queuesAtMost
    ) {
        self.fail = fail
        self.generic = generic
        self.copy = copy
        self.poll = poll
        self.tagged = tagged
        self.queues = queues
    }
}
