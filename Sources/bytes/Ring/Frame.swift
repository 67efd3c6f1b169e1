// SPDX-License-Identifier: Apache-2.0
public import Synchronization

/// One UMEM frame in hand.
///
/// The problem: a frame that is put into two rings is delivered twice or overwritten while it is sent; a frame that is put into
/// none is gone, and a data path that leaks one frame in a million stops after an hour. Both are bugs that no test of a happy path
/// finds. So a frame in hand is a value that cannot be copied: `surrender()` ends its life and yields the descriptor for exactly
/// one ring, using it twice does not compile, and a frame that goes out of scope without having been surrendered is a trap in debug
/// builds and counted in release builds (a firewall must not die of its own book-keeping).
///
/// Invariant: a frame is in exactly one place: one of the four rings, the kernel's hands, the free list, a hand-off ring, held by
/// its worker, or in hand. The ledger of the tests adds these places up.
///
/// A descriptor peeked from the receive ring is still in that ring until the ring is released; `ReceiveRing.take` is the moment in
/// which it becomes a frame in hand.
@frozen public struct Frame: ~Copyable {
    /// Offset of the frame's first byte in the UMEM, headroom included, as the kernel wrote it.
    public let address: UInt64
    /// Bytes of the frame, without the checksum of the wire.
    public let length: UInt32

    /// A frame in hand; whoever calls this has taken the descriptor out of its ring.
    @_noLocks @inlinable public init(address: UInt64, length: UInt32) {
        self.address = address
        self.length = length
    }

    /// Ends the frame's life in hand: the descriptor goes into exactly one ring.
    @_noLocks @inlinable public consuming func surrender() -> Descriptor {
        let descriptor = Descriptor(address: address, length: length)
        discard self
        return descriptor
    }

    @inlinable deinit { frameWasLost() }
}

/// A slot of the receive and transmit rings (`struct xdp_desc`, linux/if_xdp.h).
@frozen public struct Descriptor: BitwiseCopyable, Sendable {
    /// Offset in the UMEM.
    public var address: UInt64
    /// Bytes.
    public var length: UInt32
    /// Kernel: `XDP_PKT_CONTD` and the like, 0 here. In a hand-off ring: the port the frame came in by.
    public var options: UInt32

    /// A descriptor of a frame.
    @_noLocks @inlinable public init(address: UInt64, length: UInt32, options: UInt32 = 0) {
        self.address = address
        self.length = length
        self.options = options
    }
}

/// Frames that went out of scope without having reached a ring, in release builds; 0 in a sound one.
public let lostFrames = Atomic<UInt64>(0)

/// Apart from `deinit`, and not inlined, so that the hot path carries a call and no more.
@usableFromInline @inline(never) func frameWasLost() {
    #if DEBUG
        preconditionFailure("a frame was dropped without going back to a ring")
    #else
        lostFrames.add(1, ordering: .relaxed)
    #endif
}
