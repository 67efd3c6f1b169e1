// SPDX-License-Identifier: Apache-2.0
import Ring
import TestSupport
import Testing

@Suite("UMEM") struct UMEMTests {
    /// Two workers with eight frames each.
    let memory: PlainMemory
    let umem: UMEM

    init() {
        memory = PlainMemory(byteCount: 16 * 2048)
        umem = unsafe UMEM(frames: memory.base, frameSize: 2048, framesPerWorker: 8, workers: 2)
    }

    @Test func `what lies inside one frame is inside`() {
        #expect(umem.contains(0, length: 0))
        #expect(umem.contains(0, length: 2048))
        #expect(umem.contains(256, length: 1792))
        #expect(umem.contains(2047, length: 1))
        #expect(umem.contains(15 * 2048, length: 2048))
        #expect(umem.contains(16 * 2048 - 1, length: 1))
    }

    @Test func `what crosses a frame's end or lies behind the last frame is not`() {
        #expect(umem.contains(256, length: 1793) == false)
        #expect(umem.contains(2047, length: 2) == false)
        #expect(umem.contains(0, length: 2049) == false)
        #expect(umem.contains(0, length: .max) == false)
        #expect(umem.contains(16 * 2048, length: 0) == false)
        #expect(umem.contains(16 * 2048, length: 60) == false)
        #expect(umem.contains(.max, length: 0) == false)
        #expect(umem.contains(.max - 59, length: 60) == false)
        #expect(umem.contains(1 << 63, length: 1) == false)
    }

    @Test func `every address of a frame leads to its start and to the worker at home`() {
        for frame in 0..<16 as Range<UInt64> {
            for offset in [0, 1, 256, 2047] as [UInt64] {
                #expect(umem.frameStart(frame * 2048 + offset) == frame * 2048)
                #expect(umem.homeWorker(of: frame * 2048 + offset) == Int(frame / 8))
            }
        }
        // Beyond the memory no worker is at home: the number is none of the pair's.
        #expect(umem.homeWorker(of: 16 * 2048) == 2)
        #expect(umem.homeWorker(of: .max) >= 2)
    }

    @Test func `an address is an offset from the first frame`() {
        memory.write([1, 2, 3], at: 4096 + 256)
        #expect(unsafe umem.bytes(at: 4096 + 256).load(as: UInt8.self) == 1)
        #expect(unsafe umem.bytes(at: 0) == memory.base)
    }
}

@Suite("Free list") struct FreeListTests {
    @Test func `it gives what it was given, the last one first, and no more`() {
        let memory = PlainMemory(byteCount: FreeList.byteCount(capacity: 4))
        var list = unsafe FreeList(base: memory.base, capacity: 4)
        #expect(list.pop() == nil)
        for address in 1...4 as ClosedRange<UInt64> { #expect(list.push(address) == true) }
        #expect(list.push(5) == false)
        #expect(list.count == 4)
        for address in [4, 3, 2, 1] as [UInt64] { #expect(list.pop() == address) }
        #expect(list.pop() == nil)
        #expect(list.count == 0)
        #expect(memory.isMarginIntact)
    }

    @Test func `what a completion ring names comes back by its frames' starts, as far as it names frames and there is room`() {
        // Positions that wrap around, in slots and in numbers.
        let (memory, rings) = (PlainMemory(byteCount: FreeList.byteCount(capacity: 3)), RingMemory(size: 4, position: .max - 1))
        let frames = PlainMemory(byteCount: 4 * 4096)
        let umem = unsafe UMEM(frames: frames.base, frameSize: 4096, framesPerWorker: 4, workers: 1)
        var kernel = rings.kernels()
        var list = unsafe FreeList(base: memory.base, capacity: 3)
        for address in [256, 4 * 4096, 8192 + 4095, .max] as [UInt64] { kernel.completion.push(address) }
        kernel.completion.submit()
        let ours = rings.ours()
        list.push(ours.completion.peek(.max), of: ours.completion.view, in: umem)
        #expect(list.count == 2)
        list.push(4, of: ours.completion.view, in: umem)
        #expect([list.pop(), list.pop(), list.pop(), list.pop()] == [0, 8192, 0, nil])
        #expect(memory.isMarginIntact)
    }

    @Test(arguments: [(0, []), (2, [3, 2]), (3, [3, 2, 1]), (4, [3, 2, 1])] as [(UInt32, [UInt64])])
    func `the kernel is given free frames, the last one first, as many as are wanted and there are`(
        wanted: UInt32, given: [UInt64]
    ) {
        let (memory, rings) = (PlainMemory(byteCount: FreeList.byteCount(capacity: 4)), RingMemory(size: 4, position: .max - 1))
        var list = unsafe FreeList(base: memory.base, capacity: 4)
        for address in 1...3 as ClosedRange<UInt64> { _ = list.push(address) }
        var ours = rings.ours()
        var kernel = rings.kernels()
        let count = ours.fill.push(atMost: min(wanted, ours.fill.free(wanted)), of: &list)
        ours.fill.submit()
        #expect(count == UInt32(given.count) && list.count == 3 - UInt64(given.count))
        #expect((0..<kernel.fill.peek(.max)).map { kernel.fill[$0] } == given)
        kernel.fill.release(count)
        #expect(rings.memory.isMarginIntact)
    }

    @Test func `a refill makes exactly the frames of the worker's part free`() {
        let memory = PlainMemory(byteCount: FreeList.byteCount(capacity: 24))
        var list = unsafe FreeList(base: memory.base, capacity: 24)
        for _ in 0..<24 { _ = list.push(1) }
        list.refill(worker: 2, framesPerWorker: 8, frameSize: 4096)
        #expect(list.count == 8)
        var found: Set<UInt64> = []
        while let address = list.pop() { found.insert(address) }
        #expect(found == Set((16..<24).map { $0 * 4096 }))
    }

    @Test func `another process finds the same frames free`() {
        let memory = PlainMemory(byteCount: FreeList.byteCount(capacity: 4))
        do {
            var list = unsafe FreeList(base: memory.base, capacity: 4)
            _ = list.push(2048)
            _ = list.push(4096)
        }
        var list = unsafe FreeList(base: memory.base, capacity: 4)
        #expect(list.count == 2)
        #expect(list.pop() == 4096)
    }

    @Test(arguments: [5, 1 << 32, .max] as [UInt64]) func `a top beyond the list is not believed`(top: UInt64) {
        let memory = PlainMemory(byteCount: FreeList.byteCount(capacity: 4))
        unsafe memory.base.storeBytes(of: top, as: UInt64.self)
        var list = unsafe FreeList(base: memory.base, capacity: 4)
        #expect(list.count == 0)
        #expect(list.pop() == nil)
        for address in 0..<4 as Range<UInt64> { #expect(list.push(address) == true) }
        #expect(list.push(4) == false)
        #expect(memory.isMarginIntact)
    }
}
