// SPDX-License-Identifier: Apache-2.0
public import Net

extension FlowEntry {
    /// Follows a flow by a later fragment. It has no transport header: what there was to say of the state, the first one has said. Of
    /// TCP it is data all the same, which the other end will acknowledge.
    @inlinable @inline(never) public mutating func countLater(
        _ reading: borrowing Reading, sender: FlowEnd, length: Int, now: UInt32
    ) {
        count(sender: sender, length: length)
        if state.number != FlowState.closed.number { lastSeen = now }
        guard reading.protocolNumber.rawValue == 6 else { return }
        let end = reading.sequence &+ UInt32(reading.end &- reading.fragmentStart)
        if sender == .low { lowWindow.extend(to: end) } else { highWindow.extend(to: end) }
    }
}

extension TCPWindow {
    /// Moves the highest number sent, where one is known, on to `end`: at most the length of a datagram.
    @inlinable mutating func extend(to end: UInt32) {
        let ahead = Int32(bitPattern: end &- self.end)
        if flags & 1 != 0, ahead > 0, ahead <= 0xffff { self.end = end }
    }
}
