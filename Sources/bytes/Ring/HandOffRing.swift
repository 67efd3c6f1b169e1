// SPDX-License-Identifier: Apache-2.0
public import Synchronization

/// A bounded ring of descriptors from one worker to another, in the UMEM's file: how a frame reaches the worker that owns its flow
/// when the NIC put it elsewhere, and how its memory comes home afterwards. One producer, one consumer, positions on cache lines of
/// their own. `Descriptor.options` carries the port that the frame came in by, and whether its checksum is verified.
@safe public struct HandOffRing: ~Copyable {
    @usableFromInline let producer: UnsafePointer<Atomic<UInt64>>
    @usableFromInline let consumer: UnsafePointer<Atomic<UInt64>>
    @usableFromInline let slots: UnsafeMutablePointer<Descriptor>
    @usableFromInline let capacity: UInt64

    /// Bytes that a ring of `capacity` descriptors takes.
    public static func byteCount(capacity: Int) -> Int { 128 + capacity * MemoryLayout<Descriptor>.stride }

    /// The ring at `base`, 64-byte aligned; `capacity` is a power of two.
    @_noLocks @inlinable @unsafe public init(base: UnsafeMutableRawPointer, capacity: Int) {
        unsafe producer = UnsafePointer(base.assumingMemoryBound(to: Atomic<UInt64>.self))
        unsafe consumer = UnsafePointer((base + 64).assumingMemoryBound(to: Atomic<UInt64>.self))
        unsafe slots = (base + 128).assumingMemoryBound(to: Descriptor.self)
        self.capacity = UInt64(capacity)
    }

    /// Puts a descriptor into the ring; false when it is full.
    @_noLocks @inlinable public func push(_ descriptor: Descriptor) -> Bool {
        let head = unsafe producer.pointee.load(ordering: .relaxed)
        guard unsafe head &- consumer.pointee.load(ordering: .acquiring) < capacity else { return false }
        // The mask keeps the index inside the ring whatever the positions say.
        unsafe slots[Int(truncatingIfNeeded: head & (capacity &- 1))] = descriptor
        unsafe producer.pointee.store(head &+ 1, ordering: .releasing)
        return true
    }

    /// Takes the oldest descriptor; `nil` when there is none.
    @_noLocks @inlinable public func pop() -> Descriptor? {
        let tail = unsafe consumer.pointee.load(ordering: .relaxed)
        guard unsafe tail != producer.pointee.load(ordering: .acquiring) else { return nil }
        let descriptor = unsafe slots[Int(truncatingIfNeeded: tail & (capacity &- 1))]
        unsafe consumer.pointee.store(tail &+ 1, ordering: .releasing)
        return descriptor
    }

    /// Descriptors in the ring.
    @inlinable public var count: UInt64 {
        @_noLocks get { unsafe producer.pointee.load(ordering: .acquiring) &- consumer.pointee.load(ordering: .acquiring) }
    }

    /// Empties the ring: after a crash its frames are free again.
    public func reset() {
        unsafe producer.pointee.store(0, ordering: .relaxed)
        unsafe consumer.pointee.store(0, ordering: .releasing)
    }
}

/// All rings between the workers of a pair, in one piece of memory: for each ordered pair of workers one ring of frames to judge and
/// one of frames that go home.
@safe public struct HandOffTable: BitwiseCopyable {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let stride: Int
    @usableFromInline let capacity: Int
    /// Workers of the pair.
    public let workers: Int

    /// Bytes that the table takes.
    public static func byteCount(workers: Int, capacity: Int) -> Int {
        2 * workers * workers * HandOffRing.byteCount(capacity: capacity)
    }

    /// The table at `base`, 64-byte aligned.
    @unsafe public init(base: UnsafeMutableRawPointer, workers: Int, capacity: Int) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "a ring's size is a power of two")
        unsafe self.base = base
        self.workers = workers
        self.capacity = capacity
        stride = HandOffRing.byteCount(capacity: capacity)
    }

    /// The ring from one worker to another; with `returning` the one that brings frames home. Both numbers are below `workers`.
    @_noLocks @inlinable public func ring(from: Int, to: Int, returning: Bool) -> HandOffRing {
        let number = (returning ? workers &* workers : 0) &+ from &* workers &+ to
        return unsafe HandOffRing(base: base + number &* stride, capacity: capacity)
    }
}
