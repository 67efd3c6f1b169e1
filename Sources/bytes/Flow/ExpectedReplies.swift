// SPDX-License-Identifier: Apache-2.0
public import Net
internal import Synchronization

// Who has asked a group, and may be answered by anybody for a few seconds (mDNS, RFC 6762, 6.7; SSDP).
//
// The answers come from addresses that nobody knows before, so that each hashes to any worker of the pair. Each worker writes what it
// lets expect into its own part of one piece of memory, and reads all parts; that is asked only of a datagram that policy refuses, and
// only as long as anybody expects anything. A slot is written by one and read by many under a sequence number: a reader that meets a
// change takes the slot for empty, and the datagram for refused.
//
// Bounded: 256 slots a worker in sets of four. A full set forgets what would end first.

/// One end that may be answered.
@frozen public struct ExpectedReply: BitwiseCopyable, Sendable {
    /// Its address.
    public var address = Address(high: 0, low: 0)
    /// Its port.
    public var port: UInt16 = 0
    /// The port of the pair that it sits behind: answers come in by the other one.
    public var side: UInt8 = 0
    /// Its VLAN tags as `VLANTags.word`.
    public var vlans: UInt32 = 0
    /// Until when, in nanoseconds of the turn's clock.
    public var until: UInt64 = 0
    /// The unix second at which the rule lapses by which it asked; `.max` for never.
    public var ruleUntil: UInt32 = .max
    /// The policy generation that allows it, and only that.
    public var generation: UInt32 = 0
    /// The side record of that generation by which it asked.
    public var egressRecord: UInt32 = .max
    /// The class of who asked: another one by now is another one's business.
    public var askerClass: UInt32 = .max

    /// Nobody yet.
    @_noLocks @inlinable public init() {}

    @inlinable var place: UInt64 {
        @_noLocks get { UInt64(port) << 48 | UInt64(side) << 32 | UInt64(vlans) }
    }
}

/// The ends of a pair that may be answered, of all its workers together. A view of memory that lives as long as the process.
@safe public struct ExpectedReplies: BitwiseCopyable, @unchecked Sendable {
    private typealias Word = Atomic<UInt64>

    /// Slots of a worker; words of a slot, which is a line.
    private static var slots: Int { @_noLocks get { 256 } }
    private static var words: Int { @_noLocks get { 8 } }

    /// A line with the latest end of all, then the slots of each worker.
    private let base: UnsafePointer<Word>
    private let workers: Int

    /// Memory for the workers of a pair. It is never given back: a pair's workers end with the process.
    public init(workers: Int) {
        let count = Self.words * (1 + workers * Self.slots)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 8, alignment: 64)
        unsafe memory.initializeMemory(as: UInt64.self, repeating: 0, count: count)
        unsafe base = UnsafePointer(memory.assumingMemoryBound(to: Word.self))
        self.workers = workers
    }

    @_noLocks private func word(_ line: Int, _ number: Int) -> UnsafePointer<Word> {
        // `line` is 0, or one more than a slot's number below `workers` times `slots`; `number` is below 8.
        unsafe base + (line &* Self.words &+ number)
    }

    /// The first of the four lines that an end's slot is among.
    @_noLocks private static func set(_ reply: ExpectedReply, of worker: Int) -> Int {
        var mixed = (reply.address.high ^ reply.address.low ^ reply.place) &* 0x9E37_79B9_7F4A_7C15
        mixed ^= mixed >> 32
        return 1 &+ worker &* slots &+ Int(truncatingIfNeeded: mixed & 63) &* 4
    }

    /// Lets an end expect answers, in a slot of the worker's own; false where another end that still expected some is forgotten for it.
    @_noLocks public func expect(_ reply: ExpectedReply, by worker: Int, now: UInt64) -> Bool {
        // A worker that is alone has the only part, whatever its number.
        let first = Self.set(reply, of: worker < workers ? worker : 0)
        var (chosen, earliest) = (first, UInt64.max)
        var way = 0
        while way < 4 {
            let line = first &+ way
            let until = unsafe word(line, 4).pointee.load(ordering: .relaxed)
            if until > now, holds(line, reply) {
                (chosen, earliest) = (line, 0)
                break
            }
            if until < earliest { (chosen, earliest) = (line, until) }
            way &+= 1
        }
        write(reply, to: chosen)
        // The latest end of all workers' expectations.
        _ = unsafe word(0, 0).pointee.max(reply.until, ordering: .releasing)
        return earliest <= now
    }

    @_noLocks private func holds(_ line: Int, _ reply: ExpectedReply) -> Bool {
        unsafe word(line, 1).pointee.load(ordering: .relaxed) == reply.address.high
            && word(line, 2).pointee.load(ordering: .relaxed) == reply.address.low
            && word(line, 3).pointee.load(ordering: .relaxed) == reply.place
    }

    @_noLocks private func write(_ reply: ExpectedReply, to line: Int) {
        let sequence = unsafe word(line, 0).pointee.load(ordering: .relaxed)
        unsafe word(line, 0).pointee.store(sequence | 1, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        unsafe word(line, 1).pointee.store(reply.address.high, ordering: .relaxed)
        unsafe word(line, 2).pointee.store(reply.address.low, ordering: .relaxed)
        unsafe word(line, 3).pointee.store(reply.place, ordering: .relaxed)
        unsafe word(line, 4).pointee.store(reply.until, ordering: .relaxed)
        unsafe word(line, 5).pointee.store(UInt64(reply.generation) << 32 | UInt64(reply.ruleUntil), ordering: .relaxed)
        unsafe word(line, 6).pointee.store(UInt64(reply.askerClass) << 32 | UInt64(reply.egressRecord), ordering: .relaxed)
        unsafe word(line, 0).pointee.store((sequence | 1) &+ 1, ordering: .releasing)
    }

    /// Whether anybody expects anything: asked before `find`.
    @_noLocks public func isAnythingExpected(at now: UInt64) -> Bool {
        unsafe word(0, 0).pointee.load(ordering: .relaxed) > now
    }

    /// What the end at `wanted`'s address, port, side and tags may expect now under its generation; `nil` for nothing.
    @_noLocks public func find(_ wanted: ExpectedReply, now: UInt64) -> ExpectedReply? {
        var worker = 0
        while worker < workers {
            let first = Self.set(wanted, of: worker)
            var way = 0
            while way < 4 {
                if let found = read(first &+ way, wanted, now: now) { return found }
                way &+= 1
            }
            worker &+= 1
        }
        return nil
    }

    @_noLocks private func read(_ line: Int, _ wanted: ExpectedReply, now: UInt64) -> ExpectedReply? {
        let before = unsafe word(line, 0).pointee.load(ordering: .acquiring)
        guard before & 1 == 0, holds(line, wanted) else { return nil }
        var found = wanted
        unsafe found.until = word(line, 4).pointee.load(ordering: .relaxed)
        let stamp = unsafe word(line, 5).pointee.load(ordering: .relaxed)
        found.ruleUntil = UInt32(truncatingIfNeeded: stamp)
        let grounds = unsafe word(line, 6).pointee.load(ordering: .relaxed)
        found.egressRecord = UInt32(truncatingIfNeeded: grounds)
        found.askerClass = UInt32(truncatingIfNeeded: grounds >> 32)
        atomicMemoryFence(ordering: .acquiring)
        guard unsafe word(line, 0).pointee.load(ordering: .relaxed) == before else { return nil }
        guard found.until > now, UInt32(truncatingIfNeeded: stamp >> 32) == wanted.generation else { return nil }
        return found
    }
}
