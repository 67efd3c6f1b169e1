// SPDX-License-Identifier: Apache-2.0
internal import Net

/// A TCP segment in sequence space (RFC 9293, 3.4). Numbers there wrap: only differences are compared, and only as signed ones.
struct TCPSegment: BitwiseCopyable {
    /// First sequence number.
    let sequence: UInt32
    /// One past the last: the payload, and one each for SYN and FIN.
    let end: UInt32
    /// Meaningful with ACK.
    let acknowledgement: UInt32
    /// As in the header, unscaled.
    let window: UInt16
    /// The flag byte.
    let flags: UInt8
    /// The window scale that a SYN offers, or 255.
    let scale: UInt8
    /// The first fragment of a segment: `end` is only as far as this part goes.
    let isCut: Bool
    /// A later fragment, which has no TCP header: only `sequence` and `end` are known of it, by its datagram's first one.
    let isLaterPart: Bool

    /// What a reading of TCP says.
    @_noLocks init(_ reading: borrowing Reading) {
        let flags = reading.tcpFlags.rawValue
        let isFirst = reading.fragmentOffset == 0
        let isPart = reading.marks.rawValue & Reading.Marks.fragment.rawValue != 0
        let start = isPart && !isFirst ? reading.fragmentStart : reading.payloadOffset
        let payload = UInt32(reading.end) &- UInt32(start)
        sequence = reading.sequence
        end = reading.sequence &+ payload &+ UInt32(flags & 1) &+ UInt32(flags >> 1 & 1)
        acknowledgement = reading.acknowledgement
        window = reading.window
        self.flags = flags
        scale = reading.windowScale
        isLaterPart = isPart && !isFirst
        isCut = isPart && isFirst
    }

    var isSYN: Bool { @_noLocks get { flags & 0x02 != 0 } }
    var isACK: Bool { @_noLocks get { flags & 0x10 != 0 } }
    var isRST: Bool { @_noLocks get { flags & 0x04 != 0 } }
    var isFIN: Bool { @_noLocks get { flags & 0x01 != 0 } }
    /// Takes no sequence number: a bare acknowledgement.
    var isBare: Bool { @_noLocks get { end == sequence && !isCut } }
}

/// Whether `a` lies behind `b` in sequence space.
@_noLocks @inlinable @inline(__always) func isAfter(_ a: UInt32, _ b: UInt32) -> Bool { Int32(bitPattern: a &- b) > 0 }

/// Whether `number` lies in `low...high` in sequence space.
@_noLocks func isWithin(_ number: UInt32, _ low: UInt32, _ high: UInt32) -> Bool {
    !isAfter(low, number) && !isAfter(number, high)
}
