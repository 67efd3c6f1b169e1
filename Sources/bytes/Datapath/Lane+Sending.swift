// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Record
internal import Ring

/// Frames that a loop has sent, and their bytes: added to the counters in shared memory when it is over.
struct Sent {
    private(set) var frames: UInt64
    private(set) var bytes: UInt64

    /// None yet.
    @_noLocks @inline(__always)
    init() { (frames, bytes) = (0, 0) }

    @_noLocks @inline(always)
    mutating func count(_ length: UInt32) {
        frames &+= 1
        bytes &+= UInt64(length)
    }
}

extension Lane {
    /// Sends a frame out by the other port, if that can take it, and counts it.
    @_noLocks @inline(always)
    mutating func forward(_ descriptor: Descriptor, from port: Int, at now: Moment) {
        var sent = Sent()
        guard send(descriptor, from: port, at: now) else { return }
        sent.count(descriptor.length)
        account(sent, from: port)
    }

    /// Sends a frame out by the other port; false where that cannot take it, which ends its way.
    @_noLocks @inline(always)
    mutating func send(_ descriptor: Descriptor, from port: Int, at now: Moment) -> Bool {
        let frame = Frame(address: descriptor.address, length: descriptor.length)
        let out = 1 &- port
        guard ports[out].hasLink else {
            dropUnsent(frame, from: port, because: .linkDown)
            return false
        }
        guard descriptor.length <= ports[out].longestUntagged || fits(descriptor, through: out, at: now) else {
            dropUnsent(frame, from: port, because: .oversize)
            return false
        }
        if !ports[out].rings.transmit.hasRoom() {
            complete(out)
            guard ports[out].rings.transmit.hasRoom() else {
                dropUnsent(frame, from: port, because: .transmitFull)
                return false
            }
        }
        ports[out].rings.transmit.push(frame)
        return true
    }

    /// Counts frames that came in by a port and were sent.
    @_noLocks @inline(always)
    mutating func account(_ sent: Sent, from port: Int) {
        let counters = unsafe self.counters
        unsafe counters.pointee.ports[port].forwarded &+= sent.frames
        unsafe counters.pointee.ports[port].forwardedBytes &+= sent.bytes
    }

    /// Ends the way of a frame in hand that could not go on as its verdict says, which becomes another one by that.
    @_noLocks @inline(never)
    mutating func dropUnsent(_ frame: consuming Frame, from port: Int, because reason: DropReason) {
        burst.verdict = .drop(reason)
        drop(frame, from: port, because: reason)
    }
}
