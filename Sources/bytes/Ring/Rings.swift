// SPDX-License-Identifier: Apache-2.0
public import Synchronization

// The four rings of AF_XDP (Documentation/networking/af_xdp.rst), each shared with the kernel and each with one producer and one
// consumer. For a (port, queue):
//
//     we produce:  fill ring       free frames for the kernel to receive into      UInt64 addresses
//     we consume:  receive ring    frames that came in                             descriptors
//     we produce:  transmit ring   frames to send                                  descriptors
//     we consume:  completion ring frames that were sent                           UInt64 addresses
//
// A ring is two 32-bit positions that only grow (and wrap), and a power of two of slots; `position & mask` is the slot. The kernel's
// rules (net/xdp/xsk_queue.h): the producer's store of its position releases the slots written before it, the consumer's load of
// it acquires them, and the same the other way for slots given back. We keep our own position in a local field and read the other
// one only when the local knowledge does not suffice, because it lies in a cache line that the other side writes.
//
// What breaks if this is violated: a slot that is read before it was written is somebody else's frame on the wire.

/// The end of a ring that we write: fill and transmit.
@safe public struct ProducerRing<Slot: BitwiseCopyable>: ~Copyable {
    @usableFromInline let producer: UnsafePointer<Atomic<UInt32>>
    @usableFromInline let consumer: UnsafePointer<Atomic<UInt32>>
    @usableFromInline let flags: UnsafePointer<Atomic<UInt32>>
    @usableFromInline let slots: UnsafeMutablePointer<Slot>
    @usableFromInline let mask: UInt32
    /// Our position, published up to here by `submit`.
    @usableFromInline var head: UInt32
    /// The consumer's position plus the ring's size: how far `head` may go as far as we know.
    @usableFromInline var limit: UInt32

    /// A ring over shared memory. `producer`, `consumer` and `flags` point to 32-bit words, `slots` to `size` slots; `size` is a
    /// power of two. Takes up at the position that the memory holds.
    @unsafe public init(
        producer: UnsafeMutableRawPointer, consumer: UnsafeMutableRawPointer, flags: UnsafeMutableRawPointer,
        slots: UnsafeMutableRawPointer, size: UInt32
    ) {
        precondition(size > 0 && size & (size - 1) == 0, "a ring's size is a power of two")
        unsafe self.producer = UnsafePointer(producer.assumingMemoryBound(to: Atomic<UInt32>.self))
        unsafe self.consumer = UnsafePointer(consumer.assumingMemoryBound(to: Atomic<UInt32>.self))
        unsafe self.flags = UnsafePointer(flags.assumingMemoryBound(to: Atomic<UInt32>.self))
        unsafe self.slots = slots.assumingMemoryBound(to: Slot.self)
        mask = size - 1
        unsafe head = self.producer.pointee.load(ordering: .relaxed)
        unsafe limit = self.consumer.pointee.load(ordering: .acquiring) &+ size
    }

    /// Free slots, at least `wanted` if there are so many; reads the consumer's position only when it must.
    @inlinable public mutating func free(_ wanted: UInt32) -> UInt32 {
        if limit &- head < wanted { unsafe limit = consumer.pointee.load(ordering: .acquiring) &+ mask &+ 1 }
        return limit &- head
    }

    /// Whether there is a slot: `free(1)` without a number.
    @inlinable public mutating func hasRoom() -> Bool {
        if limit != head { return true }
        unsafe limit = consumer.pointee.load(ordering: .acquiring) &+ mask &+ 1
        return limit != head
    }

    /// Writes the next slot; the caller has seen that there is one.
    @inlinable public mutating func push(_ slot: Slot) {
        // The mask keeps the index inside the ring whatever the positions say.
        unsafe slots[Int(head & mask)] = slot
        head &+= 1
    }

    /// Hands everything pushed since the last time to the kernel.
    @inlinable public func submit() { unsafe producer.pointee.store(head, ordering: .releasing) }

    /// Where the next slot is written.
    @inlinable public var position: UInt32 { head }

    /// A slot that was written, by its position.
    @inlinable public subscript(position: UInt32) -> Slot { unsafe slots[Int(position & mask)] }

    /// Slots that the consumer has not taken yet.
    @inlinable public var pending: UInt32 { unsafe head &- consumer.pointee.load(ordering: .acquiring) }

    /// Whether the kernel asks for a system call to go on (XDP_RING_NEED_WAKEUP).
    @inlinable public var needsWakeUp: Bool { unsafe flags.pointee.load(ordering: .relaxed) & 1 != 0 }

    /// Replaces every slot that the consumer has not taken, and hands each old one to `body`: what waits for a port without link
    /// must not leave late. The caller knows that the consumer is at rest.
    public mutating func withdraw(replacingWith dead: Slot, _ body: (Slot) -> Void) {
        var position = unsafe consumer.pointee.load(ordering: .acquiring)
        while position != head {
            let index = Int(position & mask)
            body(unsafe slots[index])
            unsafe slots[index] = dead
            position &+= 1
        }
    }
}

/// The end of a ring that we read: receive and completion.
@safe public struct ConsumerRing<Slot: BitwiseCopyable>: ~Copyable {
    @usableFromInline let producer: UnsafePointer<Atomic<UInt32>>
    @usableFromInline let consumer: UnsafePointer<Atomic<UInt32>>
    @usableFromInline let slots: UnsafePointer<Slot>
    @usableFromInline let mask: UInt32
    /// Our position, published by `release`.
    @usableFromInline var head: UInt32

    /// A ring over shared memory, as in `ProducerRing`.
    @unsafe public init(
        producer: UnsafeMutableRawPointer, consumer: UnsafeMutableRawPointer, slots: UnsafeMutableRawPointer, size: UInt32
    ) {
        precondition(size > 0 && size & (size - 1) == 0, "a ring's size is a power of two")
        unsafe self.producer = UnsafePointer(producer.assumingMemoryBound(to: Atomic<UInt32>.self))
        unsafe self.consumer = UnsafePointer(consumer.assumingMemoryBound(to: Atomic<UInt32>.self))
        unsafe self.slots = UnsafePointer(slots.assumingMemoryBound(to: Slot.self))
        mask = size - 1
        unsafe head = self.consumer.pointee.load(ordering: .relaxed)
    }

    /// How many slots can be read, at most `limit`.
    @inlinable public func peek(_ limit: UInt32) -> UInt32 {
        let ready = unsafe producer.pointee.load(ordering: .acquiring) &- head
        return ready < limit ? ready : limit
    }

    /// The slot at `offset` behind our position; the caller has peeked that far.
    @inlinable public subscript(offset: UInt32) -> Slot {
        unsafe slots[Int((head &+ offset) & mask)]
    }

    /// Gives `count` slots back to the kernel.
    @inlinable public mutating func release(_ count: UInt32) {
        head &+= count
        unsafe consumer.pointee.store(head, ordering: .releasing)
    }
}

/// What a ring that we read holds from our position on, seen from outside of what the ring is a part of: where its slots lie is not read
/// again behind each store. Good until the ring is given any back.
@safe @frozen public struct ConsumerView<Slot: BitwiseCopyable>: BitwiseCopyable {
    @usableFromInline let slots: UnsafePointer<Slot>
    @usableFromInline let mask: UInt32
    @usableFromInline let head: UInt32

    @inlinable init(slots: UnsafePointer<Slot>, mask: UInt32, head: UInt32) {
        unsafe self.slots = slots
        (self.mask, self.head) = (mask, head)
    }

    /// The slot at `offset` behind the position, as in the ring.
    @inlinable public subscript(offset: UInt32) -> Slot {
        unsafe slots[Int((head &+ offset) & mask)]
    }
}

extension ConsumerRing {
    /// The same slots, for a loop over many.
    @inlinable public var view: ConsumerView<Slot> { unsafe ConsumerView(slots: slots, mask: mask, head: head) }
}

/// Free frames for the kernel to receive into.
public typealias FillRing = ProducerRing<UInt64>
/// Frames that came in.
public typealias ReceiveRing = ConsumerRing<Descriptor>
/// Frames to send.
public typealias TransmitRing = ProducerRing<Descriptor>
/// Frames that were sent.
public typealias CompletionRing = ConsumerRing<UInt64>

extension ProducerRing where Slot == UInt64 {
    /// Writes the next slots with frames off a list, the last of them first: as many as there are, at most `count`, which `free` has said. Says
    /// how many.
    @_noLocks @inlinable public mutating func push(atMost count: UInt32, of list: inout FreeList) -> UInt32 {
        let (slots, mask, first) = unsafe (self.slots, self.mask, head)
        let (frames, top) = unsafe (list.slots, list.top.pointee)
        let given = top < UInt64(count) ? UInt32(truncatingIfNeeded: top) : count
        var offset: UInt32 = 0
        while offset < given {
            // The list holds at least as many as are given.
            unsafe slots[Int((first &+ offset) & mask)] = frames[Int(truncatingIfNeeded: top &- 1 &- UInt64(offset))]
            offset &+= 1
        }
        unsafe list.top.pointee = top &- UInt64(given)
        head = first &+ given
        return given
    }
}

extension ConsumerRing where Slot == Descriptor {
    /// The frame at `offset` behind our position, from now on in hand: it goes into exactly one ring before `release`.
    @_noLocks @inlinable public func take(at offset: UInt32) -> Frame {
        let descriptor = self[offset]
        return Frame(address: descriptor.address, length: descriptor.length)
    }
}

extension ProducerRing where Slot == Descriptor {
    /// Puts a frame in hand into the ring.
    @_noLocks @inlinable public mutating func push(_ frame: consuming Frame) { push(frame.surrender()) }
}
