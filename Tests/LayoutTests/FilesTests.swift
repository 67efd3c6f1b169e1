// SPDX-License-Identifier: Apache-2.0
import Flow
import Layout
import Net
import Record
import Ring
import Testing

@Suite("Memory files") struct FilesTests {
    static func pair(workers: Int, frames: Int = 8192, frameSize: Int = 2048, flows: Int = 1024) -> PairPlan {
        var pair = PairPlan()
        pair.queues = UInt8(workers)
        pair.framesPerWorker = UInt32(frames)
        pair.frameSize = UInt32(frameSize)
        pair.flowCapacity = UInt32(flows)
        return pair
    }

    @Test(arguments: [1, 2, 3, 7, 16], [1, 63, 512, 8192])
    func `nothing in the packet memory's file overlaps`(workers: Int, frames: Int) {
        for frameSize in [2048, 4096] {
            let layout = UMEMLayout(Self.pair(workers: workers, frames: frames, frameSize: frameSize))
            var pieces = [Piece("header", at: 0, MemoryHeader.size)]
            for worker in 0..<workers {
                let byteCount = FreeList.byteCount(capacity: frames * workers)
                pieces.append(Piece("free list \(worker)", at: layout.freeList(ofWorker: worker), byteCount))
            }
            let handOffs = HandOffTable.byteCount(workers: workers, capacity: UMEMLayout.handOffCapacity)
            pieces.append(Piece("hand-offs", at: layout.handOffs, handOffs))
            pieces.append(Piece("frames", at: layout.frames, layout.framesByteCount))
            expect(pieces, fit: layout.byteCount, "\(workers) workers, \(frames) frames of \(frameSize)")
            #expect(layout.frames % 4096 == 0)
            #expect(layout.framesByteCount == workers * frames * frameSize)
            #expect(layout.byteCount == layout.frames + layout.framesByteCount)
        }
    }

    @Test(arguments: [1, 2, 3, 16], [1, 2, 1024, 4097])
    func `nothing in the flows' file overlaps`(workers: Int, flows: Int) {
        let layout = FlowsLayout(Self.pair(workers: workers, flows: flows))
        var pieces = [
            Piece("header", at: 0, MemoryHeader.size), Piece("secret", at: FlowsLayout.secret, MemoryLayout<HashSecret>.size),
        ]
        for worker in 0..<workers {
            pieces.append(
                Piece("IPv4 \(worker)", at: layout.table4(ofWorker: worker), FlowTable<FlowKey4>.byteCount(capacity: flows)))
            pieces.append(
                Piece("IPv6 \(worker)", at: layout.table6(ofWorker: worker), FlowTable<FlowKey6>.byteCount(capacity: flows)))
            pieces.append(Piece("fragments \(worker)", at: layout.fragments(ofWorker: worker), FragmentTable.byteCount))
        }
        expect(pieces, fit: layout.byteCount, "\(workers) workers, \(flows) flows")
    }

    @Test func `nothing in the counters' file overlaps`() {
        var pieces = [Piece("header", at: 0, MemoryHeader.size)]
        for worker in 0..<Plan.maximumWorkers {
            pieces.append(Piece("worker \(worker)", at: CountersLayout.worker(worker), MemoryLayout<WorkerCounters>.size))
        }
        expect(pieces, fit: CountersLayout.byteCount, "counters")
    }

    @Test(arguments: [1, 2, 5, 32]) func `nothing in the events' file overlaps`(workers: Int) {
        var plan = Plan()
        plan.pairCount = workers > 16 ? 2 : 1
        plan.pairs[0].queues = UInt8(min(workers, 16))
        plan.pairs[1].queues = UInt8(workers - min(workers, 16))
        let layout = EventsLayout(plan)
        #expect(layout.workers == workers)
        var pieces = [Piece("header", at: 0, MemoryHeader.size)]
        for worker in 0..<workers {
            let byteCount = EventRingLayout.byteCount(capacity: Plan.eventCapacity)
            pieces.append(Piece("ring \(worker)", at: layout.ring(ofWorker: worker), byteCount))
        }
        expect(pieces, fit: layout.byteCount, "\(workers) workers")
    }

    @Test(arguments: [1, 2, 5, 32]) func `nothing in the inquiries' file overlaps`(workers: Int) {
        var plan = Plan()
        plan.pairCount = workers > 16 ? 2 : 1
        plan.pairs[0].queues = UInt8(min(workers, 16))
        plan.pairs[1].queues = UInt8(workers - min(workers, 16))
        let layout = InquiriesLayout(plan)
        var pieces = [
            Piece("header", at: 0, MemoryHeader.size), Piece("armed", at: InquiriesLayout.armed, 64),
            Piece("order", at: InquiriesLayout.order, SequencedSlot<CaptureOrder>.byteCount),
            Piece("question", at: InquiriesLayout.question, SequencedSlot<TraceQuestion>.byteCount),
        ]
        for worker in 0..<workers {
            pieces.append(
                Piece("answer \(worker)", at: layout.answer(ofWorker: worker), SequencedSlot<TraceAnswer>.byteCount))
            pieces.append(Piece("ring \(worker)", at: layout.ring(ofWorker: worker), CaptureRingLayout.byteCount()))
        }
        expect(pieces, fit: layout.byteCount, "\(workers) workers")
        #expect(layout.header.kind == MemoryHeader.Kind.inquiries.rawValue && layout.workers == workers)
    }

    @Test func `nothing in the board's file overlaps`() {
        var pieces = [
            Piece("header", at: 0, MemoryHeader.size), Piece("facts", at: BoardLayout.facts, MemoryLayout<BoardFacts>.size),
            Piece("plan", at: BoardLayout.plan, MemoryLayout<Plan>.size),
        ]
        for pair in 0..<Plan.maximumPairs { pieces.append(Piece("pair \(pair)", at: BoardLayout.pairs + pair * 64, 64)) }
        for worker in 0..<Plan.maximumWorkers {
            pieces.append(Piece("worker \(worker)", at: BoardLayout.workers + worker * 64, 64))
        }
        pieces.append(Piece("statistics", at: BoardLayout.statistics, Plan.maximumWorkers * 2 * 48))
        expect(pieces, fit: BoardLayout.byteCount, "board")
    }

    @Test func `what processes share keeps its sizes`() {
        #expect(MemoryLayout<FlowRecord>.size == 152)
        #expect(MemoryLayout<FlowRecord>.stride == 152)
        #expect(MemoryLayout<CaptureOrder>.size == 480)
        #expect(MemoryLayout<CapturedFrame>.size == 184)
        #expect(MemoryLayout<TraceQuestion>.size == 56)
        #expect(MemoryLayout<TraceAnswer>.size == 224)
        #expect(MemoryLayout<WorkerBoard>.size == 64)
        #expect(MemoryLayout<PairBoard>.size == 64)
        #expect(MemoryLayout<MemoryHeader>.size == 64)
        #expect(MemoryLayout<QueueCounters>.size == 64 + 64 * 8)
        #expect(MemoryLayout<WorkerCounters>.size == 2 * 576 + 176)
        #expect(MemoryLayout<KernelStatistics>.size == 48)
        #expect(MemoryLayout<FixedName>.size == 32)
        #expect(MemoryLayout<PortPlan>.size == 56)
        #expect(MemoryLayout<PairPlan>.stride == 176)
        #expect(MemoryLayout<Plan>.stride == 1800)
        #expect(MemoryLayout<BoardFacts>.size == 80)
        #expect(Int(DropReason.allCases.map(\.number).max() ?? 0) < DropReason.capacity)
    }

    @Test(arguments: [[1], [2], [1, 1], [3, 1, 2], [4, 4, 4, 4, 4, 4, 4, 4]])
    func `each descriptor that goes with a start has a place of its own`(queues: [Int]) {
        var plan = Plan()
        plan.pairCount = UInt32(queues.count)
        for (pair, count) in queues.enumerated() { plan.pairs[pair].queues = UInt8(count) }
        var places = [DataFiles.board, DataFiles.counters, DataFiles.events, DataFiles.inquiries]
        for (pair, count) in queues.enumerated() {
            places += [DataFiles.umem(ofPair: pair, in: plan), DataFiles.flows(ofPair: pair, in: plan)]
            places.append(DataFiles.mode(ofPair: pair, in: plan))
            for queue in 0..<count {
                places += (0..<2).map { DataFiles.socket(ofPair: pair, queue: queue, port: $0, in: plan) }
            }
        }
        #expect(places == Array(0..<DataFiles.count(in: plan)))
        #expect(plan.workers == queues.reduce(0, +))
        #expect(queues.indices.allSatisfy { plan.firstWorker(ofPair: $0) == queues.prefix($0).reduce(0, +) })
    }
}
