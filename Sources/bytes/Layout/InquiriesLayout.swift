// SPDX-License-Identifier: Apache-2.0
public import Record
public import Synchronization

/// Where things lie in the inquiries' file: what control asks of running workers, and what they answer. Made by keeper, mapped by data
/// and by control for reading and writing; neither believes what the other wrote.
///
///     0      MemoryHeader
///     64     until when a capture is ordered, a word on a line of its own: the only one that workers look at while there is none
///     128    the capture's order                 control writes
///     …      the question of a trace             control writes
///     …      for each worker, its answer to it   the worker writes
///     …      for each worker, its capture ring   the worker writes; control its own position
///
/// A capture goes on over a restart of data and over a hand-over: the order stays where it is. A control that starts takes back what an
/// earlier one left ordered (`disarm`).
public struct InquiriesLayout: Sendable, Equatable {
    /// Where it stands until when a capture is ordered.
    public static let armed = MemoryHeader.size
    /// Where the capture's order lies.
    public static let order = armed + 64
    /// Where the question of a trace lies.
    public static let question = order + SequencedSlot<CaptureOrder>.byteCount

    /// Workers of all pairs.
    public let workers: Int

    /// The layout for a completed plan.
    public init(_ plan: Plan) { workers = plan.workers }

    /// Where a worker's answer to the question lies.
    public func answer(ofWorker worker: Int) -> Int {
        Self.question + SequencedSlot<TraceQuestion>.byteCount + worker * SequencedSlot<TraceAnswer>.byteCount
    }
    /// Where a worker's capture ring lies.
    public func ring(ofWorker worker: Int) -> Int { answer(ofWorker: workers) + worker * CaptureRingLayout.byteCount() }
    /// Bytes of the file.
    public var byteCount: Int { ring(ofWorker: workers) }
    /// The header of the file.
    public var header: MemoryHeader {
        MemoryHeader(.inquiries, byteCount: byteCount, geometry: UInt64(workers) << 32 | UInt64(CaptureRingLayout.capacity))
    }
}

/// Access to a mapped file of inquiries whose header has been checked against the layout.
@safe public final class Inquiries: Sendable {
    /// The file.
    public let memory: SharedMemory
    /// Where things lie in it.
    public let layout: InquiriesLayout

    /// Takes over a mapped file.
    public init(_ memory: SharedMemory, _ layout: InquiriesLayout) {
        precondition(memory.byteCount >= layout.byteCount, "the file was checked to be as long as its layout")
        (self.memory, self.layout) = (memory, layout)
    }

    /// Until when a capture is ordered, in nanoseconds of the monotonic clock; 0 while there is none. Valid as long as the memory is
    /// mapped.
    @unsafe public var armed: UnsafePointer<Atomic<UInt64>> {
        unsafe UnsafePointer((memory.base + InquiriesLayout.armed).assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    /// The capture's order.
    public var order: SequencedSlot<CaptureOrder> { unsafe SequencedSlot(base: memory.base + InquiriesLayout.order) }

    /// The question of a trace.
    public var question: SequencedSlot<TraceQuestion> { unsafe SequencedSlot(base: memory.base + InquiriesLayout.question) }

    /// A worker's answer to it.
    public func answer(ofWorker worker: Int) -> SequencedSlot<TraceAnswer> {
        precondition((0..<layout.workers).contains(worker))
        return unsafe SequencedSlot(base: memory.base + layout.answer(ofWorker: worker))
    }

    /// The memory of a worker's capture ring, for either end of it.
    @unsafe public func ring(ofWorker worker: Int) -> UnsafeMutableRawPointer {
        precondition((0..<layout.workers).contains(worker))
        return unsafe memory.base + layout.ring(ofWorker: worker)
    }

    /// Orders a capture until a time of the monotonic clock: the order is there before the word that makes workers look for it.
    public func arm(_ order: CaptureOrder, until nanoseconds: UInt64) {
        self.order.write(order)
        unsafe armed.pointee.store(nanoseconds, ordering: .releasing)
    }

    /// Lets the capture that is ordered go on until another time.
    public func prolong(until nanoseconds: UInt64) { unsafe armed.pointee.store(nanoseconds, ordering: .releasing) }

    /// Ends the capture that is ordered, if there is one: workers copy nothing from their next burst on.
    public func disarm() { unsafe armed.pointee.store(0, ordering: .releasing) }
}
