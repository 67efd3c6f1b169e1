// SPDX-License-Identifier: Apache-2.0
import Datapath
import Foundation
import Measure
import Net
import Record
import Synchronization
import Telemetry

/// Control's end of a worker's captures: an order, and the ring that what it wants would come by.
@safe final class CaptureSide {
    private static let slots = 1_024
    private static let ring = 64 + SequencedSlot<CaptureOrder>.byteCount
    private let memory = Pages(count: CaptureSide.ring + CaptureRingLayout.byteCount(capacity: CaptureSide.slots), huge: false)

    /// The worker's end.
    func tap() -> CaptureTap {
        // Zeroed pages of the size that the ring and the slot ask for, which outlive the worker.
        unsafe CaptureTap(
            armed: UnsafePointer(memory.base.assumingMemoryBound(to: Atomic<UInt64>.self)),
            orders: SequencedSlot(base: memory.base + 64),
            ring: CaptureProducer(base: memory.base + Self.ring, capacity: Self.slots))
    }

    /// Orders what no frame of the stream is: all of a host that is not there.
    func arm() {
        var order = CaptureOrder()
        (order.number, order.framesPerSecond, order.snapLength) = (1, 1_000, 96)
        (order.sights, order.fates, order.families, order.blockCount) = (3, 7, 7, 1)
        if let host = Prefix("198.51.100.7/32") { order.blocks[0] = CaptureBlock(host) }
        unsafe SequencedSlot<CaptureOrder>(base: memory.base + 64).write(order)
        unsafe memory.base.storeBytes(of: .max, as: UInt64.self)
    }

    /// Takes the order back.
    func disarm() { unsafe memory.base.storeBytes(of: 0, as: UInt64.self) }
}

/// What control does with a worker's records meanwhile, on a thread of its own: takes them from the ring as often as the daemon does, puts names to
/// them, and counts edges and hits.
@safe final class ControlSide: @unchecked Sendable {
    private let worker: Worker
    private let isOver = Atomic<Bool>(false)
    private let taken = Atomic<UInt64>(0)
    private let ended = DispatchSemaphore(value: 0)

    /// Begins; the worker's records are nobody else's from here on.
    init(_ worker: Worker, _ names: PublishedNames) {
        self.worker = worker
        worker.isDrainedElsewhere = true
        Thread.detachNewThread { [self] in run(names) }
    }

    /// Records that were taken.
    var records: UInt64 { taken.load(ordering: .relaxed) }

    /// Ends, and waits until it has.
    func end() {
        isOver.store(true, ordering: .relaxed)
        ended.wait()
    }

    private func run(_ names: PublishedNames) {
        var decoder = FlowDecoder(pairs: [PairNames(name: "edge", ports: ["left", "right"])])
        decoder.learn(names)
        var consumer = worker.consumer()
        var (edges, hits) = (EdgeTable(), Hits())
        while !isOver.load(ordering: .relaxed) {
            var events: [FlowEvent] = []
            while consumer.drain(limit: 4_096, { events.append(decoder.decode($0, wallOffset: 0)) }) > 0 {}
            for event in events {
                edges.add(event)
                hits.add(event)
            }
            taken.add(UInt64(events.count), ordering: .relaxed)
            Thread.sleep(forTimeInterval: 0.025)
        }
        ended.signal()
    }
}
