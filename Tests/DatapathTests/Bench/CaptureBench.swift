// SPDX-License-Identifier: Apache-2.0
import Datapath
import Net
import Record
import Synchronization
import TestSupport

/// A sight that a worker has written, and the frame's bytes.
struct Sight {
    var frame: CapturedFrame
    var bytes: [UInt8]

    var kind: CapturedFrame.Sight? { CapturedFrame.Sight(rawValue: frame.sight) }
    var fate: CapturedFrame.Fate? { CapturedFrame.Fate(rawValue: frame.fate) }
    var reason: DropReason? { frame.flow.reason == FlowRecord.none8 ? nil : DropReason(rawValue: frame.flow.reason) }
    func has(_ mark: UInt8) -> Bool { frame.marks & mark != 0 }
}

/// What control has of one worker's captures: the order, the word that says until when, and the ring.
@safe final class CaptureBench {
    /// Slots of the rings of benches that are made meanwhile; 0 for lanes without captures.
    @TaskLocal static var slots = 0

    private let memory: PlainMemory
    private let slots: Int
    private let ring = 64 + SequencedSlot<CaptureOrder>.byteCount
    private var consumer: CaptureConsumer

    /// A capture of everything is on from the start.
    init(slots: Int) {
        self.slots = slots
        memory = PlainMemory(byteCount: ring + CaptureRingLayout.byteCount(capacity: slots))
        consumer = unsafe CaptureConsumer(base: memory.base + ring, capacity: slots)
        arm(Self.everything)
    }

    /// An order for whole frames of every kind and fate.
    static var everything: CaptureOrder {
        var order = CaptureOrder()
        (order.number, order.framesPerSecond, order.withPayload) = (1, CaptureOrder.fastest, 1)
        (order.snapLength, order.sights, order.fates, order.families) = (UInt16(CaptureRingLayout.mostBytes), 3, 7, 7)
        return order
    }

    /// The worker's end.
    func tap() -> CaptureTap {
        unsafe CaptureTap(
            armed: UnsafePointer(memory.base.assumingMemoryBound(to: Atomic<UInt64>.self)), orders: order,
            ring: CaptureProducer(base: memory.base + ring, capacity: slots))
    }

    private var order: SequencedSlot<CaptureOrder> { unsafe SequencedSlot(base: memory.base + 64) }

    func arm(_ order: CaptureOrder, until nanoseconds: UInt64 = .max) {
        self.order.write(order)
        unsafe memory.base.storeBytes(of: nanoseconds, as: UInt64.self)
    }

    /// Writes bytes over the order as a faulty control would, its count left even.
    func overwrite(_ random: inout PacketRandom) {
        for offset in 0..<SequencedSlot<CaptureOrder>.byteCount {
            unsafe memory.base.storeBytes(
                of: UInt8(truncatingIfNeeded: random.next() >> 40), toByteOffset: 64 + offset, as: UInt8.self)
        }
        let count = random.next() & ~1
        unsafe memory.base.storeBytes(of: count, toByteOffset: 64, as: UInt64.self)
    }

    func disarm() { unsafe memory.base.storeBytes(of: 0, as: UInt64.self) }

    /// What was seen since the last call.
    func take() -> [Sight] {
        var sights: [Sight] = []
        while consumer.drain(limit: 1024, { sights.append(Sight(frame: $0, bytes: $1)) }) > 0 {}
        return sights
    }

    var lost: UInt64 { consumer.lost }
    var suppressed: UInt64 { consumer.suppressed }
    var isMarginIntact: Bool { memory.isMarginIntact }
}
