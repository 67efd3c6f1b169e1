// SPDX-License-Identifier: Apache-2.0
import Ring
import TestSupport
import Testing

@Suite("Hand-off ring") struct HandOffRingTests {
    @Test func `it takes as many descriptors as it has room for, and gives them back in order`() {
        let memory = PlainMemory(byteCount: HandOffRing.byteCount(capacity: 8))
        let ring = unsafe HandOffRing(base: memory.base, capacity: 8)
        #expect(ring.pop() == nil)
        for round in 0..<5 as Range<UInt64> {
            for number in 0..<8 as Range<UInt64> {
                #expect(ring.count == number)
                #expect(ring.push(Descriptor(address: round * 8 + number, length: 60, options: 1)) == true)
            }
            #expect(ring.push(Descriptor(address: 99, length: 0)) == false)
            for number in 0..<8 as Range<UInt64> { #expect(ring.pop()?.address == round * 8 + number) }
            #expect(ring.pop() == nil)
        }
        #expect(memory.isMarginIntact)
    }

    @Test func `another process finds what this one left, and may empty it`() {
        let memory = PlainMemory(byteCount: HandOffRing.byteCount(capacity: 8))
        do {
            let ring = unsafe HandOffRing(base: memory.base, capacity: 8)
            _ = ring.push(Descriptor(address: 7, length: 60, options: 1))
        }
        let ring = unsafe HandOffRing(base: memory.base, capacity: 8)
        #expect(ring.count == 1)
        ring.reset()
        #expect(ring.count == 0)
        #expect(ring.pop() == nil)
    }

    @Test(arguments: [1, 2, 3, 16]) func `no two rings of a table share memory`(workers: Int) {
        let memory = PlainMemory(byteCount: HandOffTable.byteCount(workers: workers, capacity: 8))
        let table = unsafe HandOffTable(base: memory.base, workers: workers, capacity: 8)
        #expect(table.workers == workers)
        let half = workers * workers
        let names = (0..<2 * half).map { (from: $0 % workers, to: $0 / workers % workers, home: $0 >= half) }
        for (number, name) in names.enumerated() {
            let ring = table.ring(from: name.from, to: name.to, returning: name.home)
            for slot in 0..<8 { #expect(ring.push(Descriptor(address: UInt64(number), length: UInt32(slot))) == true) }
        }
        for (number, name) in names.enumerated() {
            let ring = table.ring(from: name.from, to: name.to, returning: name.home)
            #expect(ring.count == 8)
            for slot in 0..<8 as Range<UInt32> {
                let descriptor = ring.pop()
                #expect(descriptor?.address == UInt64(number) && descriptor?.length == slot)
            }
        }
        #expect(memory.isMarginIntact)
    }

    @Test func `a damaged position makes the ring look full or not, and touches nothing outside`() {
        let memory = PlainMemory(byteCount: HandOffRing.byteCount(capacity: 8))
        let ring = unsafe HandOffRing(base: memory.base, capacity: 8)
        unsafe memory.base.storeBytes(of: 0xffff_ffff_0000_0003, toByteOffset: 64, as: UInt64.self)
        for _ in 0..<20 { _ = ring.push(Descriptor(address: 1, length: 1)) }
        for _ in 0..<20 { _ = ring.pop() }
        #expect(memory.isMarginIntact)
    }
}
