// SPDX-License-Identifier: Apache-2.0
public import Net

// Connections that policy has refused, remembered for a second.
//
// Problem. A refused connection leaves no flow, so its next frame asks policy again: two owners, two rows, a report. Who floods with
// frames that are denied would cost more than who floods with frames that are allowed.
//
// Answer. A line of 64 bytes for each of the last refusals holds the connection's whole key, the end and the port that it came from,
// and the two stamps by which it was judged. A frame that finds no flow finds its line with one look, and ends there. What is kept
// cannot be wrong: the key is compared as a whole (never a hash for it), another generation or epoch makes a line worthless, and so
// does a second of age. That second is also the pace of reports: the first refusal is reported, those of the second behind it are
// counted and told with the next.
//
// Each refusal may lie in either of two lines, which different bits of its hash choose. A new one takes one of them that holds nothing any
// more; where both do, they lose theirs by turns. Who lost its line comes back by its next frame, and goes to its other one: so refusals move
// apart by themselves until each of them has a line, as long as there are half as many of them as there are lines or fewer. (In pairs of
// neighbouring lines one frame in 120 of 1,000 refused connections asked policy, for ever: three that meet in a pair take turns.) Nobody
// loses by that but the speed of one frame. A key has one line for each end and port that its frames came from: two hosts that both
// send, or one address behind both ports, do not take each other's.

/// What is kept of a refusal beside its key.
@frozen public struct Denial: BitwiseCopyable, Sendable {
    /// The policy generation that refused.
    public var generation: UInt32
    /// The inventory epoch that refused.
    public var epoch: UInt32
    /// When, in ticks of 2²⁰ ns.
    public var judged: UInt32
    /// Whether the sender is told.
    public var isReject: Bool
    /// Why.
    public var reason: DropReason
    /// The end that sent the frame.
    public var sender: FlowEnd
    /// The port of the pair that it came in by; 255 in a line that holds nothing.
    public var port: UInt8

    /// What is kept of a refusal.
    @_noLocks @inlinable public init(
        generation: UInt32, epoch: UInt32, judged: UInt32, isReject: Bool, reason: DropReason, sender: FlowEnd, port: UInt8
    ) {
        self.generation = generation
        self.epoch = epoch
        self.judged = judged
        self.isReject = isReject
        self.reason = reason
        self.sender = sender
        self.port = port
    }

    /// How long a refusal is believed, in ticks: a second.
    @inlinable public static var lifetime: UInt32 { @_noLocks get { 953 } }
    /// For the same reason, whether a verdict that ends at a certain time can be kept: only one that outlasts the line's second.
    @_noLocks @inlinable public static func mayKeep(until: UInt32, wall: UInt64) -> Bool {
        until == .max || UInt64(until) > wall &+ 2
    }

    /// Whether a refusal is believed under a generation and an epoch.
    @_noLocks @inlinable @inline(__always) func holds(generation: UInt32, epoch: UInt32, now: UInt32) -> Bool {
        self.generation == generation && self.epoch == epoch && now &- judged < Denial.lifetime
    }

    @inlinable static var nothing: Denial {
        Denial(generation: 0, epoch: 0, judged: 0, isReject: false, reason: .denied, sender: .low, port: .max)
    }
}

/// The lines of one family.
@safe @usableFromInline struct DenialLines<Key: FlowKey>: ~Copyable {
    /// How many: 2¹³.
    @inlinable static var count: Int { 8192 }
    @usableFromInline let lines: UnsafeMutableRawPointer

    @usableFromInline init() {
        unsafe lines = .allocate(byteCount: Self.count * 64, alignment: 64)
        unsafe lines.initializeMemory(as: UInt64.self, repeating: 0, count: Self.count * 8)
        for number in 0..<Self.count { unsafe (lines + number * 64 + 48).storeBytes(of: Denial.nothing, as: Denial.self) }
    }

    deinit { unsafe lines.deallocate() }

    // Both lines of a hash, by bits that choose neither the owner of a flow nor its tag: thirteen from 40 on, and the uppermost thirteen.

    @inlinable @inline(__always) func first(_ hash: UInt64) -> UnsafeMutableRawPointer {
        unsafe lines + Int(truncatingIfNeeded: hash >> 40 & UInt64(Self.count &- 1)) &* 64
    }

    @inlinable @inline(__always) func second(_ hash: UInt64) -> UnsafeMutableRawPointer {
        unsafe lines + Int(truncatingIfNeeded: hash >> 51) &* 64
    }

    // A key takes 48 bytes at most; what is kept of the refusal lies behind, at the line's end.

    @inlinable func denial(_ hash: UInt64, _ key: Key, _ sender: FlowEnd, port: UInt8) -> Denial? {
        unsafe held(first(hash), key, sender, port) ?? held(second(hash), key, sender, port)
    }

    @inlinable func held(_ line: UnsafeMutableRawPointer, _ key: Key, _ sender: FlowEnd, _ port: UInt8) -> Denial? {
        // `line` is one of ours, here and below.
        let denial = unsafe (line + 48).load(as: Denial.self)
        guard denial.port == port, port != .max, denial.sender == sender,
            unsafe Key.same(line.assumingMemoryBound(to: Key.self).pointee, key)
        else { return nil }
        return denial
    }

    @inlinable func keep(_ denial: Denial, _ hash: UInt64, _ key: Key, _ displaced: inout UInt64) {
        let line = unsafe line(for: denial, hash, key, &displaced)
        unsafe line.assumingMemoryBound(to: Key.self).pointee = key
        unsafe (line + 48).storeBytes(of: denial, as: Denial.self)
    }

    /// Where a refusal goes: to its own line if it has one, to one that holds nothing that is believed, else to either by turns.
    @inlinable func line(
        for denial: Denial, _ hash: UInt64, _ key: Key, _ displaced: inout UInt64
    ) -> UnsafeMutableRawPointer {
        let (one, other) = unsafe (first(hash), second(hash))
        if unsafe held(one, key, denial.sender, denial.port) != nil { return unsafe one }
        if unsafe held(other, key, denial.sender, denial.port) != nil { return unsafe other }
        if unsafe isFree(one, for: denial) { return unsafe one }
        if unsafe isFree(other, for: denial) { return unsafe other }
        displaced &+= 1
        return unsafe displaced & 1 == 1 ? one : other
    }

    @inlinable func isFree(_ line: UnsafeMutableRawPointer, for denial: Denial) -> Bool {
        let there = unsafe (line + 48).load(as: Denial.self)
        return there.port == .max || !there.holds(generation: denial.generation, epoch: denial.epoch, now: denial.judged)
    }
}

/// The refusals that a worker remembers: of each family the last 8,192 or fewer. Private to the worker. See the head of this file.
@safe public struct DenialCache: ~Copyable {
    @usableFromInline let v4 = DenialLines<FlowKey4>()
    @usableFromInline let v6 = DenialLines<FlowKey6>()
    /// Refusals that lost their line to another one while they were believed: the lowest bit says which line the next one loses.
    @usableFromInline var displaced: UInt64 = 0

    /// A cache that holds nothing.
    public init() {}

    /// How many refusals have lost their line to another one while they were believed.
    @inlinable public var displacements: UInt64 { displaced }

    /// Brings the lines of a hash into the cache of the processor.
    @inlinable @inline(__always) public func prefetch(_ hash: UInt64, isIPv4: Bool) {
        unsafe Net.prefetch(isIPv4 ? v4.first(hash) : v6.first(hash))
        unsafe Net.prefetch(isIPv4 ? v4.second(hash) : v6.second(hash))
    }

    /// The refusal of a connection, by its key and the end that sent, and by the same generation and epoch, if it is remembered and not
    /// too old.
    @inlinable @inline(__always) public func find(
        _ keys: borrowing FlowKeys, hash: UInt64, port: UInt8, generation: UInt32, epoch: UInt32, now: UInt32
    ) -> Denial? {
        let found =
            keys.isIPv4 ? v4.denial(hash, keys.v4, keys.sender, port: port) : v6.denial(hash, keys.v6, keys.sender, port: port)
        guard let found, found.holds(generation: generation, epoch: epoch, now: now) else { return nil }
        return found
    }

    /// Remembers that a connection was refused; `denial` says from which end it came.
    @inlinable public mutating func keep(_ denial: Denial, _ keys: borrowing FlowKeys, hash: UInt64) {
        if keys.isIPv4 { v4.keep(denial, hash, keys.v4, &displaced) } else { v6.keep(denial, hash, keys.v6, &displaced) }
    }
}
