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
}
