// SPDX-License-Identifier: Apache-2.0
import Record
import Testing

/// Memory for a ring, as both processes would have mapped it.
@safe private final class RingMemory {
    let base: UnsafeMutableRawPointer

    init(capacity: Int) {
        let size = EventRingLayout.byteCount(capacity: capacity)
        unsafe base = .allocate(byteCount: size, alignment: 64)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    }

    deinit { unsafe base.deallocate() }

    func setConsumer(_ position: UInt64) {
        unsafe base.storeBytes(of: position, toByteOffset: EventRingLayout.consumerOffset, as: UInt64.self)
    }
}

@Suite struct EventRings {
    private func record(_ time: UInt64) -> FlowRecord {
        var record = FlowRecord()
        record.time = time
        return record
    }

    @Test func `records come out in their order, also around the end`() {
        let memory = RingMemory(capacity: 4)
        var producer = unsafe EventProducer(base: memory.base, capacity: 4)
        var consumer = unsafe EventConsumer(base: memory.base, capacity: 4)
        var seen: [UInt64] = []
        for turn in 0..<5 as Range<UInt64> {
            for step in 0..<3 as Range<UInt64> {
                let isTaken = producer.push(record(turn * 3 + step))
                #expect(isTaken)
            }
            let count = consumer.drain(limit: 10) { seen.append($0.time) }
            #expect(count == 3)
        }
        #expect(seen == Array(0..<15))
    }

    @Test func `what finds no room and is told later is not lost`() {
        let memory = RingMemory(capacity: 2)
        var producer = unsafe EventProducer(base: memory.base, capacity: 2)
        var offered: [Bool] = []
        for time in 0..<4 as Range<UInt64> { offered.append(producer.offer(record(time))) }
        #expect(offered == [true, true, false, false])
        let lost = producer.lost
        #expect(lost == 0)
    }

    @Test func `what was lost while nobody drained is told by whoever drains next, once`() {
        let memory = RingMemory(capacity: 2)
        var producer = unsafe EventProducer(base: memory.base, capacity: 2)
        for time in 0..<5 as Range<UInt64> { _ = producer.push(record(time)) }
        for expected in [3, 0] as [UInt64] {
            var consumer = unsafe EventConsumer(base: memory.base, capacity: 2)
            let (first, second) = (consumer.takeLost(), consumer.takeLost())
            #expect(first == expected && second == 0)
        }
    }

    @Test func `a full ring loses what comes and counts it`() {
        let memory = RingMemory(capacity: 2)
        var producer = unsafe EventProducer(base: memory.base, capacity: 2)
        var consumer = unsafe EventConsumer(base: memory.base, capacity: 2)
        var pushed: [Bool] = []
        for time in 0..<5 as Range<UInt64> { pushed.append(producer.push(record(time))) }
        #expect(pushed == [true, true, false, false, false])
        let lost = (producer.lost, consumer.lost)
        #expect(lost == (3, 3))
        var seen: [UInt64] = []
        _ = consumer.drain(limit: 1) { seen.append($0.time) }
        let isTaken = producer.push(record(9))
        #expect(isTaken)
        _ = consumer.drain(limit: 9) { seen.append($0.time) }
        #expect(seen == [0, 1, 9])
    }

    @Test func `a consumer that lies makes the ring look full, and no more`() {
        let memory = RingMemory(capacity: 4)
        var producer = unsafe EventProducer(base: memory.base, capacity: 4)
        memory.setConsumer(77)
        let whileLying = producer.push(record(1))
        memory.setConsumer(0)
        let afterwards = producer.push(record(1))
        #expect(!whileLying && afterwards)
    }

    @Test func `a new producer goes on where the last one stopped`() {
        let memory = RingMemory(capacity: 4)
        var first = unsafe EventProducer(base: memory.base, capacity: 4)
        _ = first.push(record(1))
        var second = unsafe EventProducer(base: memory.base, capacity: 4)
        _ = second.push(record(2))
        var consumer = unsafe EventConsumer(base: memory.base, capacity: 4)
        var seen: [UInt64] = []
        _ = consumer.drain(limit: 4) { seen.append($0.time) }
        #expect(seen == [1, 2])
    }

    @Test func `a flow record keeps its size, which two processes share`() {
        #expect(MemoryLayout<FlowRecord>.size == 152)
        #expect(MemoryLayout<FlowRecord>.stride % 8 == 0)
        #expect(FlowRecord.Event.allCases.map(\.number) == FlowRecord.Event.allCases.map(\.rawValue))
    }
}
