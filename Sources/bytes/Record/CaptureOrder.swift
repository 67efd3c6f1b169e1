// SPDX-License-Identifier: Apache-2.0
public import Net

/// A block of addresses as a capture's coarse filter has it: the first so many bits, in the space that both families share
/// (`Prefix.mappedLength`).
@frozen public struct CaptureBlock: BitwiseCopyable, Sendable {
    /// The block's first address, upper half.
    public var high: UInt64 = 0
    /// The block's first address, lower half.
    public var low: UInt64 = 0
    /// Bits that an address has in common with it, 0 to 128.
    public var length: UInt64 = 0

    /// The block of every address.
    public init() {}

    /// A block.
    public init(_ prefix: Prefix) {
        (high, low, length) = (prefix.address.high, prefix.address.low, UInt64(prefix.mappedLength))
    }

    /// Whether an address lies in the block; every length above 128 counts as 128.
    @_noLocks @inlinable public func contains(_ address: Address) -> Bool {
        let bits = length < 128 ? length : 128
        // Swift's shifts by 64 and more give 0.
        let highMask = bits >= 64 ? UInt64.max : ~(UInt64.max >> bits)
        let lowMask = bits <= 64 ? 0 : ~(bits == 128 ? 0 : UInt64.max >> (bits &- 64))
        return (address.high ^ high) & highMask | (address.low ^ low) & lowMask == 0
    }
}

/// What workers are to copy of the frames that pass them: control's order, one for all workers, in the inquiries' file.
///
/// The filter in it is coarse: it lets through every frame that the operator's own filter would, and may let through more, which
/// control leaves out. A list that is empty asks for nothing. The order is read by the workers of another process, which
/// believe no field before `isPossible` was asked.
@frozen public struct CaptureOrder: BitwiseCopyable, Sendable {
    /// Blocks of addresses that an order holds.
    public static let blockCapacity = 16
    /// Ports that an order holds.
    public static let portCapacity = 16
    /// The most frames a second that a worker may be told to copy.
    public static let fastest: UInt32 = 100_000

    /// Which sights of a frame are wanted, and which fates: bits.
    public enum Bits {
        /// A sight: the frame as it was received.
        @inlinable public static var before: UInt8 { @_noLocks get { 1 } }
        /// A sight: the frame as it leaves, or what Bulkhead sends because of it.
        @inlinable public static var after: UInt8 { @_noLocks get { 2 } }
        /// A fate: it is forwarded.
        @inlinable public static var forwarded: UInt8 { @_noLocks get { 1 } }
        /// A fate: it is dropped, and nobody is told.
        @inlinable public static var dropped: UInt8 { @_noLocks get { 2 } }
        /// A fate: it is dropped, and its sender is told.
        @inlinable public static var rejected: UInt8 { @_noLocks get { 4 } }
        /// A family: IPv4, ARP included.
        @inlinable public static var v4: UInt8 { @_noLocks get { 1 } }
        /// A family: IPv6.
        @inlinable public static var v6: UInt8 { @_noLocks get { 2 } }
        /// A family: none of both, and what cannot be read.
        @inlinable public static var other: UInt8 { @_noLocks get { 4 } }
    }

    /// The capture's number, never 0: what workers copy bears it, so that what an earlier one left over is told from this one's.
    public var number: UInt64 = 0
    /// Reasons of drops that are wanted, a bit for each `DropReason.number`; asked of dropped and rejected frames alone.
    public var reasons: UInt64 = .max
    /// Protocols that are wanted, a bit for each number; asked of IP packets alone.
    public var protocols: InlineArray<4, UInt64> = .init(repeating: .max)
    /// Frames a second that each worker copies at most, 1 to `fastest`.
    public var framesPerSecond: UInt32 = 1
    /// Bytes of a frame that are copied at most, 1 to `CaptureRingLayout.mostBytes`.
    public var snapLength: UInt16 = 1
    /// Wanted sights, of `Bits`.
    public var sights: UInt8 = 0
    /// Wanted fates, of `Bits`.
    public var fates: UInt8 = 0
    /// Wanted families, of `Bits`.
    public var families: UInt8 = 0
    /// 1 where a frame's payload is copied too; else it is cut behind its transport's header.
    public var withPayload: UInt8 = 0
    /// How many of `blocks` count.
    public var blockCount: UInt8 = 0
    /// How many of `ports` count.
    public var portCount: UInt8 = 0
    /// Room that keeps the words behind it aligned; 0.
    public var reserved: UInt32 = 0
    /// Either end lies in one of these.
    public var blocks: InlineArray<16, CaptureBlock> = .init(repeating: CaptureBlock())
    /// Either end has one of these ports; asked only where the protocol has ports.
    public var ports: InlineArray<16, UInt16> = .init(repeating: 0)

    /// An order for nothing.
    public init() {}

    /// Whether every field is in its range; a worker copies nothing for an order that is not possible.
    @inlinable public var isPossible: Bool {
        @_noLocks get {
            number != 0 && framesPerSecond >= 1 && framesPerSecond <= 100_000 && snapLength >= 1
                && Int(snapLength) <= CaptureRingLayout.mostBytes && sights & ~3 == 0 && fates & ~7 == 0 && families & ~7 == 0
                && withPayload <= 1 && blockCount <= 16 && portCount <= 16
        }
    }

    /// Whether a protocol is wanted.
    @_noLocks @inlinable public func wants(protocolNumber number: UInt8) -> Bool {
        protocols[Int(number >> 6)] >> UInt64(number & 63) & 1 != 0
    }

    /// Whether a reason of a drop is wanted.
    @_noLocks @inlinable public func wants(reason number: UInt8) -> Bool { reasons >> UInt64(number & 63) & 1 != 0 }

    /// Whether the addresses of both ends are wanted; only asked of an order that is possible.
    @_noLocks @inlinable public func wants(_ source: Address, _ destination: Address) -> Bool {
        guard blockCount > 0 else { return true }
        var place = 0
        while place < Int(blockCount & 31) && place < 16 {
            if blocks[place].contains(source) || blocks[place].contains(destination) { return true }
            place &+= 1
        }
        return false
    }

    /// Whether the ports of both ends are wanted; only asked of an order that is possible.
    @_noLocks @inlinable public func wants(port source: UInt16, _ destination: UInt16) -> Bool {
        guard portCount > 0 else { return true }
        var place = 0
        while place < Int(portCount & 31) && place < 16 {
            if ports[place] == source || ports[place] == destination { return true }
            place &+= 1
        }
        return false
    }
}
