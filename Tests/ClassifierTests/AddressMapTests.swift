// SPDX-License-Identifier: Apache-2.0
import Classifier
import Foundation
import Net
import TestSupport
import Testing

@Suite struct AddressMaps {
    private func writer(_ memory: Memory, slots: Int = 64, seed: UInt64 = 7) -> AddressMapWriter {
        unsafe AddressMapWriter(formatting: memory.base, slots: slots, serial: 1, seed: seed)
    }

    @Test func `an address without a claim is nobody's`() throws {
        let memory = emptyMap()
        let claim = try memory.addressMap().claim(on: .of("10.0.0.1"), zone: 0)
        #expect(!claim.isThere && !claim.isContested)
    }

    @Test func `a claim in a zone comes before one in any`() throws {
        let memory = emptyMap()
        var writer = writer(memory)
        try writer.claim(.of("10.0.0.1"), labelSet: 1, workload: 9)
        try writer.claim(.of("10.0.0.1"), zone: 2, labelSet: 2, workload: 9)
        let map = try memory.addressMap()
        #expect(map.claim(on: .of("10.0.0.1"), zone: 1).labelSet == 1)
        #expect(map.claim(on: .of("10.0.0.1"), zone: 2).labelSet == 2)
        #expect(!map.claim(on: .of("10.0.0.1"), zone: 2).isContested)
    }

    @Test func `equal claims are contested until one of them ends`() throws {
        let memory = emptyMap()
        var writer = writer(memory)
        let address = Address.of("fd00::1")
        #expect(try !writer.claim(address, zone: 1, labelSet: 1, workload: 1))
        #expect(try writer.claim(address, labelSet: 2, workload: 2))
        let map = try memory.addressMap()
        #expect(map.claim(on: address, zone: 1).isContested)
        #expect(!map.claim(on: address, zone: 0).isContested, "only the zone that both claim is contested")
        writer.release(address, zone: 1, workload: 1)
        let left = map.claim(on: address, zone: 1)
        #expect(left.isThere && !left.isContested && left.workload == 2)
        writer.release(address, workload: 2)
        #expect(!map.claim(on: address, zone: 1).isThere)
        #expect(writer.used == 0)
    }

    @Test func `an address that is claimed in other zones only is elsewhere`() throws {
        let memory = emptyMap()
        var writer = writer(memory)
        let address = Address.of("10.0.0.1")
        try writer.claim(address, zone: 2, labelSet: 1, workload: 9)
        let map = try memory.addressMap()
        let elsewhere = map.claim(on: address, zone: 1)
        #expect(elsewhere.isElsewhere && !elsewhere.isThere)
        #expect(!map.claim(on: address, zone: 2).isElsewhere)
        #expect(!map.claim(on: .of("10.0.0.2"), zone: 1).isElsewhere)
        try writer.claim(address, labelSet: 1, workload: 9)
        #expect(map.claim(on: address, zone: 1).isThere && !map.claim(on: address, zone: 1).isElsewhere)
        writer.release(address, workload: 9)
        writer.release(address, zone: 2, workload: 9)
        #expect(!map.claim(on: address, zone: 1).isElsewhere)
    }

    @Test func `a claim keeps the hardware address that it is bound to, also beside others`() throws {
        let memory = emptyMap()
        var writer = writer(memory)
        let address = Address.of("10.0.0.1")
        let (one, other) = (MACAddress(bits: 0x0200_0000_0001), MACAddress(bits: 0x0200_0000_0002))
        try writer.claim(address, zone: 1, labelSet: 1, workload: 1, hardwareAddress: one)
        try writer.claim(address, zone: 2, labelSet: 1, workload: 1, hardwareAddress: other)
        let map = try memory.addressMap()
        #expect(map.boundClaim(on: address, zone: 1).hardwareAddress == one)
        #expect(map.boundClaim(on: address, zone: 2).hardwareAddress == other)
        #expect(map.boundClaim(on: address, zone: 3).hardwareAddress.bits == 0)
        // What another workload says and takes back leaves the binding as it was.
        try writer.claim(address, zone: 2, labelSet: 1, workload: 7)
        #expect(map.boundClaim(on: address, zone: 2).isContested)
        writer.release(address, zone: 2, workload: 7)
        #expect(map.boundClaim(on: address, zone: 2).hardwareAddress == other)
        try writer.claim(address, zone: 2, labelSet: 1, workload: 1)
        #expect(map.boundClaim(on: address, zone: 2).hardwareAddress.bits == 0)
    }

    @Test func `every change raises the epoch, and a move leaves no moment without a claim`() throws {
        let memory = emptyMap()
        var writer = writer(memory)
        let map = try memory.addressMap()
        let before = map.epoch
        try writer.claim(.of("10.0.0.1"), labelSet: 1, workload: 1)
        #expect(map.epoch != before)
        try writer.move(from: .of("10.0.0.1"), to: .of("10.0.0.2"), labelSet: 1, workload: 1)
        #expect(!map.claim(on: .of("10.0.0.1"), zone: 0).isThere)
        #expect(map.claim(on: .of("10.0.0.2"), zone: 0).workload == 1)
    }

    @Test func `a map that is full says how large the next one must be and changes nothing`() throws {
        let memory = emptyMap(slots: 8)
        var writer = writer(memory, slots: 8)
        for host in 1...8 as ClosedRange<UInt32> { try writer.claim(Address(v4: host), labelSet: host, workload: host) }
        let epoch = writer.epoch
        #expect(throws: AddressMapError.mustGrow(slots: 16)) { try writer.claim(Address(v4: 9), labelSet: 9, workload: 9) }
        #expect(writer.epoch == epoch)
        let map = try memory.addressMap()
        for host in 1...8 as ClosedRange<UInt32> { #expect(map.claim(on: Address(v4: host), zone: 0).labelSet == host) }
        #expect(!map.claim(on: Address(v4: 9), zone: 0).isThere)
    }

    @Test func `claims and releases in any order leave what a dictionary would hold`() throws {
        let seed = UInt64.random(in: 0...999_999)
        print("seed \(seed)")
        var generator = Seeded(seed)
        let slots = 4_096
        let memory = emptyMap(slots: slots, seed: seed)
        var writer = writer(memory, slots: slots, seed: seed)
        let map = try memory.addressMap()
        var held: [UInt32: [UInt32: UInt32]] = [:]
        for _ in 0..<60_000 {
            let host = UInt32.random(in: 0..<1_500, using: &generator)
            let workload = UInt32.random(in: 0..<3, using: &generator)
            if Bool.random(using: &generator) {
                let labelSet = UInt32.random(in: 0..<100, using: &generator)
                try writer.claim(Address(v4: host), labelSet: labelSet, workload: workload)
                held[host, default: [:]][workload] = labelSet
            } else {
                writer.release(Address(v4: host), workload: workload)
                held[host]?[workload] = nil
            }
        }
        for host in 0..<UInt32(1_500) {
            let claim = map.claim(on: Address(v4: host), zone: 3)
            let expected = held[host] ?? [:]
            #expect(claim.isThere == !expected.isEmpty && claim.isContested == (expected.count > 1))
            if expected.count == 1 { #expect(expected[claim.workload] == claim.labelSet) }
        }
        #expect(writer.used == held.values.filter { !$0.isEmpty }.count)
    }

    @Test func `a reader beside the writer never sees a mixed slot`() throws {
        let memory = emptyMap(slots: 16)
        let map = try memory.addressMap()
        let thread = Thread {
            var writer = unsafe AddressMapWriter(formatting: memory.base, slots: 16, serial: 1, seed: 7)
            for turn in 0..<UInt32(60_000) {
                // Every claim's numbers say which address they belong to.
                let host = turn % 4
                let mark = turn << 2 | host
                _ = try? writer.claim(
                    Address(v4: host), zone: UInt16(host), labelSet: mark, workload: mark,
                    hardwareAddress: MACAddress(bits: UInt64(mark)))
                writer.release(Address(v4: host), zone: UInt16(host), workload: mark)
            }
            _ = try? writer.claim(Address(v4: 99), labelSet: 0, workload: 0)
        }
        thread.start()
        var seen = 0
        var mixed = 0
        while !map.claim(on: Address(v4: 99), zone: 0).isThere {
            for host in 0..<UInt32(4) {
                let claim = map.boundClaim(on: Address(v4: host), zone: UInt16(host))
                guard claim.isThere, !claim.isContested else { continue }
                seen += 1
                let isOwn = claim.hardwareAddress.bits == UInt64(claim.workload)
                if claim.labelSet != claim.workload || claim.labelSet & 3 != host || !isOwn { mixed += 1 }
            }
        }
        #expect(mixed == 0)
        #expect(seen > 0, "the reader never met a claim")
    }

    @Test func `a damaged map gives contested or nothing, never a trap`() throws {
        var generator = Seeded(11)
        let memory = emptyMap(slots: 32)
        var writer = writer(memory, slots: 32)
        for host in 0..<UInt32(12) { try writer.claim(Address(v4: host), labelSet: host, workload: host) }
        let map = try memory.addressMap()
        for _ in 0..<20_000 {
            memory[.random(in: AddressMapLayout.headerSize..<memory.count, using: &generator)] = .random(
                in: 0...255, using: &generator)
            _ = map.boundClaim(on: Address(v4: .random(in: 0..<14, using: &generator)), zone: 0)
        }
        for slot in 0..<32 { memory[AddressMapLayout.headerSize + slot * 32] |= 1 }
        #expect(map.claim(on: Address(v4: 1), zone: 0).isContested, "a slot that stays odd is contested")
    }

    @Test func `a header of another shape is refused`() {
        let memory = emptyMap()
        // One slot's word fewer than the slots need.
        memory[16] &-= 8
        #expect(throws: SnapshotError.header) { try memory.addressMap() }
        memory[16] &+= 8
        memory[24] = 63
        #expect(throws: SnapshotError.header) { try memory.addressMap() }
        memory[24] = 128
        #expect(throws: SnapshotError.header) { try memory.addressMap() }
    }
}
