// SPDX-License-Identifier: Apache-2.0
public import Net
public import Synchronization

/// What the address map says about an address in a zone.
@frozen public struct Claim: BitwiseCopyable, Sendable {
    /// A workload claims the address.
    public var isThere: Bool
    /// More than one does, or the slot could not be read.
    public var isContested: Bool
    /// The label set's number in the inventory; valid with `isThere`.
    public var labelSet: UInt32
    /// The workload's number in the inventory; valid with `isThere`.
    public var workload: UInt32
    /// Nobody claims the address in this zone, but somebody does in another.
    public var isElsewhere = false
    /// The hardware address that the claim is bound to, 0 for none; valid with `isThere`, and only from `boundClaim`.
    public var hardwareAddress = MACAddress(bits: 0)

    /// A claim from its fields; the default is none.
    @_noLocks @inlinable init(isThere: Bool = false, isContested: Bool = false, labelSet: UInt32 = 0, workload: UInt32 = 0) {
        self.isThere = isThere
        self.isContested = isContested
        self.labelSet = labelSet
        self.workload = workload
    }
}

/// A reader's view of the address map, which its one writer changes meanwhile. It owns nothing.
///
/// A slot is four 64-bit words; the first holds the sequence count, the zone and the flags. The writer makes the count odd, writes
/// the other words and makes it even again, each store released; a reader loads the first word, the others and the first again,
/// each load acquired, and believes what it read only where the count was even and stayed. Nothing in the map is trusted: the mask
/// keeps every slot inside it, a lookup ends after `AddressMapLayout.maximumProbes` slots and a slot after
/// `AddressMapLayout.maximumTries`, and what could not be read counts as contested.
@safe @frozen public struct AddressMap: @unchecked Sendable {
    @usableFromInline let words: UnsafePointer<Atomic<UInt64>>
    @usableFromInline let bindings: UnsafePointer<Atomic<UInt64>>
    @usableFromInline let epochWord: UnsafePointer<Atomic<UInt32>>
    @usableFromInline let mask: UInt64
    @usableFromInline let seed: UInt64

    /// A view of the map at `base`, which is 64-byte aligned and stays mapped. Size, seed and shape are read once, here.
    public init(validating base: UnsafeRawPointer, byteCount: Int) throws(SnapshotError) {
        guard byteCount >= AddressMapLayout.headerSize else { throw .tooShort(bytes: byteCount) }
        guard UInt(bitPattern: base) % 64 == 0 else { throw .misaligned }
        // At least `headerSize` bytes lie at `base`, which is aligned.
        let header = unsafe base.load(as: AddressMapHeader.self)
        guard header.magic == AddressMapLayout.magic else { throw .magic(header.magic) }
        guard header.version == AddressMapLayout.version else { throw .version(header.version) }
        // A memory file is as long as its pages, which may be more than the map.
        guard header.size <= UInt64(byteCount), header.size >= UInt64(AddressMapLayout.headerSize) else {
            throw .tooShort(bytes: byteCount)
        }
        let room = (header.size - UInt64(AddressMapLayout.headerSize)) / UInt64(AddressMapLayout.bytesOfSlot)
        guard header.slots > 0, header.slots & (header.slots - 1) == 0, header.slots <= room else { throw .header }
        unsafe words = (base + AddressMapLayout.headerSize).assumingMemoryBound(to: Atomic<UInt64>.self)
        // Behind the slots, for which the file was just found to have room.
        unsafe bindings = words + Int(header.slots) * 4
        unsafe epochWord = (base + AddressMapLayout.epochOffset).assumingMemoryBound(to: Atomic<UInt32>.self)
        mask = header.slots - 1
        seed = header.seed
    }

    /// The inventory's epoch: another number means that some address changed hands since.
    @inlinable public var epoch: UInt32 { @_noLocks get { unsafe epochWord.pointee.load(ordering: .acquiring) } }

    /// Asks for the slot in which an address is looked for first; `claim` comes next, after the same was done for others.
    @_noLocks @inlinable public func prefetch(_ address: Address) {
        // Any address will do, and the mask keeps the slot inside the map.
        let slot = AddressMapLayout.home(of: address, seed: seed) & mask
        unsafe Net.prefetch(words + Int(truncatingIfNeeded: slot &* 4))
    }

    /// The claim on an address in a zone: one that names the zone before one that holds in any.
    @_noLocks @inlinable public func claim(on address: Address, zone: ZoneNumber) -> Claim {
        lookUp(address, zone, withBinding: false)
    }

    /// The same claim, with the hardware address that it is bound to.
    @_noLocks @inlinable public func boundClaim(on address: Address, zone: ZoneNumber) -> Claim {
        lookUp(address, zone, withBinding: true)
    }

    @_noLocks @inlinable @inline(__always) func lookUp(_ address: Address, _ zone: ZoneNumber, withBinding: Bool) -> Claim {
        var any = Claim()
        var slot = AddressMapLayout.home(of: address, seed: seed)
        var probes = 0
        while probes < AddressMapLayout.maximumProbes {
            let read = read(slot & mask, withBinding: withBinding)
            guard read.isWhole else { return Claim(isContested: true) }
            if read.flags & (AddressSlot.used | AddressSlot.removed) == 0 { return any }
            if read.flags & AddressSlot.used != 0 && read.high == address.high && read.low == address.low {
                var claim = Claim(
                    isThere: true, isContested: read.flags & AddressSlot.contested != 0,
                    labelSet: UInt32(truncatingIfNeeded: read.numbers), workload: UInt32(truncatingIfNeeded: read.numbers >> 32))
                claim.hardwareAddress = MACAddress(bits: read.binding)
                if read.zone == zone { return claim }
                if read.zone == AddressMapLayout.anyZone {
                    any = claim
                } else if !any.isThere {
                    any.isElsewhere = true
                }
                // Most addresses are claimed once: the way to an empty slot would be a line more, for nothing.
                if read.flags & AddressSlot.only != 0 { return any }
            }
            slot &+= 1
            probes &+= 1
        }
        return any
    }

    /// A slot's words as they were at one moment, or `isWhole` false where the writer never left it alone.
    @_noLocks @inlinable @inline(__always) func read(
        _ slot: UInt64, withBinding: Bool
    ) -> (isWhole: Bool, zone: UInt16, flags: UInt16, high: UInt64, low: UInt64, numbers: UInt64, binding: UInt64) {
        // The caller's mask keeps the slot inside the map; four words lie in each.
        let first = unsafe words + Int(truncatingIfNeeded: slot &* 4)
        var tries = 0
        while tries < AddressMapLayout.maximumTries {
            let before = unsafe first.pointee.load(ordering: .acquiring)
            if before & 1 == 0 {
                let high = unsafe (first + 1).pointee.load(ordering: .acquiring)
                let low = unsafe (first + 2).pointee.load(ordering: .acquiring)
                let numbers = unsafe (first + 3).pointee.load(ordering: .acquiring)
                let binding =
                    withBinding ? unsafe (bindings + Int(truncatingIfNeeded: slot)).pointee.load(ordering: .acquiring) : 0
                if unsafe first.pointee.load(ordering: .relaxed) == before {
                    let zone = UInt16(truncatingIfNeeded: before >> 32)
                    return (true, zone, UInt16(truncatingIfNeeded: before >> 48), high, low, numbers, binding)
                }
            }
            tries &+= 1
        }
        return (false, 0, 0, 0, 0, 0, 0)
    }
}

extension AddressMapLayout {
    /// Where `AddressMapHeader.epoch` lies.
    public static let epochOffset = 40

    /// The number of the slot from which an address is looked for, before the mask.
    @_noLocks @inlinable static func home(of address: Address, seed: UInt64) -> UInt64 {
        var word = (address.low ^ seed) &* 0x9E37_79B9_7F4A_7C15
        word ^= word >> 32
        word = (word ^ address.high) &* 0xD6E8_FEB8_6659_FD93
        word ^= word >> 29
        word = (word ^ seed) &* 0xA076_1D64_78BD_642F
        return word >> 24
    }
}
