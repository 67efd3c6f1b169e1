// SPDX-License-Identifier: Apache-2.0
import Record
import Testing

/// Memory for a ring, as both processes would have mapped it.
@safe final class CaptureMemory {
    let base: UnsafeMutableRawPointer
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        let size = CaptureRingLayout.byteCount(capacity: capacity)
        unsafe base = .allocate(byteCount: size, alignment: 64)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    }

    deinit { unsafe base.deallocate() }

    func producer() -> CaptureProducer { unsafe CaptureProducer(base: base, capacity: capacity) }
    func consumer() -> CaptureConsumer { unsafe CaptureConsumer(base: base, capacity: capacity) }

    func set(_ offset: Int, to value: UInt64) { unsafe base.storeBytes(of: value, toByteOffset: offset, as: UInt64.self) }
}

extension CaptureProducer {
    /// Fills the slot at an offset as a worker would.
    func fill(_ offset: UInt64, serial: UInt64, bytes: [UInt8]) {
        var frame = CapturedFrame()
        (frame.serial, frame.captured) = (serial, UInt16(bytes.count))
        let slot = unsafe slot(offset)
        unsafe slot.storeBytes(of: frame, as: CapturedFrame.self)
        for (place, byte) in bytes.enumerated() {
            unsafe slot.storeBytes(of: byte, toByteOffset: CaptureRingLayout.bytesOffset + place, as: UInt8.self)
        }
    }
}

@Suite("Capture rings") struct CaptureRingTests {
    @Test func `sights come out in their order with their bytes, also around the end`() {
        let memory = CaptureMemory(capacity: 4)
        var producer = memory.producer()
        var consumer = memory.consumer()
        var seen: [UInt64] = []
        for turn in 0..<5 as Range<UInt64> {
            for step in 0..<3 as Range<UInt64> {
                producer.fill(step, serial: turn * 3 + step, bytes: [UInt8(turn), UInt8(step), 9])
            }
            producer.publish(3)
            let count = consumer.drain(limit: 10) { frame, bytes in
                seen.append(frame.serial)
                #expect(bytes == [UInt8(frame.serial / 3), UInt8(frame.serial % 3), 9])
            }
            #expect(count == 3)
        }
        #expect(seen == Array(0..<15))
    }

    @Test func `what is filled and not published is nobody's`() {
        let memory = CaptureMemory(capacity: 4)
        var producer = memory.producer()
        var consumer = memory.consumer()
        producer.fill(0, serial: 1, bytes: [1])
        let before = consumer.drain(limit: 4) { _, _ in }
        producer.fill(0, serial: 2, bytes: [2])
        producer.publish(1)
        var seen: [UInt64] = []
        _ = consumer.drain(limit: 4) { frame, _ in seen.append(frame.serial) }
        #expect(before == 0 && seen == [2])
    }

    @Test func `a full ring has no room until the consumer has taken something`() {
        let memory = CaptureMemory(capacity: 2)
        var producer = memory.producer()
        var consumer = memory.consumer()
        let empty = producer.room()
        producer.publish(2)
        let full = producer.room()
        _ = consumer.drain(limit: 1) { _, _ in }
        let half = producer.room()
        #expect(empty == 2 && full == 0 && half == 1)
        producer.lose()
        producer.suppress()
        producer.suppress()
        let (lost, suppressed) = (consumer.lost, consumer.suppressed)
        #expect(lost == 1 && suppressed == 2)
    }

    @Test(arguments: [77, .max, 1 << 63] as [UInt64])
    func `a consumer that lies makes the ring look full, and no more`(position: UInt64) {
        let memory = CaptureMemory(capacity: 4)
        let producer = memory.producer()
        memory.set(CaptureRingLayout.consumerOffset, to: position)
        // One ahead of the producer by less than the ring is a position like any other.
        let room = producer.room()
        #expect(room == (position == .max ? 3 : 0))
        memory.set(CaptureRingLayout.consumerOffset, to: 0)
        let afterwards = producer.room()
        #expect(afterwards == 4)
    }

    @Test func `a producer that lies makes the consumer read its own memory only`() {
        let memory = CaptureMemory(capacity: 4)
        var consumer = memory.consumer()
        memory.set(CaptureRingLayout.producerOffset, to: .max - 1)
        unsafe memory.base.storeBytes(
            of: UInt16.max, toByteOffset: CaptureRingLayout.slotsOffset + MemoryLayout<CapturedFrame>.offset(of: \.captured)!,
            as: UInt16.self)
        var longest = 0
        let count = consumer.drain(limit: 100) { frame, bytes in
            longest = max(longest, bytes.count)
            #expect(bytes.count == Int(frame.captured))
        }
        #expect(count == 4 && longest == CaptureRingLayout.mostBytes)
    }

    @Test func `a new capture begins behind what an earlier one left, and a new producer where the last one stopped`() {
        let memory = CaptureMemory(capacity: 8)
        var first = memory.producer()
        var consumer = memory.consumer()
        first.publish(3)
        consumer.skip()
        var second = memory.producer()
        second.fill(0, serial: 5, bytes: [])
        second.publish(1)
        var seen: [UInt64] = []
        _ = consumer.drain(limit: 8) { frame, _ in seen.append(frame.serial) }
        #expect(seen == [5])
    }

    @Test func `what two processes share keeps its size, and a slot holds it`() {
        #expect(MemoryLayout<CapturedFrame>.size <= CaptureRingLayout.bytesOffset)
        #expect(CaptureRingLayout.bytesOffset + CaptureRingLayout.mostBytes == CaptureRingLayout.slotSize)
        #expect(CapturedFrame.Sight.allCases.map(\.number) == CapturedFrame.Sight.allCases.map(\.rawValue))
        #expect(CapturedFrame.Fate.allCases.map(\.number) == CapturedFrame.Fate.allCases.map(\.rawValue))
        #expect(CapturedFrame.Sight.allCases.map(\.name) == ["before", "after", "generated"])
        #expect(CapturedFrame.Fate.allCases.map(\.name) == ["forward", "drop", "reject"])
    }
}
