// SPDX-License-Identifier: Apache-2.0
public import Synchronization

/// The ring that carries records from one worker to control: one producer, one consumer, in a memory file that both map.
///
/// The worker never waits: where the ring is full the record is counted as lost and forgotten, because losing an event must not
/// cost a frame. The consumer is another process that may be faulty, so that nothing it writes is trusted: a consumer position
/// that does not fit makes the ring look full, and that is all. Positions only grow; `position & (capacity - 1)` is the slot.
public enum EventRingLayout {
    /// Offset of the producer's position (`UInt64`), on a cache line of its own.
    public static let producerOffset = 0
    /// Offset of the consumer's position (`UInt64`).
    public static let consumerOffset = 64
    /// Offset of the number of lost records that the consumer has told of (`UInt64`); its own, so that whoever drains next goes on there.
    public static let toldOffset = 72
    /// Offset of the number of lost records (`UInt64`).
    public static let lostOffset = 128
    /// Offset of the first slot.
    public static let slotsOffset = 192

    /// Bytes that a ring of the given capacity takes, rounded up to a cache line.
    public static func byteCount(capacity: Int) -> Int {
        (slotsOffset + capacity * MemoryLayout<FlowRecord>.stride + 63) & ~63
    }
}

/// The worker's end of an event ring.
@safe public struct EventProducer: ~Copyable {
    @usableFromInline let producer: UnsafePointer<Atomic<UInt64>>
    @usableFromInline let consumer: UnsafePointer<Atomic<UInt64>>
    @usableFromInline let lostCount: UnsafePointer<Atomic<UInt64>>
    @usableFromInline let slots: UnsafeMutablePointer<FlowRecord>
    @usableFromInline let capacity: UInt64
    @usableFromInline var position: UInt64

    /// The end of a ring at `base`, which is 64-byte aligned and as long as `EventRingLayout.byteCount` says; `capacity` is a power
    /// of two. Takes up where the memory says that an earlier worker stopped.
    public init(base: UnsafeMutableRawPointer, capacity: Int) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "an event ring's capacity is a power of two")
        unsafe producer = UnsafePointer((base + EventRingLayout.producerOffset).assumingMemoryBound(to: Atomic<UInt64>.self))
        unsafe consumer = UnsafePointer((base + EventRingLayout.consumerOffset).assumingMemoryBound(to: Atomic<UInt64>.self))
        unsafe lostCount = UnsafePointer((base + EventRingLayout.lostOffset).assumingMemoryBound(to: Atomic<UInt64>.self))
        unsafe slots = (base + EventRingLayout.slotsOffset).assumingMemoryBound(to: FlowRecord.self)
        self.capacity = UInt64(capacity)
        unsafe position = producer.pointee.load(ordering: .relaxed)
    }

    /// Writes a record, or counts it as lost where the ring is full; says which.
    @_noLocks @inlinable public mutating func push(_ record: borrowing FlowRecord) -> Bool {
        if offer(record) { return true }
        lose()
        return false
    }

    /// Writes a record where the ring has room, and says whether it had: nothing is lost of what can be told later.
    @_noLocks @inlinable public mutating func offer(_ record: borrowing FlowRecord) -> Bool {
        let used = unsafe position &- consumer.pointee.load(ordering: .acquiring)
        guard used < capacity else { return false }
        // The mask keeps the slot inside the ring whatever the positions say.
        unsafe slots[Int(truncatingIfNeeded: position & (capacity &- 1))] = copy record
        position &+= 1
        unsafe producer.pointee.store(position, ordering: .releasing)
        return true
    }

    /// Counts a record as lost that is not written.
    @_noLocks @inlinable public func lose() {
        unsafe lostCount.pointee.store(lostCount.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    /// Whether at least half of the ring has room.
    @inlinable public var isHalfFree: Bool {
        @_noLocks get { unsafe position &- consumer.pointee.load(ordering: .acquiring) <= capacity >> 1 }
    }

    /// Records lost so far.
    @inlinable public var lost: UInt64 { @_noLocks get { unsafe lostCount.pointee.load(ordering: .relaxed) } }
}

/// Control's end of an event ring.
@safe public struct EventConsumer: ~Copyable {
    private let producer: UnsafePointer<Atomic<UInt64>>
    private let consumer: UnsafePointer<Atomic<UInt64>>
    private let lostCount: UnsafePointer<Atomic<UInt64>>
    private let told: UnsafePointer<Atomic<UInt64>>
    private let slots: UnsafePointer<FlowRecord>
    private let capacity: UInt64

    /// The other end of the same memory as `EventProducer`.
    public init(base: UnsafeMutableRawPointer, capacity: Int) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "an event ring's capacity is a power of two")
        unsafe producer = UnsafePointer((base + EventRingLayout.producerOffset).assumingMemoryBound(to: Atomic<UInt64>.self))
        unsafe consumer = UnsafePointer((base + EventRingLayout.consumerOffset).assumingMemoryBound(to: Atomic<UInt64>.self))
        unsafe lostCount = UnsafePointer((base + EventRingLayout.lostOffset).assumingMemoryBound(to: Atomic<UInt64>.self))
        unsafe told = UnsafePointer((base + EventRingLayout.toldOffset).assumingMemoryBound(to: Atomic<UInt64>.self))
        unsafe slots = UnsafePointer((base + EventRingLayout.slotsOffset).assumingMemoryBound(to: FlowRecord.self))
        self.capacity = UInt64(capacity)
    }

    /// Takes up to `limit` records in order and hands each to `body`.
    public mutating func drain(limit: Int, _ body: (FlowRecord) -> Void) -> Int {
        var position = unsafe consumer.pointee.load(ordering: .relaxed)
        let ready = unsafe producer.pointee.load(ordering: .acquiring) &- position
        let count = min(Int(clamping: min(ready, capacity)), limit)
        for _ in 0..<count {
            body(unsafe slots[Int(truncatingIfNeeded: position & (capacity - 1))])
            position &+= 1
        }
        unsafe consumer.pointee.store(position, ordering: .releasing)
        return count
    }

    /// Records that the worker could not write because the ring was full.
    public var lost: UInt64 { unsafe lostCount.pointee.load(ordering: .relaxed) }

    /// Those of them that nobody was told of yet, now told: what was lost while no consumer was there is told by the next one.
    public mutating func takeLost() -> UInt64 {
        let now = lost
        defer { unsafe told.pointee.store(now, ordering: .relaxed) }
        return unsafe now &- told.pointee.load(ordering: .relaxed)
    }
}
