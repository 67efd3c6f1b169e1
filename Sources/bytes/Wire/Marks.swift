// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The bits of `Reading.Marks`. Net names them as stored constants, which hot code of another room may not touch: the first use
/// of one could take a lock. A test pins them to each other.
enum MarkBit {
    static var fragment: UInt8 { @_noLocks get { 1 } }
    static var moreFragments: UInt8 { @_noLocks get { 2 } }
    static var icmpError: UInt8 { @_noLocks get { 4 } }
    static var icmpReply: UInt8 { @_noLocks get { 8 } }
    static var group: UInt8 { @_noLocks get { 16 } }
    static var dontFragment: UInt8 { @_noLocks get { 32 } }
}

extension Reading {
    /// Adds one of `MarkBit`.
    @_noLocks @inline(__always)
    mutating func mark(_ bit: UInt8) { marks = Marks(rawValue: marks.rawValue | bit) }
}
