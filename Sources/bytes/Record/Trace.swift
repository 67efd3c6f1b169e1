// SPDX-License-Identifier: Apache-2.0

/// What control asks the workers about one connection: the words of its flow key, the ends in either order. One question for all
/// workers; a reader believes no field of it, and one that no key can have is simply not found.
@frozen public struct TraceQuestion: BitwiseCopyable, Sendable {
    /// Its number, never 0, which the answers repeat.
    public var number: UInt64 = 0
    /// One end's address, upper half (`Address`).
    public var firstHigh: UInt64 = 0
    /// One end's address, lower half.
    public var firstLow: UInt64 = 0
    /// The other end's address, upper half.
    public var secondHigh: UInt64 = 0
    /// The other end's address, lower half.
    public var secondLow: UInt64 = 0
    /// One end's port, or for ICMP its part of the key (`Reading.sourcePort`).
    public var firstPort: UInt16 = 0
    /// The other end's port.
    public var secondPort: UInt16 = 0
    /// VLAN tags as `VLANTags.word`.
    public var vlans: UInt32 = 0
    /// Tunnel identifier.
    public var tunnel: UInt32 = 0
    /// `protocol << 24 | pair << 16 | tunnel kind << 8 | tunnel depth`, as in a flow key; the pair says whose workers are asked.
    public var context: UInt32 = 0

    /// No question.
    public init() {}
}

/// What one worker answers: whether its table has the connection, and a copy of what it keeps of it.
@frozen public struct TraceAnswer: BitwiseCopyable, Sendable {
    /// Words of a copied entry: 192 bytes.
    public static let entryWords = 24

    /// The number of the question that is answered.
    public var number: UInt64 = 0
    /// When, in nanoseconds of the monotonic clock.
    public var time: UInt64 = 0
    /// The worker's number among all workers.
    public var worker: UInt32 = 0
    /// 1 where the table has the connection.
    public var isFound: UInt8 = 0
    /// 1 where the entry is an IPv4 flow's.
    public var isIPv4: UInt8 = 0
    /// Room that keeps the words behind it aligned; 0.
    public var reserved: UInt16 = 0
    /// Generation in force in the worker.
    public var generation: UInt32 = 0
    /// Epoch of the address map that the worker judges by.
    public var epoch: UInt32 = 0
    /// What the worker keeps of the connection, as the room that answers lays it out; zeros where it was not found.
    public var entry: InlineArray<24, UInt64> = .init(repeating: 0)

    /// No answer.
    @_noLocks public init() {}
}
