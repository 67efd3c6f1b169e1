// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Record
internal import Ring
internal import Wire

// What a frame's sender is told. The reply is written into a free frame and leaves by the port that its trigger came in by. It has the
// start of its frame, where the kernel never puts a frame that it received (it leaves XDP_PACKET_HEADROOM before it): so whoever finds a
// frame unsent can tell whether it was forwarded or generated, and the books stay right.

/// What there is to tell.
enum Notice: BitwiseCopyable {
    /// Policy rejects what the frame asks for.
    case rejected
    /// The frame is longer than this MTU of the port that it would leave by.
    case tooBig(mtu: UInt32)
}

extension Lane {
    /// Tells the sender of a frame in hand that it was rejected.
    @_noLocks @inline(never)
    mutating func answer(_ index: Int, at now: Moment) {
        let reading = burst.readings[index]
        tell(.rejected, to: reading, burst.notes[index].descriptor, at: now)
    }

    /// Whether a frame in hand fits through a port, although it is longer than any without tags; its sender is told where it does not.
    @_noLocks @inline(never)
    mutating func fits(_ descriptor: Descriptor, through out: Int, at now: Moment) -> Bool {
        let mtu = ports[out].mtu
        guard umem.lengthBehindTags(descriptor) > Int(mtu) else { return true }
        // The frame's own headers: those in hand may be of a packet in a tunnel, whose sender knows nothing of this way.
        var reading = Reading()
        if umem.read(descriptor, into: &reading) == nil { tell(.tooBig(mtu: mtu), to: reading, descriptor, at: now) }
        return false
    }

    /// Tells a frame's sender something: when there is a budget, a free frame, a link and room in the transmit ring, and Wire has
    /// something to say. The frame itself stays where it is.
    @_noLocks
    private mutating func tell(_ notice: Notice, to reading: borrowing Reading, _ trigger: Descriptor, at now: Moment) {
        let port = Int(trigger.options & 1)
        guard hasRoom(port) else { return }
        // Spent only by a reply: what must not be answered takes nobody's answer away.
        var left = replies
        guard left.spend(at: now.nanoseconds), let address = free.pop() else { return }
        let length = umem.write(notice, to: reading, trigger, at: address)
        guard length > 0 else {
            _ = free.push(address)
            return
        }
        replies = left
        send(Frame(address: address, length: length), by: port)
    }

    /// Whether a port can send one more.
    @_noLocks
    mutating func hasRoom(_ port: Int) -> Bool {
        guard ports[port].hasLink else { return false }
        if ports[port].rings.transmit.free(1) == 0 { complete(port) }
        return ports[port].rings.transmit.free(1) > 0
    }

    /// Sends a frame of our own making.
    @_noLocks
    mutating func send(_ frame: consuming Frame, by port: Int) {
        unsafe counters.pointee.ports[port].generated &+= 1
        ports[port].rings.transmit.push(frame)
    }
}

extension UMEM {
    /// The door to both spans: the trigger's bytes, and as many of a free frame. Says how long the reply is, 0 for none.
    @_semantics("no_performance_analysis")
    func write(_ notice: Notice, to reading: borrowing Reading, _ trigger: Descriptor, at address: UInt64) -> UInt32 {
        // The trigger was read, so it lies in the UMEM; the free frame has the room that the trigger's has.
        guard contains(trigger.address, length: trigger.length), contains(address, length: trigger.length) else { return 0 }
        let frame = unsafe RawSpan(_unsafeStart: bytes(at: trigger.address), byteCount: Int(trigger.length))
        var reply = unsafe MutableRawSpan(_unsafeStart: bytes(at: address), byteCount: Int(trigger.length))
        let length =
            switch notice {
            case .rejected: Wire.writeReply(to: reading, frame: frame, into: &reply)
            case .tooBig(let mtu): Wire.writeTooBig(to: reading, frame: frame, mtu: mtu, into: &reply)
            }
        return UInt32(truncatingIfNeeded: length)
    }

    /// The door to `Wire.lengthBehindTags`; the caller has checked that the descriptor lies inside the UMEM.
    @_semantics("no_performance_analysis")
    func lengthBehindTags(_ descriptor: Descriptor) -> Int {
        unsafe Wire.lengthBehindTags(RawSpan(_unsafeStart: bytes(at: descriptor.address), byteCount: Int(descriptor.length)))
    }
}
