// SPDX-License-Identifier: Apache-2.0
import Ring
import Synchronization
import TestSupport
import Testing

/// Producer and consumer on threads of their own: a slot that is read before it was written would show.
@Suite("Rings between two threads", .serialized) struct TwoThreadsTests {
    static let count: UInt64 = 1_000_000

    @Test func `a million descriptors cross the receive ring in order`() {
        // The positions wrap on the way.
        let shared = RingMemory(size: 256, position: .max - 500_000)
        let wrong = Atomic<UInt64>(0)
        let producer = RealThread {
            var kernel = shared.kernels()
            var number: UInt64 = 0
            while number < Self.count {
                var room = UInt64(kernel.receive.free(32))
                if room == 0 { RealThread.yield() }
                while room > 0 && number < Self.count {
                    kernel.receive.push(Descriptor(address: number, length: UInt32(truncatingIfNeeded: number &* 3)))
                    number += 1
                    room -= 1
                }
                kernel.receive.submit()
            }
        }
        var ours = shared.ours()
        var number: UInt64 = 0
        while number < Self.count {
            let ready = ours.receive.peek(64)
            if ready == 0 { RealThread.yield() }
            for offset in 0..<ready {
                let slot = ours.receive[offset]
                if slot.address != number || slot.length != UInt32(truncatingIfNeeded: number &* 3) {
                    wrong.add(1, ordering: .relaxed)
                }
                number += 1
            }
            ours.receive.release(ready)
        }
        producer.join()
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(ours.receive.peek(1) == 0)
        #expect(shared.memory.isMarginIntact)
    }

    @Test func `a million addresses cross the fill ring in order`() {
        let shared = RingMemory(size: 128, position: .max - 999)
        let wrong = Atomic<UInt64>(0)
        let consumer = RealThread {
            var kernel = shared.kernels()
            var number: UInt64 = 0
            while number < Self.count {
                let ready = kernel.fill.peek(.max)
                if ready == 0 { RealThread.yield() }
                for offset in 0..<ready {
                    if kernel.fill[offset] != number { wrong.add(1, ordering: .relaxed) }
                    number += 1
                }
                kernel.fill.release(ready)
            }
        }
        var ours = shared.ours()
        var number: UInt64 = 0
        while number < Self.count {
            if ours.fill.free(1) == 0 {
                RealThread.yield()
                continue
            }
            ours.fill.push(number)
            number += 1
            if number & 15 == 0 || number == Self.count { ours.fill.submit() }
        }
        consumer.join()
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(ours.fill.pending == 0)
    }

    @Test func `a million descriptors cross a hand-off ring in order`() {
        let memory = PlainMemory(byteCount: HandOffRing.byteCount(capacity: 256))
        let wrong = Atomic<UInt64>(0)
        let consumer = RealThread {
            let ring = unsafe HandOffRing(base: memory.base, capacity: 256)
            var number: UInt64 = 0
            while number < Self.count {
                guard let slot = ring.pop() else {
                    RealThread.yield()
                    continue
                }
                if slot.address != number || slot.options != UInt32(number & 1) { wrong.add(1, ordering: .relaxed) }
                number += 1
            }
        }
        let ring = unsafe HandOffRing(base: memory.base, capacity: 256)
        for number in 0..<Self.count {
            while !ring.push(Descriptor(address: number, length: 60, options: UInt32(number & 1))) { RealThread.yield() }
        }
        consumer.join()
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(ring.count == 0)
        #expect(memory.isMarginIntact)
    }
}
