// SPDX-License-Identifier: Apache-2.0

// Flows that open in the middle of a connection: after a restart that lost the table, or wherever the configuration says so.

extension FlowTable {
    /// Makes a fresh flow one that was picked up, and counts it. The caller has inserted it and not yet tracked its frame.
    ///
    /// - Parameters:
    ///   - number: the entry that `insert` gave.
    ///   - isReply: the frame's sender is the responder, and not the initiator that `insert` took it for.
    @inlinable public mutating func pickUp(_ number: UInt32, isReply: Bool) {
        precondition(number < limit)
        // In bounds by the line above.
        let entry = unsafe body(number)
        let initiator: UInt8 = isReply ? FlowMarks.initiatorIsHigh.rawValue : 0
        unsafe entry.pointee.marks = FlowMarks(rawValue: entry.pointee.marks.rawValue ^ initiator | FlowMarks.pickedUp.rawValue)
        unsafe header.pointee.pickedUp &+= 1
        syns.forget(number)
    }

    /// Makes a connection that is known one whose numbers nobody knows any more, as if it were picked up here, and counts it. Its roles and
    /// its verdict stay.
    ///
    /// - Parameter number: an entry that waits for nothing.
    @inlinable public mutating func forgetWindows(_ number: UInt32) {
        precondition(number < limit)
        // In bounds by the line above.
        let entry = unsafe body(number)
        unsafe entry.pointee.marks = FlowMarks(rawValue: entry.pointee.marks.rawValue | FlowMarks.pickedUp.rawValue)
        unsafe (entry.pointee.lowWindow, entry.pointee.highWindow) = (TCPWindow(), TCPWindow())
        unsafe entry.pointee.state = .established
        unsafe header.pointee.pickedUp &+= 1
        syns.forget(number)
    }
}
