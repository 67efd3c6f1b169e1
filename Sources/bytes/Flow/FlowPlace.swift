// SPDX-License-Identifier: Apache-2.0
public import Net

/// Where the entry of a flow lies, for the few questions that each frame of an established flow asks it: found once, and not computed and
/// compared with the capacity for each. Only a table makes one; it is good until the flow is removed, and never kept.
@safe @frozen public struct FlowPlace: BitwiseCopyable {
    @usableFromInline let entry: UnsafeMutablePointer<FlowEntry>

    /// The caller has compared the entry's number with its table's capacity.
    @inlinable init(entry: UnsafeMutablePointer<FlowEntry>) { unsafe self.entry = entry }

    /// The byte of the entry's state.
    @inlinable var state: UInt8 { @inline(always) get { unsafe entry.pointee.state.number } }

    /// Whether the sender opened the flow.
    @inlinable @inline(always) public func isInitiator(_ sender: FlowEnd) -> Bool {
        unsafe entry.pointee.marks.rawValue & FlowMarks.initiatorIsHigh.rawValue == sender.number
    }

    /// Whether the sender comes in by its own port, 0 or 1: the one that the initiator came in by, or for the other end the other.
    @inlinable @inline(always) public func isOwnPort(_ port: UInt8, of sender: FlowEnd) -> Bool {
        // Who sends is as random as a coin: bits are put together here, because a branch would be guessed wrong half of the time.
        let marks = unsafe entry.pointee.marks.rawValue
        return (marks ^ marks >> 6 ^ sender.number ^ port) & 1 == 0
    }

    /// Whether the responder's address belongs to another zone than it would answer from.
    @inlinable public var isResponderElsewhere: Bool {
        @inline(always) get { unsafe entry.pointee.marks.rawValue & FlowMarks.responderElsewhere.rawValue != 0 }
    }

    /// Whether the flow was judged by another generation or epoch than these, or its verdict has lapsed at a second of Unix time or of the
    /// monotonic clock.
    @inlinable @inline(always) public func isStale(generation: UInt32, epoch: UInt32, wall: UInt64, timer: UInt64) -> Bool {
        let isOther = unsafe (entry.pointee.generation ^ generation) | (entry.pointee.epoch ^ epoch) != 0
        return unsafe isOther || entry.pointee.isDue(wall: wall, timer: timer)
    }

    /// Follows the flow by a frame that changes nothing but numbers, see `FlowEntry.takePlain`; false for any other, which goes to
    /// `FlowTables.track`.
    @inlinable @inline(always) public func takePlain(
        _ reading: borrowing Reading, sender: FlowEnd, length: Int, now: UInt32
    ) -> Bool {
        guard reading.protocolNumber.rawValue == 6 else { return takeDatagram(sender: sender, length: length, now: now) }
        return unsafe FlowEntry.takePlain(entry, reading, sender: sender, length: length, now: now)
    }

    /// Whether a plain packet that came in by its sender's own port goes on with an established flow under the verdict that the flow has.
    /// Where not, the frame goes the long way; else `take` follows.
    @inlinable @inline(always) public func admits(
        _ packet: PlainPacket, sender: FlowEnd, port: UInt8, _ stamps: FlowStamps
    ) -> Bool {
        let marks = unsafe entry.pointee.marks.rawValue
        let wrongPort = (marks ^ marks >> 6 ^ sender.number ^ port) & 1
        let odd =
            unsafe (entry.pointee.generation ^ stamps.generation) | (entry.pointee.epoch ^ stamps.epoch)
            | UInt32(wrongPort | marks & FlowMarks.responderElsewhere.rawValue)
        guard odd == 0, unsafe stamps.second < entry.pointee.validUntil else { return false }
        if packet.isDatagram { return goesOn(sender: sender) }
        return unsafe FlowEntry.fitsPlain(entry, FlowEntry.Progress(packet), sender: sender)
    }

    /// Follows the flow by a plain packet that it admits.
    @inlinable @inline(always) public func take(_ packet: PlainPacket, sender: FlowEnd, length: UInt32, now: UInt32) {
        guard !packet.isDatagram else { return note(sender: sender, length: Int(length), now: now) }
        unsafe FlowEntry.advancePlain(
            entry, FlowEntry.Progress(packet), window: packet.window, flags: packet.flags.rawValue, sender: sender,
            length: Int(length), now: now)
    }

    /// A frame of a protocol without a state of its own that changes nothing but numbers. False of any other: the first answer, the
    /// initiator's next frame, or one of no live flow.
    @inlinable @inline(always) func takeDatagram(sender: FlowEnd, length: Int, now: UInt32) -> Bool {
        guard goesOn(sender: sender) else { return false }
        note(sender: sender, length: length, now: now)
        return true
    }

    /// Whether a datagram changes nothing but numbers: the flow is established, or the sender is the end that spoke last.
    @inlinable @inline(always) func goesOn(sender: FlowEnd) -> Bool {
        let state = unsafe entry.pointee.state.number
        if state == FlowState.established.number { return true }
        return state == (isInitiator(sender) ? FlowState.oneSided.number : FlowState.answered.number)
    }

    /// Counts a frame that changes nothing but numbers.
    @inlinable @inline(always) func note(sender: FlowEnd, length: Int, now: UInt32) {
        unsafe FlowEntry.account(entry, flags: 0, sender: sender, length: length)
        unsafe entry.pointee.lastSeen = now
    }
}

/// What a flow's verdict is held against before a plain packet takes it.
@frozen public struct FlowStamps: BitwiseCopyable, Sendable {
    /// The generation in force.
    public let generation: UInt32
    /// The inventory's epoch.
    public let epoch: UInt32
    /// The later second of both clocks, kept below the one that stands for ever: a verdict that ends behind it holds by either. One that
    /// ends before it may hold by its own clock, and its frames go the long way.
    @usableFromInline let second: UInt32

    /// Stamps of a turn, with a second of Unix time and one of the monotonic clock.
    @_noLocks @inlinable public init(generation: UInt32, epoch: UInt32, wall: UInt64, timer: UInt64) {
        self.generation = generation
        self.epoch = epoch
        let second = wall > timer ? wall : timer
        self.second = second < UInt64(UInt32.max) ? UInt32(truncatingIfNeeded: second) : .max &- 1
    }
}
