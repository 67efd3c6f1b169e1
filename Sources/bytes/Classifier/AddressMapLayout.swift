// SPDX-License-Identifier: Apache-2.0
public import Net

/// The address map: which workload an address belongs to, in a memory file of its own, written by control while workers read.
///
/// An open-addressed hash over the address alone, so that entries of one address in several zones are neighbours. Each slot is
/// half a cache line with a sequence count: odd while it is written, changed by every write. A reader that finds it odd or changed
/// tries again a few times and then treats the address as contested; so it does with a label set beyond the snapshot's. The map
/// speaks of label sets, not of classes: these are the inventory's own numbers and mean the same in every generation, so that
/// a workload can move without a new snapshot and a snapshot can change without a new map.
///
/// Behind all slots lies one 64-bit word for each: the hardware address that the claim is bound to, 0 for none. It is written under
/// the sequence count of its slot and read only for addresses of zones that are on the link itself, so that a slot stays half a cache
/// line for everybody else.
public enum AddressMapLayout {
    /// `BKHDADDR` as a little-endian number.
    public static let magic: UInt64 = 0x5244_4441_4448_4b42
    /// Changes with every change of the slots.
    public static let version: UInt32 = 3
    /// Bytes of the header; the first slot follows.
    public static let headerSize = 64
    /// A lookup gives up behind this many slots; the writer keeps every address within it, or grows the map.
    @inlinable public static var maximumProbes: Int { @_noLocks get { 32 } }
    /// The zone of a slot whose workload may appear in any.
    @inlinable public static var anyZone: UInt16 { @_noLocks get { .max } }
    /// How often a reader tries a slot that is being written.
    @inlinable public static var maximumTries: Int { @_noLocks get { 64 } }

    /// Bytes of a map with the given number of slots.
    public static func byteCount(slots: Int) -> Int { headerSize + slots * bytesOfSlot }

    /// Bytes that each slot takes: its own, and the word of the hardware address that it is bound to.
    static var bytesOfSlot: Int { MemoryLayout<AddressSlot>.stride + MemoryLayout<UInt64>.stride }
}

/// The first bytes of an address map.
@frozen public struct AddressMapHeader: BitwiseCopyable, Sendable {
    /// `AddressMapLayout.magic`.
    public var magic: UInt64 = AddressMapLayout.magic
    /// `AddressMapLayout.version`.
    public var version: UInt32 = AddressMapLayout.version
    /// Number of the map, growing with each new file of a control process.
    public var serial: UInt32 = 0
    /// Bytes of the whole file.
    public var size: UInt64 = 0
    /// Slots; a power of two.
    public var slots: UInt64 = 0
    /// Key of the hash, drawn at random by the writer.
    public var seed: UInt64 = 0
    /// The inventory's epoch, raised (released) after every change; read atomically.
    public var epoch: UInt32 = 0
    /// Room up to 64 bytes.
    public var reserved: (UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0)
    /// An empty map's header.
    public init() {}
}

/// One claim on an address.
@frozen public struct AddressSlot: BitwiseCopyable, Sendable {
    /// Odd while the slot is written.
    public var sequence: UInt32 = 0
    /// The zone in which the claim holds, or `AddressMapLayout.anyZone`.
    public var zone: UInt16 = 0
    /// Bit 0: in use. Bit 1: contested. Bit 2: removed (a lookup goes on behind it). Bit 3: the address's only
    /// slot (a lookup ends with it).
    public var flags: UInt16 = 0
    /// The address.
    public var address = Address(high: 0, low: 0)
    /// The label set's number in the inventory.
    public var labelSet: UInt32 = 0
    /// The workload's number in the inventory, for records.
    public var workload: UInt32 = 0
    /// An empty slot.
    public init() {}

    /// `flags`: the slot holds a claim.
    @inlinable public static var used: UInt16 { @_noLocks get { 1 } }
    /// `flags`: more than one workload claims the address.
    @inlinable public static var contested: UInt16 { @_noLocks get { 2 } }
    /// `flags`: the slot held a claim once; a lookup goes on behind it.
    @inlinable public static var removed: UInt16 { @_noLocks get { 4 } }
    /// `flags`: no other slot holds a claim on the address, in whatever zone.
    @inlinable public static var only: UInt16 { @_noLocks get { 8 } }
}
