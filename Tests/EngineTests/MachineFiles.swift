// SPDX-License-Identifier: Apache-2.0
import Flow
import Glibc
import Layout
import Net
import Record
import Ring
import TestSupport

@testable import Engine

/// The files that keeper hands to data for one pair, without sockets behind them.
@safe final class MachineFiles {
    let plan: Plan
    let umem: SharedMemory
    let flows: SharedMemory
    let board: SharedMemory
    let counters: SharedMemory
    let events: SharedMemory
    let inquiries: Inquiries
    let mode: SharedMemory

    init(workers: Int = 2, flowCapacity: UInt32 = 1024) throws {
        var plan = Plan()
        plan.pairCount = 1
        plan.runFolderPath = "/run/engine-tests"
        plan.pairs[0].name = FixedName("pair") ?? FixedName()
        plan.pairs[0].ports[0].name = FixedName("left") ?? FixedName()
        plan.pairs[0].ports[1].name = FixedName("right") ?? FixedName()
        plan.pairs[0].queues = UInt8(workers)
        plan.pairs[0].frameSize = 2048
        plan.pairs[0].framesPerWorker = 128
        plan.pairs[0].ringSize = 64
        plan.pairs[0].flowCapacity = flowCapacity
        plan.pairs[0].ownerByHash = workers > 1 ? 1 : 0
        self.plan = plan
        let (layout, tables) = (UMEMLayout(plan.pairs[0]), FlowsLayout(plan.pairs[0]))
        umem = try .create("engine-tests", byteCount: layout.byteCount, header: layout.header(pair: 0))
        flows = try .create("engine-tests", byteCount: tables.byteCount, header: tables.header(pair: 0))
        board = try .create(
            "engine-tests", byteCount: BoardLayout.byteCount,
            header: MemoryHeader(.board, byteCount: BoardLayout.byteCount, geometry: BoardLayout.geometry))
        counters = try .create("engine-tests", byteCount: CountersLayout.byteCount, header: CountersLayout.header)
        let rings = EventsLayout(plan)
        events = try .create("engine-tests", byteCount: rings.byteCount, header: rings.header)
        let asked = InquiriesLayout(plan)
        inquiries = Inquiries(try .create("engine-tests", byteCount: asked.byteCount, header: asked.header), asked)
        mode = try .create("engine-tests", byteCount: 4096)
    }

    /// Copies of the descriptors in the order of `DataFiles`.
    func descriptors() -> [Int32] {
        [board, counters, events, inquiries.memory, umem, flows, mode].map { dup($0.descriptor) }
            + Array(repeating: -1, count: 2 * Int(plan.pairs[0].queues))
    }

    /// The data process's view of the files.
    func data(isFresh: Bool) throws -> DataMemory { try DataMemory(plan, descriptors(), isFresh: isFresh) }

    var layout: UMEMLayout { UMEMLayout(plan.pairs[0]) }
    var tables: FlowsLayout { FlowsLayout(plan.pairs[0]) }

    func freeList(_ worker: Int) -> FreeList {
        unsafe FreeList(base: umem.base + layout.freeList(ofWorker: worker), capacity: layout.workers * layout.framesPerWorker)
    }

    func ring(from: Int, to: Int, returning: Bool = false) -> HandOffRing {
        unsafe HandOffTable(base: umem.base + layout.handOffs, workers: layout.workers, capacity: UMEMLayout.handOffCapacity)
            .ring(from: from, to: to, returning: returning)
    }

    var secret: HashSecret { unsafe flows.base.load(fromByteOffset: FlowsLayout.secret, as: HashSecret.self) }

    /// The table of a worker, if there is one.
    func withTable4<Answer>(_ worker: Int, _ body: (inout FlowTable<FlowKey4>) throws -> Answer) rethrows -> Answer? {
        guard
            var table = unsafe FlowTable<FlowKey4>(
                base: flows.base + tables.table4(ofWorker: worker), capacity: tables.capacity, secret: secret)
        else { return nil }
        return try body(&table)
    }

    /// The fragment table of a worker, if there is one.
    func withFragments<Answer>(_ worker: Int, _ body: (inout FragmentTable) throws -> Answer) rethrows -> Answer? {
        guard
            var table = unsafe FragmentTable(
                base: flows.base + tables.fragments(ofWorker: worker), frames: layout.framesPerWorker, secret: secret)
        else { return nil }
        return try body(&table)
    }
}
