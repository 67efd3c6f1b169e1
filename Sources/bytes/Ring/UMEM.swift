// SPDX-License-Identifier: Apache-2.0
public import Net

/// The packet memory that is registered with the kernel, shared by both ports of a pair and all their queues, so that a frame moves
/// from port to port by its descriptor and is never copied by us.
///
/// The file holds, in this order: the header of every memory file (Layout's), for each worker its free list, the rings between
/// workers, and then, page-aligned, the frames. Everything that is not in the kernel's rings lies here, so that a new process that
/// adopts the file and the sockets finds every frame (`recipes`: hand-over). Frame numbers are divided evenly: each worker is at
/// home in its own part, and a frame that another worker has finished with goes home through a ring.
///
/// Rules of the kernel (net/xdp/xdp_umem.c): frames of 2048 or 4096 bytes, aligned; the kernel puts 256 bytes of headroom in front
/// of what it receives and writes the address it really used into the descriptor, which is the only address to believe. A frame
/// given back may carry any address inside it; in aligned mode the kernel masks it.
@safe public struct UMEM: BitwiseCopyable {
    @usableFromInline let frames: UnsafeMutableRawPointer
    @usableFromInline let size: UInt64
    @usableFromInline let frameMask: UInt64
    @usableFromInline let home: UInt64

    /// The frames at `frames`, `workers * framesPerWorker` of `frameSize` bytes each (a power of two).
    @unsafe public init(frames: UnsafeMutableRawPointer, frameSize: Int, framesPerWorker: Int, workers: Int) {
        precondition(frameSize > 0 && frameSize & (frameSize - 1) == 0, "a frame's size is a power of two")
        unsafe self.frames = frames
        size = UInt64(frameSize) * UInt64(framesPerWorker) * UInt64(workers)
        frameMask = ~UInt64(frameSize - 1)
        home = UInt64(frameSize) * UInt64(framesPerWorker)
    }

    /// The start of the frame that an address lies in.
    @_noLocks @inlinable public func frameStart(_ address: UInt64) -> UInt64 { address & frameMask }

    /// The worker in whose part of the memory an address lies.
    @_noLocks @inlinable public func homeWorker(of address: UInt64) -> Int { Int(truncatingIfNeeded: address / home) }

    /// Whether `length` bytes at `address` lie inside the UMEM and inside one frame.
    @_noLocks @inlinable public func contains(_ address: UInt64, length: UInt32) -> Bool {
        guard address < size else { return false }
        return (address & ~frameMask) &+ UInt64(length) <= ~frameMask &+ 1
    }

    /// Asks for the first line of a frame; the address may be any.
    @_noLocks @inlinable @inline(__always) public func prefetch(_ address: UInt64) {
        unsafe Net.prefetch(frames + Int(truncatingIfNeeded: address))
    }

    /// Asks for all lines of a frame behind the first; address and length may be any.
    @_noLocks @inlinable public func prefetchRest(_ descriptor: Descriptor) {
        let end = min(UInt64(descriptor.length), ~frameMask &+ 1)
        var offset: UInt64 = 64
        while offset < end {
            prefetch(descriptor.address &+ offset)
            offset &+= 64
        }
    }

    /// The bytes of a descriptor that `contains` accepted, for the one door that makes spans of them.
    @_noLocks @inlinable @unsafe public func bytes(at address: UInt64) -> UnsafeMutableRawPointer {
        unsafe frames + Int(truncatingIfNeeded: address)
    }
}

/// A worker's free frames, as a stack in the memory file.
@safe public struct FreeList: ~Copyable {
    @usableFromInline let top: UnsafeMutablePointer<UInt64>
    @usableFromInline let slots: UnsafeMutablePointer<UInt64>
    @usableFromInline let capacity: UInt64

    /// Bytes that a list for `capacity` frames takes.
    public static func byteCount(capacity: Int) -> Int { 64 + capacity * 8 }

    /// The list at `base`, 64-byte aligned.
    @unsafe public init(base: UnsafeMutableRawPointer, capacity: Int) {
        unsafe top = base.assumingMemoryBound(to: UInt64.self)
        unsafe slots = (base + 64).assumingMemoryBound(to: UInt64.self)
        self.capacity = UInt64(capacity)
        // What an earlier process left is believed only inside the list's bounds.
        if unsafe top.pointee > self.capacity { unsafe top.pointee = 0 }
    }

    /// How many frames are free.
    @inlinable public var count: UInt64 { @_noLocks get { unsafe top.pointee } }

    /// Takes a frame off the list; `nil` when there is none.
    @_noLocks @inlinable public mutating func pop() -> UInt64? {
        guard unsafe top.pointee > 0 else { return nil }
        unsafe top.pointee &-= 1
        return unsafe slots[Int(truncatingIfNeeded: top.pointee)]
    }

    /// Puts a frame's address onto the list; false when the list is full, which a sound ledger never sees.
    @_noLocks @inlinable public mutating func push(_ address: UInt64) -> Bool {
        guard unsafe top.pointee < capacity else { return false }
        unsafe slots[Int(truncatingIfNeeded: top.pointee)] = address
        unsafe top.pointee &+= 1
        return true
    }

    /// Puts the frames that the first `count` slots of a completion ring name onto the list, each by its start. What names no frame of the packet
    /// memory is none, and a full list takes none, as in `push`. Proved free of locks where hot code of another room calls it: in a debug build
    /// the compiler sees no generic body of another file.
    @inlinable public mutating func push(_ count: UInt32, of completed: ConsumerView<UInt64>, in umem: UMEM) {
        let (slots, capacity) = unsafe (self.slots, self.capacity)
        var (top, offset) = unsafe (self.top.pointee, UInt32(0))
        while offset < count {
            let address = completed[offset]
            if umem.contains(address, length: 0), top < capacity {
                unsafe slots[Int(truncatingIfNeeded: top)] = umem.frameStart(address)
                top &+= 1
            }
            offset &+= 1
        }
        unsafe self.top.pointee = top
    }

    /// Makes every frame of the worker's part free: after a crash nobody else holds one.
    public mutating func refill(worker: Int, framesPerWorker: Int, frameSize: Int) {
        unsafe top.pointee = 0
        for number in 0..<framesPerWorker { _ = push(UInt64((worker * framesPerWorker + number) * frameSize)) }
    }
}
