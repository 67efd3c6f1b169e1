// SPDX-License-Identifier: Apache-2.0
public import Synchronization

/// The ring that carries copies of frames from one worker to control: one producer, one consumer, in a memory file that both map, of
/// slots of one size. As in an event ring (`EventRingLayout`) the worker never waits, a full ring loses what comes and counts it,
/// and nothing that the consumer writes is trusted.
///
/// The worker fills slots behind its position and publishes them together: a frame is copied before its verdict is known, and what
/// nobody wants by then is never published.
public enum CaptureRingLayout {
    /// Bytes of a slot: a `CapturedFrame`, then the frame's bytes.
    public static let slotSize = 2048
    /// Where the frame's bytes begin in a slot.
    @inlinable public static var bytesOffset: Int { @_noLocks get { 192 } }
    /// Bytes of a frame that a slot holds.
    @inlinable public static var mostBytes: Int { @_noLocks get { 1856 } }
    /// Slots of a ring; a power of two.
    public static let capacity = 1024
    /// Offset of the producer's position (`UInt64`), on a cache line of its own.
    public static let producerOffset = 0
    /// Offset of the consumer's position (`UInt64`).
    public static let consumerOffset = 64
    /// Offset of the number of frames of which some sight found no room (`UInt64`).
    public static let lostOffset = 128
    /// Offset of the number of frames that were wanted and left out, because they were more than a second may have (`UInt64`).
    public static let suppressedOffset = 136
    /// Offset of the first slot.
    public static let slotsOffset = 192

    /// Bytes that a ring of the given capacity takes.
    public static func byteCount(capacity: Int = CaptureRingLayout.capacity) -> Int { slotsOffset + capacity * slotSize }
}

/// The worker's end of a capture ring.
@safe public struct CaptureProducer: ~Copyable {
    @usableFromInline let producer: UnsafePointer<Atomic<UInt64>>
    @usableFromInline let consumer: UnsafePointer<Atomic<UInt64>>
    @usableFromInline let lostCount: UnsafePointer<Atomic<UInt64>>
    @usableFromInline let suppressedCount: UnsafePointer<Atomic<UInt64>>
    @usableFromInline let slots: UnsafeMutableRawPointer
    @usableFromInline let capacity: UInt64
    @usableFromInline var position: UInt64

    /// The end of a ring at `base`, which is 64-byte aligned and as long as `CaptureRingLayout.byteCount` says; `capacity` is a power
    /// of two. Takes up where the memory says that an earlier worker stopped.
    @unsafe public init(base: UnsafeMutableRawPointer, capacity: Int = CaptureRingLayout.capacity) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "a capture ring's capacity is a power of two")
        unsafe producer = Self.word(base, CaptureRingLayout.producerOffset)
        unsafe consumer = Self.word(base, CaptureRingLayout.consumerOffset)
        unsafe lostCount = Self.word(base, CaptureRingLayout.lostOffset)
        unsafe suppressedCount = Self.word(base, CaptureRingLayout.suppressedOffset)
        unsafe slots = base + CaptureRingLayout.slotsOffset
        self.capacity = UInt64(capacity)
        unsafe position = producer.pointee.load(ordering: .relaxed)
    }

    /// Slots that can be filled now; none where the consumer's position does not fit.
    @_noLocks @inlinable public func room() -> UInt64 {
        let used = unsafe position &- consumer.pointee.load(ordering: .acquiring)
        return used < capacity ? capacity &- used : 0
    }

    /// The slot `offset` behind the position, below what `room` has said.
    @_noLocks @inlinable @unsafe public func slot(_ offset: UInt64) -> UnsafeMutableRawPointer {
        // The mask keeps the slot inside the ring whatever the positions say.
        unsafe slots + Int(truncatingIfNeeded: (position &+ offset) & (capacity &- 1)) &* 2048
    }

    /// Hands the next `count` slots to the consumer.
    @_noLocks @inlinable public mutating func publish(_ count: UInt64) {
        position &+= count
        unsafe producer.pointee.store(position, ordering: .releasing)
    }

    /// Counts a frame as lost.
    @_noLocks @inlinable public func lose() {
        unsafe lostCount.pointee.store(lostCount.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    /// Counts a frame as left out.
    @_noLocks @inlinable public func suppress() {
        unsafe suppressedCount.pointee.store(suppressedCount.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    private static func word(_ base: UnsafeMutableRawPointer, _ offset: Int) -> UnsafePointer<Atomic<UInt64>> {
        unsafe UnsafePointer((base + offset).assumingMemoryBound(to: Atomic<UInt64>.self))
    }
}

/// Control's end of a capture ring.
@safe public struct CaptureConsumer: ~Copyable {
    private let producer: UnsafePointer<Atomic<UInt64>>
    private let consumer: UnsafePointer<Atomic<UInt64>>
    private let lostCount: UnsafePointer<Atomic<UInt64>>
    private let suppressedCount: UnsafePointer<Atomic<UInt64>>
    private let slots: UnsafeRawPointer
    private let capacity: UInt64

    /// The other end of the same memory as `CaptureProducer`.
    @unsafe public init(base: UnsafeMutableRawPointer, capacity: Int = CaptureRingLayout.capacity) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "a capture ring's capacity is a power of two")
        func word(_ offset: Int) -> UnsafePointer<Atomic<UInt64>> {
            unsafe UnsafePointer((base + offset).assumingMemoryBound(to: Atomic<UInt64>.self))
        }
        unsafe producer = word(CaptureRingLayout.producerOffset)
        unsafe consumer = word(CaptureRingLayout.consumerOffset)
        unsafe lostCount = word(CaptureRingLayout.lostOffset)
        unsafe suppressedCount = word(CaptureRingLayout.suppressedOffset)
        unsafe slots = UnsafeRawPointer(base + CaptureRingLayout.slotsOffset)
        self.capacity = UInt64(capacity)
    }

    /// Takes up to `limit` sights in order and hands each to `body` with the frame's bytes, no more of them than a slot holds.
    public mutating func drain(limit: Int, _ body: (CapturedFrame, [UInt8]) -> Void) -> Int {
        var position = unsafe consumer.pointee.load(ordering: .relaxed)
        let ready = unsafe producer.pointee.load(ordering: .acquiring) &- position
        let count = min(Int(clamping: min(ready, capacity)), limit)
        for _ in 0..<count {
            let slot = unsafe slots + Int(position & (capacity - 1)) * CaptureRingLayout.slotSize
            // A copy: what is checked here must be what is used.
            var frame = unsafe slot.load(as: CapturedFrame.self)
            frame.captured = min(frame.captured, UInt16(CaptureRingLayout.mostBytes))
            let bytes = unsafe UnsafeRawBufferPointer(
                start: slot + CaptureRingLayout.bytesOffset, count: Int(frame.captured))
            body(frame, unsafe [UInt8](bytes))
            position &+= 1
        }
        unsafe consumer.pointee.store(position, ordering: .releasing)
        return count
    }

    /// Leaves what is in the ring to nobody: it is an earlier capture's.
    public mutating func skip() {
        unsafe consumer.pointee.store(producer.pointee.load(ordering: .acquiring), ordering: .releasing)
    }

    /// Frames of which some sight found no room, since the ring was made.
    public var lost: UInt64 { unsafe lostCount.pointee.load(ordering: .relaxed) }
    /// Frames that were wanted and left out for being too many, since the ring was made.
    public var suppressed: UInt64 { unsafe suppressedCount.pointee.load(ordering: .relaxed) }
}
