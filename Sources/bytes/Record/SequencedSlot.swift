// SPDX-License-Identifier: Apache-2.0
public import Synchronization

/// A value of fixed size in memory that two processes share, with one writer and any number of readers that never wait for it: a
/// sequence count stands before the value, which the writer makes odd, writes, and makes even again (a "seqlock"). A reader copies the
/// value between two looks at the count, and believes it only where the count was even and stayed.
///
///     0   sequence (UInt64): half of it is how often something was written
///     8   the value
///
/// Whoever maps the memory may be faulty, so a reader takes one look and no more: what changes meanwhile is read at the reader's next
/// turn, and what was read is a copy, every field of which its user checks. Values are copied as bytes; all bit patterns must be valid
/// ones, so their fields are plain integers.
@safe @frozen public struct SequencedSlot<Value: BitwiseCopyable>: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutableRawPointer

    /// Bytes that a slot takes, rounded up to whole cache lines.
    public static var byteCount: Int { (8 + MemoryLayout<Value>.size + 63) & ~63 }

    /// The slot at `base`, which is 64-byte aligned, as long as `byteCount` says and outlives this.
    @unsafe public init(base: UnsafeMutableRawPointer) {
        precondition(MemoryLayout<Value>.alignment <= 8, "a shared value is made of words")
        unsafe self.base = base
    }

    @inlinable var word: UnsafePointer<Atomic<UInt64>> {
        unsafe UnsafePointer(base.assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    /// The sequence count: another number than last time means that there may be something to read.
    @inlinable public var sequence: UInt64 { unsafe word.pointee.load(ordering: .relaxed) }

    /// A copy of the value; `nil` where it is just being written.
    @inlinable public func read() -> Value? {
        let before = unsafe word.pointee.load(ordering: .acquiring)
        guard before & 1 == 0 else { return nil }
        let value = unsafe (base + 8).load(as: Value.self)
        // What was copied must not be looked at again, nor the count before it.
        atomicMemoryFence(ordering: .acquiring)
        return unsafe word.pointee.load(ordering: .relaxed) == before ? value : nil
    }

    /// Writes the value. There is one writer; one that follows another that died in the middle makes the count even again.
    @inlinable public func write(_ value: Value) {
        let odd = unsafe word.pointee.load(ordering: .relaxed) | 1
        unsafe word.pointee.store(odd, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        unsafe (base + 8).storeBytes(of: value, as: Value.self)
        unsafe word.pointee.store(odd &+ 1, ordering: .releasing)
    }
}
