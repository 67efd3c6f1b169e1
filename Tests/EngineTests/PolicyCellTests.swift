// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Engine
import Glibc
import Layout
import Net
import Ring
import Synchronization
import TestSupport
import Testing

@Suite("Publication of snapshots", .serialized) struct PolicyCellTests {
    let memory: SharedMemory
    let board: Board
    let cell = PolicyCell()

    init() throws {
        memory = try SharedMemory.create("engine-tests", byteCount: BoardLayout.byteCount)
        board = unsafe Board(base: memory.base)
    }

    func publish(_ generation: UInt32, workers: Range<Int> = 0..<0) throws {
        try cell.publish(
            snapshot: PublishedFiles.image(generation: generation), map: PublishedFiles.map(), workers: workers, board: board)
    }

    @Test func `an empty cell has no policy`() {
        #expect(unsafe cell.load() == nil)
        #expect(cell.generation == 0 && cell.descriptors.isEmpty)
    }

    @Test func `what was published last is in force`() throws {
        for generation in [1, 2, 7] as [UInt32] {
            try publish(generation)
            #expect(cell.generation == generation)
            #expect(unsafe cell.load()?.pointee.snapshot.generation == generation)
            #expect(unsafe cell.load()?.pointee.snapshot.record(SmallPolicy.denied)?.drainSeconds == generation)
            #expect(unsafe cell.load()?.pointee.map.epoch == 1)
            #expect(cell.descriptors.count == 2)
        }
    }

    @Test func `what is no image or no map is refused, and the old policy stays in force`() throws {
        try publish(3)
        let noise = try SharedMemory.seal(image: [UInt8](repeating: 7, count: 5000))
        #expect(throws: SnapshotError.self) {
            try cell.publish(snapshot: noise, map: PublishedFiles.map(), workers: 0..<0, board: board)
        }
        let file = try SharedMemory.create("engine-tests", byteCount: 4096)
        #expect(throws: SnapshotError.self) {
            try cell.publish(
                snapshot: PublishedFiles.image(generation: 4), map: dup(file.descriptor), workers: 0..<0, board: board)
        }
        #expect(throws: RingError.self) {
            try cell.publish(snapshot: -1, map: PublishedFiles.map(), workers: 0..<0, board: board)
        }
        #expect(throws: RingError.self) {
            try cell.publish(snapshot: PublishedFiles.image(generation: 4), map: -1, workers: 0..<0, board: board)
        }
        #expect(cell.generation == 3)
        #expect(unsafe cell.load()?.pointee.snapshot.generation == 3)
    }

    @Test func `an image that can still be written is refused: what was checked must stay so`() throws {
        try publish(3)
        #expect(throws: RingError.self) {
            try cell.publish(
                snapshot: PublishedFiles.unsealedImage(generation: 4), map: PublishedFiles.map(), workers: 0..<0, board: board)
        }
        #expect(cell.generation == 3)
    }

    @Test func `a map that can be cut short is refused: whoever reads behind its end faults`() throws {
        try publish(3)
        #expect(throws: RingError.self) {
            try cell.publish(
                snapshot: PublishedFiles.image(generation: 4), map: PublishedFiles.unsealedMap(), workers: 0..<0, board: board)
        }
        #expect(cell.generation == 3)
    }

    @Test func `refused files are closed`() throws {
        func file(behind descriptor: Int32) -> UInt {
            var facts = stat()
            return unsafe fstat(descriptor, &facts) == 0 ? facts.st_ino : 0
        }
        let (image, map) = (try PublishedFiles.unsealedImage(generation: 4), try PublishedFiles.unsealedMap())
        let before = (file(behind: image), file(behind: map))
        #expect(throws: RingError.self) { try cell.publish(snapshot: image, map: map, workers: 0..<0, board: board) }
        #expect(file(behind: image) != before.0 && file(behind: map) != before.1)
    }

    @Test func `the old policy stays mapped until the worker that holds it has left it`() throws {
        try publish(1)
        let turn = unsafe board.word(.turn, ofWorker: 2)
        unsafe turn.pointee.store(41, ordering: .sequentiallyConsistent)
        let held = unsafe try #require(cell.load())
        let isPublished = SharedFlag()
        let (cell, board) = (cell, board)
        let publisher = RealThread {
            try? cell.publish(
                snapshot: PublishedFiles.image(generation: 2), map: PublishedFiles.map(), workers: 0..<4, board: board)
            isPublished.raise()
        }
        while unsafe cell.load() == held { RealThread.yield() }
        usleep(50_000)
        // The new one is in force for others, and the old one can be read.
        #expect(!isPublished.isRaised)
        #expect(unsafe cell.load()?.pointee.snapshot.generation == 2)
        #expect(unsafe held.pointee.snapshot.record(SmallPolicy.denied)?.drainSeconds == 1)
        unsafe turn.pointee.store(42, ordering: .sequentiallyConsistent)
        publisher.join()
        #expect(isPublished.isRaised)
    }

    @Test(.timeLimit(.minutes(1))) func `the word of a worker that was killed in its turn holds nobody up`() throws {
        try publish(1)
        // Of three, the second does not run: its pair waits for a port.
        unsafe board.word(.turn, ofWorker: 1).pointee.store(41, ordering: .sequentiallyConsistent)
        try cell.publish(snapshot: PublishedFiles.image(generation: 2), map: PublishedFiles.map(), workers: [0, 2], board: board)
        #expect(cell.generation == 2)
    }

    @Test func `a thousand publications under readers fault nobody and go only forwards`() throws {
        try publish(1)
        let (cell, board) = (cell, board)
        let isOver = SharedFlag()
        let turns = Atomic<UInt64>(0)
        let wrong = Atomic<UInt64>(0)
        let readers = (0..<3).map { worker in
            RealThread {
                let turn = unsafe board.word(.turn, ofWorker: worker)
                var count: UInt64 = 0
                var newest: UInt32 = 0
                while !isOver.isRaised {
                    count += 1
                    unsafe turn.pointee.store(count, ordering: .sequentiallyConsistent)
                    if let policy = unsafe cell.load() {
                        for _ in 0..<20 {
                            let generation = unsafe policy.pointee.snapshot.generation
                            let inMemory = unsafe policy.pointee.snapshot.record(SmallPolicy.denied)?.drainSeconds
                            let epoch = unsafe policy.pointee.map.epoch
                            if inMemory != generation || generation < newest || epoch != 1 { wrong.add(1, ordering: .relaxed) }
                            newest = generation
                        }
                    }
                    count += 1
                    unsafe turn.pointee.store(count, ordering: .sequentiallyConsistent)
                    turns.add(1, ordering: .relaxed)
                    // Now and then a worker sleeps, with an even word.
                    if count % 512 == 0 { usleep(200) }
                }
            }
        }
        for generation in 2...1001 as ClosedRange<UInt32> { try publish(generation, workers: 0..<3) }
        let haveTurned = eventually { turns.load(ordering: .relaxed) > 1000 }
        isOver.raise()
        for reader in readers { reader.join() }
        #expect(wrong.load(ordering: .relaxed) == 0 && haveTurned)
        #expect(cell.generation == 1001)
    }
}

/// A word that one thread raises and others see.
final class SharedFlag: Sendable {
    private let word = Atomic<Bool>(false)
    var isRaised: Bool { word.load(ordering: .acquiring) }
    func raise() { word.store(true, ordering: .releasing) }
}
