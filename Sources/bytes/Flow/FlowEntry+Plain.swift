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
        /// Not 0 where the segment is none with ACK, and without SYN, FIN and RST, or in fragments.
        @usableFromInline let odd: UInt8

        @inlinable @inline(__always) init(_ reading: borrowing Reading) {
            end = reading.sequence &+ UInt32(reading.end) &- UInt32(reading.payloadOffset)
            acknowledgement = reading.acknowledgement
            odd = (reading.tcpFlags.rawValue & 0x17 ^ 0x10) | (reading.marks.rawValue & Reading.Marks.fragment.rawValue)
        }

        @inlinable @inline(__always) init(_ packet: PlainPacket) {
            end = packet.end
            acknowledgement = packet.acknowledgement
            odd = 0
        }
    }

    /// The sender's window, and the other end's.
    @inlinable @inline(__always) static func windows(
        _ entry: UnsafeMutablePointer<FlowEntry>, _ sender: FlowEnd
    ) -> (own: UnsafeMutablePointer<TCPWindow>, peer: UnsafeMutablePointer<TCPWindow>) {
        // The windows of both ends lie side by side inside the entry.
        let windows = unsafe (UnsafeMutableRawPointer(entry) + windowOffset).assumingMemoryBound(to: TCPWindow.self)
        let column = Int(sender.number)
        return unsafe (windows + column, windows + (1 &- column))
    }

    /// Whether a segment that has ACK, but neither SYN, FIN nor RST, belongs to an established connection whose windows are both known, and
    /// fits them. Else `TCPTurn` knows the rest. Changes nothing: what is asked and what is written are apart, because together they need
    /// more registers than there are.
    @inlinable @inline(__always) static func fitsPlain(
        _ entry: UnsafeMutablePointer<FlowEntry>, _ progress: Progress, sender: FlowEnd
    ) -> Bool {
        let (own, peer) = unsafe windows(entry, sender)
        let ordinary = TCPWindow.known | TCPWindow.acknowledges
        let odd =
            unsafe progress.odd | (entry.pointee.state.number ^ FlowState.established.number)
            | (own.pointee.flags ^ ordinary) | (peer.pointee.flags ^ ordinary)
        guard odd == 0 else { return false }
        let (ownEnd, ownSpan) = unsafe (own.pointee.end, UInt32(own.pointee.maximum) &<< UInt32(own.pointee.scale))
        let (peerEnd, peerSpan) = unsafe (peer.pointee.end, UInt32(peer.pointee.maximum) &<< UInt32(peer.pointee.scale))
        // `TCPTurn.fits`, whose four borders are two distances.
        let oldest = ownEnd &- peerSpan &- TCPWindow.past
        let width = unsafe peer.pointee.acknowledged &+ peerSpan &+ 1 &- oldest
        guard width <= TCPWindow.widest, progress.end &- oldest <= width else { return false }
        return peerEnd &- progress.acknowledgement <= max(TCPWindow.past, ownSpan)
    }

    /// Moves the connection on by a segment that fits it.
    @inlinable @inline(__always) static func advancePlain(
        _ entry: UnsafeMutablePointer<FlowEntry>, _ progress: Progress, window: UInt16, flags: UInt8,
        sender: FlowEnd, length: Int, now: UInt32
    ) {
        let own = unsafe windows(entry, sender).own
        let (end, highest) = unsafe (own.pointee.end, own.pointee.acknowledged)
        unsafe own.pointee.end = isAfter(progress.end, end) ? progress.end : end
        unsafe own.pointee.acknowledged = isAfter(progress.acknowledgement, highest) ? progress.acknowledgement : highest
        unsafe own.pointee.maximum = max(own.pointee.maximum, window)
        unsafe account(entry, flags: flags, sender: sender, length: length)
        unsafe entry.pointee.lastSeen = now
    }

    /// Both, of what was read: false where it does not fit, and nothing was changed.
    @inlinable @inline(__always) static func takePlain(
        _ entry: UnsafeMutablePointer<FlowEntry>, _ reading: borrowing Reading, sender: FlowEnd, length: Int, now: UInt32
    ) -> Bool {
        let progress = Progress(reading)
        guard unsafe fitsPlain(entry, progress, sender: sender) else { return false }
        unsafe advancePlain(
            entry, progress, window: reading.window, flags: reading.tcpFlags.rawValue, sender: sender, length: length, now: now)
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
