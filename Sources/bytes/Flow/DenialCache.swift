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
// Lines stand in pairs. A new refusal takes the first line of its pair, what was there moves to the second, and what was in the second
// is forgotten. Nobody loses by that but the speed of one frame. A key has one line for each end and port that its frames came from: two
// hosts that both send, or one address behind both ports, do not take each other's.

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

    @inlinable static var nothing: Denial {
        Denial(generation: 0, epoch: 0, judged: 0, isReject: false, reason: .denied, sender: .low, port: .max)
    }
}

/// The lines of one family.
@safe @usableFromInline struct DenialLines<Key: FlowKey>: ~Copyable {
    /// Pairs of lines; a power of two.
    @inlinable static var pairs: UInt64 { 4096 }
    @usableFromInline let lines: UnsafeMutableRawPointer

    @usableFromInline init() {
        let count = Int(Self.pairs) * 2
        unsafe lines = .allocate(byteCount: count * 64, alignment: 128)
        unsafe lines.initializeMemory(as: UInt64.self, repeating: 0, count: count * 8)
        for number in 0..<count { unsafe (lines + number * 64 + 48).storeBytes(of: Denial.nothing, as: Denial.self) }
    }

    deinit { unsafe lines.deallocate() }

    /// The first line of a hash's pair, by bits that choose neither the owner of a flow nor its tag: those from 40 on.
    @inlinable func pair(_ hash: UInt64) -> UnsafeMutableRawPointer {
        unsafe lines + Int(truncatingIfNeeded: (hash >> 40) & (Self.pairs &- 1)) &* 128
    }

    // A key takes 48 bytes at most; what is kept of the refusal lies behind, at the line's end.

    @inlinable func denial(_ hash: UInt64, _ key: Key, _ sender: FlowEnd, port: UInt8) -> Denial? {
        let first = unsafe pair(hash)
        return unsafe held(first, key, sender, port) ?? held(first + 64, key, sender, port)
    }

    @inlinable func held(_ line: UnsafeMutableRawPointer, _ key: Key, _ sender: FlowEnd, _ port: UInt8) -> Denial? {
        // `line` is one of ours, here and below.
        let denial = unsafe (line + 48).load(as: Denial.self)
        guard denial.port == port, port != .max, denial.sender == sender,
            unsafe Key.same(line.assumingMemoryBound(to: Key.self).pointee, key)
        else { return nil }
        return denial
    }

    @inlinable func keep(_ denial: Denial, _ hash: UInt64, _ key: Key) {
        let first = unsafe pair(hash)
        if unsafe held(first, key, denial.sender, denial.port) == nil {
            unsafe (first + 64).copyMemory(from: first, byteCount: 64)
            unsafe first.assumingMemoryBound(to: Key.self).pointee = key
        }
        unsafe (first + 48).storeBytes(of: denial, as: Denial.self)
    }
}

/// The refusals that a worker remembers: of each family the last 8,192 or fewer. Private to the worker. See the head of this file.
@safe public struct DenialCache: ~Copyable {
    @usableFromInline let v4 = DenialLines<FlowKey4>()
    @usableFromInline let v6 = DenialLines<FlowKey6>()

    /// A cache that holds nothing.
    public init() {}

    /// Brings the lines of a hash into the cache of the processor.
    @inlinable @inline(__always) public func prefetch(_ hash: UInt64, isIPv4: Bool) {
        let first = unsafe isIPv4 ? v4.pair(hash) : v6.pair(hash)
        unsafe Net.prefetch(first)
        unsafe Net.prefetch(first + 64)
    }

    /// The refusal of a connection, by its key and the end that sent, and by the same generation and epoch, if it is remembered and not
    /// too old.
    @inlinable @inline(__always) public func find(
        _ keys: borrowing FlowKeys, hash: UInt64, port: UInt8, generation: UInt32, epoch: UInt32, now: UInt32
    ) -> Denial? {
        let found =
            keys.isIPv4 ? v4.denial(hash, keys.v4, keys.sender, port: port) : v6.denial(hash, keys.v6, keys.sender, port: port)
        guard let found, found.generation == generation, found.epoch == epoch, now &- found.judged < Denial.lifetime
        else { return nil }
        return found
    }

    /// Remembers that a connection was refused; `denial` says from which end it came.
    @inlinable public mutating func keep(_ denial: Denial, _ keys: borrowing FlowKeys, hash: UInt64) {
        if keys.isIPv4 { v4.keep(denial, hash, keys.v4) } else { v6.keep(denial, hash, keys.v6) }
    }
}
