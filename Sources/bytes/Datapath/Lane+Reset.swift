// SPDX-License-Identifier: Apache-2.0
internal import Flow
internal import Net
internal import Record
internal import Ring
internal import Wire

// A TCP connection that is reset because policy changed. Both ends are told, each in the other's name, by two answers to one segment:
// the appliance knows the hardware addresses of both only from a frame. So a connection that is idle when policy changes ends at once
// as far as policy goes, and waits, condemned, for its next segment, or for the end of its time.

extension Lane {
    /// Resets both ends of the connection of a segment in hand; false where one of them could not be told: no budget, no free frames, no
    /// room to send, or a segment that is never answered.
    @_noLocks
    mutating func resetBothEnds(_ arrival: Arrival, _ number: FlowNumber, at now: Moment) -> Bool {
        let trigger = burst.notes[arrival.index].descriptor
        let (back, onward) = (Int(arrival.port), 1 &- Int(arrival.port))
        guard hasRoom(back), hasRoom(onward) else { return false }
        // Spent only by replies that are sent.
        var left = replies
        guard left.spend(at: now.nanoseconds), left.spend(at: now.nanoseconds), let first = free.pop() else { return false }
        guard let second = free.pop() else {
            _ = free.push(first)
            return false
        }
        let length = umem.write(.rejected, to: burst.readings[arrival.index], trigger, at: first)
        let sender = burst.notes[arrival.index].keys.sender
        let next = flows[number].nextSequence(behind: burst.readings[arrival.index], sender: sender)
        let other = umem.writeReset(behind: burst.readings[arrival.index], trigger, sequence: next, at: second)
        guard length > 0, other > 0 else {
            _ = free.push(first)
            _ = free.push(second)
            return false
        }
        replies = left
        send(Frame(address: first, length: length), by: back)
        send(Frame(address: second, length: other), by: onward)
        return true
    }
}

extension UMEM {
    /// The door to both spans, as for `write(_:to:)`. Says how long the reset is, 0 for none.
    @_semantics("no_performance_analysis")
    func writeReset(behind reading: borrowing Reading, _ trigger: Descriptor, sequence: UInt32, at address: UInt64) -> UInt32 {
        guard contains(trigger.address, length: trigger.length), contains(address, length: trigger.length) else { return 0 }
        let frame = unsafe RawSpan(_unsafeStart: bytes(at: trigger.address), byteCount: Int(trigger.length))
        var reset = unsafe MutableRawSpan(_unsafeStart: bytes(at: address), byteCount: Int(trigger.length))
        return UInt32(
            truncatingIfNeeded: Wire.writeReset(behind: reading, frame: frame, sequence: sequence, into: &reset))
    }
}
