// SPDX-License-Identifier: Apache-2.0
public import Net

// Nearly all frames belong to flows whose both ends have spoken, and change nothing but numbers. They take one straight run: the sender
// chooses a column of the entry instead of a branch, what must hold is gathered into few comparisons, and nothing outside of the
// entry is read or written.

extension FlowEntry {
    /// Where the fields lie that each end has one of, in bytes: those of the low end; the high end's follow. A test pins them.
    @inlinable static var meterOffset: Int { @_noLocks get { 0 } }
    @inlinable static var framesOffset: Int { @_noLocks get { 16 } }
    @inlinable static var flagsOffset: Int { @_noLocks get { 46 } }
    @inlinable static var windowOffset: Int { @_noLocks get { 48 } }

    /// What a segment says of its connection's progress.
    @frozen @usableFromInline struct Progress {
        /// The sequence number behind its last byte.
        @usableFromInline let end: UInt32
        @usableFromInline let acknowledgement: UInt32
        @usableFromInline let window: UInt16
        @usableFromInline let flags: UInt8
        /// Not 0 where the segment is none with ACK, and without SYN, FIN and RST, or in fragments.
        @usableFromInline let odd: UInt8

        @inlinable @inline(__always) init(_ reading: borrowing Reading) {
            end = reading.sequence &+ UInt32(reading.end) &- UInt32(reading.payloadOffset)
            acknowledgement = reading.acknowledgement
            window = reading.window
            flags = reading.tcpFlags.rawValue
            odd = (flags & 0x17 ^ 0x10) | (reading.marks.rawValue & Reading.Marks.fragment.rawValue)
        }

        @inlinable @inline(__always) init(_ packet: PlainPacket) {
            end = packet.sequence &+ UInt32(packet.payload)
            acknowledgement = packet.acknowledgement
            window = packet.window
            flags = packet.flags.rawValue
            odd = 0
        }
    }

    /// Follows an established connection by a segment that has ACK, but neither SYN, FIN nor RST, where both windows are known and
    /// it fits them. Else nothing is changed, and false returned: `TCPTurn` knows the rest.
    @inlinable @inline(__always) static func takePlain(
        _ entry: UnsafeMutablePointer<FlowEntry>, _ progress: Progress, sender: FlowEnd, length: Int, now: UInt32
    ) -> Bool {
        let column = Int(sender.number)
        // The windows of both ends lie side by side inside the entry.
        let windows = unsafe (UnsafeMutableRawPointer(entry) + windowOffset).assumingMemoryBound(to: TCPWindow.self)
        let own = unsafe windows + column
        let peer = unsafe windows + (1 &- column)
        let ordinary = TCPWindow.known | TCPWindow.acknowledges
        let odd =
            unsafe progress.odd | (entry.pointee.state.number ^ FlowState.established.number)
            | (own.pointee.flags ^ ordinary) | (peer.pointee.flags ^ ordinary)
        guard odd == 0 else { return false }
        let (end, acknowledgement) = (progress.end, progress.acknowledgement)
        let (ownEnd, ownSpan) = unsafe (own.pointee.end, UInt32(own.pointee.maximum) &<< UInt32(own.pointee.scale))
        let (peerEnd, peerSpan) = unsafe (peer.pointee.end, UInt32(peer.pointee.maximum) &<< UInt32(peer.pointee.scale))
        // `TCPTurn.fits`, whose four borders are two distances.
        let oldest = ownEnd &- peerSpan &- TCPWindow.past
        let width = unsafe peer.pointee.acknowledged &+ peerSpan &+ 1 &- oldest
        let isInWindow = width <= TCPWindow.widest && end &- oldest <= width
        let isFresh = peerEnd &- acknowledgement <= max(TCPWindow.past, ownSpan)
        guard isInWindow, isFresh else { return false }
        unsafe own.pointee.end = isAfter(end, ownEnd) ? end : ownEnd
        let highest = unsafe own.pointee.acknowledged
        unsafe own.pointee.acknowledged = isAfter(acknowledgement, highest) ? acknowledgement : highest
        unsafe own.pointee.maximum = max(own.pointee.maximum, progress.window)
        unsafe account(entry, flags: progress.flags, sender: sender, length: length)
        unsafe entry.pointee.lastSeen = now
        return true
    }

    /// Adds a frame to the sender's numbers.
    @inlinable @inline(__always) static func account(
        _ entry: UnsafeMutablePointer<FlowEntry>, flags: UInt8, sender: FlowEnd, length: Int
    ) {
        let column = Int(sender.number)
        // Each offset names two fields of the type that lie side by side inside the entry.
        let base = UnsafeMutableRawPointer(entry)
        let meter = unsafe (base + meterOffset).assumingMemoryBound(to: UInt64.self) + column
        let frames = unsafe (base + framesOffset).assumingMemoryBound(to: UInt32.self) + column
        let seen = unsafe (base + flagsOffset).assumingMemoryBound(to: UInt8.self) + column
        unsafe meter.pointee &+= UInt64(truncatingIfNeeded: length) &<< 16
        unsafe frames.pointee &+= 1
        unsafe seen.pointee |= flags
    }
}
