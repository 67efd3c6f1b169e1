// SPDX-License-Identifier: Apache-2.0
internal import Net

extension Reading {
    /// Adds a mark.
    @_noLocks @inline(__always)
    mutating func mark(_ mark: Marks) { marks = Marks(rawValue: marks.rawValue | mark.rawValue) }

    /// Whether more fragments follow, so that lengths inside may reach behind the packet's end.
    var isCut: Bool { @_noLocks get { marks.rawValue & Marks.moreFragments.rawValue != 0 } }

    /// Moves transport and payload to a byte of the frame: nothing behind it is read.
    @_noLocks @inline(__always)
    mutating func leave(at offset: Int) {
        transportOffset = UInt16(truncatingIfNeeded: offset)
        payloadOffset = transportOffset
    }
}
