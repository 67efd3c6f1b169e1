// SPDX-License-Identifier: Apache-2.0
public import Net
internal import Synchronization

/// Why a claim could not be entered.
public enum AddressMapError: Error, Equatable, Sendable {
    /// No slot is free within reach of the address: a map with this many slots must take the place of this one.
    case mustGrow(slots: Int)
}

extension AddressMapError: CustomStringConvertible {
    /// One sentence, with what to do next.
    public var description: String {
        switch self {
        case .mustGrow(let slots): "the address map is full; make a new one with \(slots) slots"
        }
    }
}

/// The only writer of an address map, in the control process. Readers may read at any time; see `AddressMap` for what they rely on.
///
/// Equal claims: where two workloads claim one address in one zone, the slot of that zone is marked contested until one of them lets
/// go. Claims on such addresses are remembered here, because a slot holds only one. Every change ends with a new epoch.
@safe public struct AddressMapWriter: ~Copyable {
    /// Who claims an address, and where.
    struct Holder: Equatable {
        var zone: UInt16
        var labelSet: UInt32
        var workload: UInt32
        var hardwareAddress: MACAddress
    }

    private let words: UnsafePointer<Atomic<UInt64>>
    private let bindings: UnsafePointer<Atomic<UInt64>>
    private let epochWord: UnsafePointer<Atomic<UInt32>>
    /// Slots of the map.
    public let slots: Int
    private let seed: UInt64
    /// Slots in use.
    public private(set) var used = 0
    /// Every claim on the addresses that more than one workload claims anywhere.
    private(set) var contenders: [Address: [Holder]] = [:]

    /// A writer of a new, empty map in zeroed memory at `base` (64-byte aligned, `AddressMapLayout.byteCount(slots:)` long).
    /// `slots` is a power of two, at least twice the number of addresses; `seed` is random; `epoch` goes on from an earlier map.
    public init(formatting base: UnsafeMutableRawPointer, slots: Int, serial: UInt32, seed: UInt64, epoch: UInt32 = 0) {
        precondition(slots > 0 && slots & (slots - 1) == 0, "an address map has a power of two of slots")
        var header = AddressMapHeader()
        header.serial = serial
        header.size = UInt64(AddressMapLayout.byteCount(slots: slots))
        header.slots = UInt64(slots)
        header.seed = seed
        header.epoch = epoch
        // The caller gave as many bytes as the slots need, and nobody reads before the magic number is there.
        unsafe base.storeBytes(of: header, as: AddressMapHeader.self)
        unsafe words = UnsafePointer((base + AddressMapLayout.headerSize).assumingMemoryBound(to: Atomic<UInt64>.self))
        unsafe bindings = words + slots * 4
        unsafe epochWord = UnsafePointer((base + AddressMapLayout.epochOffset).assumingMemoryBound(to: Atomic<UInt32>.self))
        self.slots = slots
        self.seed = seed
    }

    /// The inventory's epoch.
    public var epoch: UInt32 { unsafe epochWord.pointee.load(ordering: .relaxed) }

    /// Slots that a map for this many addresses should have, so that no lookup becomes long.
    public static func slots(forAddresses count: Int) -> Int {
        var slots = 1024
        while slots < count * 2 { slots *= 2 }
        return slots
    }

    /// Enters a workload's claim on an address in a zone, or in any with `AddressMapLayout.anyZone`; a claim of the same workload
    /// in the same zone is replaced. A hardware address binds it: in a zone that is on the link itself, only frames from that one
    /// may carry the address; 0 binds nothing. Says whether the address is contested somewhere now. Throws `mustGrow` and changes nothing.
    @discardableResult
    public mutating func claim(
        _ address: Address, zone: UInt16 = AddressMapLayout.anyZone, labelSet: UInt32, workload: UInt32,
        hardwareAddress: MACAddress = MACAddress(bits: 0)
    ) throws(AddressMapError) -> Bool {
        var holders = holders(of: address)
        holders.removeAll { $0.workload == workload && $0.zone == zone }
        holders.append(Holder(zone: zone, labelSet: labelSet, workload: workload, hardwareAddress: hardwareAddress))
        let isContested = try settle(address, holders)
        publish()
        return isContested
    }

    /// Takes back a workload's claim; nothing happens where there is none.
    public mutating func release(_ address: Address, zone: UInt16 = AddressMapLayout.anyZone, workload: UInt32) {
        var holders = holders(of: address)
        let before = holders.count
        holders.removeAll { $0.workload == workload && $0.zone == zone }
        guard holders.count < before else { return }
        // Fewer claims never need another slot, so this cannot fail.
        _ = try? settle(address, holders)
        publish()
    }

    /// Moves a workload from one address to another: the new one is claimed before the old one is let go, so that it is never nobody.
    public mutating func move(
        from old: Address, to new: Address, zone: UInt16 = AddressMapLayout.anyZone, labelSet: UInt32, workload: UInt32,
        hardwareAddress: MACAddress = MACAddress(bits: 0)
    ) throws(AddressMapError) {
        try claim(new, zone: zone, labelSet: labelSet, workload: workload, hardwareAddress: hardwareAddress)
        if old != new { release(old, zone: zone, workload: workload) }
    }

    /// Raises the epoch to at least this one, so that a map that takes another's place never begins behind it.
    public mutating func advance(to epoch: UInt32) {
        if epoch > self.epoch { unsafe epochWord.pointee.store(epoch, ordering: .releasing) }
    }

    /// Raises the epoch, so that workers compare the classes of live flows.
    private func publish() {
        unsafe epochWord.pointee.store(epochWord.pointee.load(ordering: .relaxed) &+ 1, ordering: .releasing)
    }

    /// All claims on an address.
    private func holders(of address: Address) -> [Holder] {
        if let several = contenders[address] { return several }
        return slotsOf(address).map { slot in
            let numbers = unsafe word(slot, 3).pointee.load(ordering: .relaxed)
            return Holder(
                zone: zone(of: slot), labelSet: UInt32(truncatingIfNeeded: numbers),
                workload: UInt32(truncatingIfNeeded: numbers >> 32),
                hardwareAddress: MACAddress(bits: unsafe binding(slot).pointee.load(ordering: .relaxed)))
        }
    }

    /// Brings the address's slots in line with its claims: one slot for each zone that somebody names.
    private mutating func settle(_ address: Address, _ holders: [Holder]) throws(AddressMapError) -> Bool {
        let zones = Set(holders.map(\.zone))
        let present = slotsOf(address)
        let kept = Set(present.map { zone(of: $0) })
        var free = freeSlots(of: address, zones.subtracting(kept).count)
        guard free.count == zones.subtracting(kept).count else { throw .mustGrow(slots: slots * 2) }
        for slot in present where !zones.contains(zone(of: slot)) { remove(slot) }
        var isContested = false
        for zone in zones.sorted() {
            // A claim that holds in any zone holds in this one too.
            let here = holders.filter { $0.zone == zone || $0.zone == AddressMapLayout.anyZone }
            let contested = Set(here.map(\.workload)).count > 1
            isContested = isContested || contested
            guard let holder = here.first(where: { $0.zone == zone }) else { continue }
            let slot = present.first { self.zone(of: $0) == zone && isUsed($0) } ?? free.removeLast()
            write(slot, address, holder, (contested ? AddressSlot.contested : 0) | (zones.count == 1 ? AddressSlot.only : 0))
        }
        contenders[address] = Set(holders.map(\.workload)).count > 1 ? holders : nil
        return isContested
    }
}

/// Slots.
extension AddressMapWriter {
    private func word(_ slot: Int, _ index: Int) -> UnsafePointer<Atomic<UInt64>> {
        // Slots come from `reach`, which keeps them below `slots`.
        unsafe words + (slot * 4 + index)
    }

    private func binding(_ slot: Int) -> UnsafePointer<Atomic<UInt64>> {
        // One word for each slot lies behind the last one.
        unsafe bindings + slot
    }

    private func flags(of slot: Int) -> UInt16 {
        unsafe UInt16(truncatingIfNeeded: word(slot, 0).pointee.load(ordering: .relaxed) >> 48)
    }

    private func zone(of slot: Int) -> UInt16 {
        unsafe UInt16(truncatingIfNeeded: word(slot, 0).pointee.load(ordering: .relaxed) >> 32)
    }

    private func isUsed(_ slot: Int) -> Bool { flags(of: slot) & AddressSlot.used != 0 }

    /// The slots in which an address may lie, in the order of a lookup.
    private func reach(of address: Address) -> [Int] {
        let home = AddressMapLayout.home(of: address, seed: seed)
        return (0..<min(slots, AddressMapLayout.maximumProbes)).map { Int((home &+ UInt64($0)) & UInt64(slots - 1)) }
    }

    /// The slots that hold claims on the address.
    private func slotsOf(_ address: Address) -> [Int] {
        var found: [Int] = []
        for slot in reach(of: address) {
            if flags(of: slot) == 0 { break }
            let high = unsafe word(slot, 1).pointee.load(ordering: .relaxed)
            let low = unsafe word(slot, 2).pointee.load(ordering: .relaxed)
            if isUsed(slot) && high == address.high && low == address.low { found.append(slot) }
        }
        return found
    }

    /// Up to `count` slots that a claim on the address may take, the farthest first.
    private func freeSlots(of address: Address, _ count: Int) -> [Int] {
        guard count > 0 else { return [] }
        return Array(reach(of: address).filter { !isUsed($0) }.prefix(count).reversed())
    }

    private mutating func write(_ slot: Int, _ address: Address, _ holder: Holder, _ facts: UInt16) {
        let wasUsed = isUsed(slot)
        let sequence = open(slot)
        unsafe word(slot, 1).pointee.store(address.high, ordering: .releasing)
        unsafe word(slot, 2).pointee.store(address.low, ordering: .releasing)
        unsafe word(slot, 3).pointee.store(UInt64(holder.workload) << 32 | UInt64(holder.labelSet), ordering: .releasing)
        unsafe binding(slot).pointee.store(holder.hardwareAddress.bits, ordering: .releasing)
        close(slot, sequence, zone: holder.zone, flags: AddressSlot.used | facts)
        if !wasUsed { used += 1 }
    }

    /// Empties a slot. Where the next one is empty no lookup needs to go on behind it, nor behind removed ones before it.
    private mutating func remove(_ slot: Int) {
        close(slot, open(slot), zone: 0, flags: AddressSlot.removed)
        used -= 1
        guard flags(of: (slot + 1) & (slots - 1)) == 0 else { return }
        var last = slot
        // Ends at the latest where it began: that slot is empty by then.
        while flags(of: last) == AddressSlot.removed {
            close(last, open(last), zone: 0, flags: 0)
            last = (last - 1) & (slots - 1)
        }
    }

    /// Makes the sequence count odd and gives it; the first word's other fields stay until `close`.
    private func open(_ slot: Int) -> UInt32 {
        let first = unsafe word(slot, 0).pointee.load(ordering: .relaxed)
        let sequence = UInt32(truncatingIfNeeded: first) &+ 1
        unsafe word(slot, 0).pointee.store(first & ~0xffff_ffff | UInt64(sequence), ordering: .relaxed)
        return sequence
    }

    /// Makes the sequence count even again and publishes the slot.
    private func close(_ slot: Int, _ sequence: UInt32, zone: UInt16, flags: UInt16) {
        let first = UInt64(flags) << 48 | UInt64(zone) << 32 | UInt64(sequence &+ 1)
        unsafe word(slot, 0).pointee.store(first, ordering: .releasing)
    }
}
