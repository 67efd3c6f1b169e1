// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The TCP header (RFC 9293, 3.1).
private enum TCPField {
    static var sourcePort: Int { 0 }
    static var destinationPort: Int { sourcePort + 2 }
    static var sequence: Int { destinationPort + 2 }
    static var acknowledgement: Int { sequence + 4 }
    static var dataOffset: Int { acknowledgement + 4 }
    static var flags: Int { dataOffset + 1 }
    static var window: Int { flags + 1 }
    static var checksum: Int { window + 2 }
    static var urgent: Int { checksum + 2 }
    static var options: Int { urgent + 2 }
}

/// The flag byte (RFC 9293, 3.1), as in `TCPFlags`.
private enum TCPFlag {
    static var fin: UInt8 { 0x01 }
    static var syn: UInt8 { 0x02 }
    static var rst: UInt8 { 0x04 }
    static var ack: UInt8 { 0x10 }
    /// All but ECE and CWR, which go with any segment (RFC 3168).
    static var judged: UInt8 { 0x3f }
}

/// Option kinds and their lengths (RFC 9293, 3.2; RFC 7323, 2 and 3; RFC 2018, 2 and 3).
private enum TCPOption {
    static var endOfList: UInt8 { 0 }
    static var noOperation: UInt8 { 1 }
    static var maximumSegment: UInt8 { 2 }
    static var maximumSegmentLength: Int { 4 }
    static var windowScale: UInt8 { 3 }
    static var windowScaleLength: Int { 3 }
    static var selectiveAllowed: UInt8 { 4 }
    static var selectiveAllowedLength: Int { 2 }
    static var selective: UInt8 { 5 }
    static var timestamps: UInt8 { 8 }
    static var timestampsLength: Int { 10 }
    /// A larger shift is taken for this one (RFC 7323, 2.3).
    static var largestScale: UInt8 { 14 }
    /// What most segments carry: two times no operation, then timestamps (RFC 7323, A).
    static var alignedTimestamps: UInt32 { 0x0101_080a }
    static var alignedTimestampsLength: Int { 12 }
}

/// Reads a TCP segment.
@_noLocks @inline(always)
func readTCP(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    let length = Int(reading.end) &- start
    guard length >= TCPField.options else { return .truncated }
    let headerLength = Int(u8(frame, start &+ TCPField.dataOffset) >> 4) &* 4
    let flags = u8(frame, start &+ TCPField.flags)
    guard headerLength >= TCPField.options, isLegal(flags) else { return .badTCP }
    guard headerLength <= length else { return reading.isCut ? .truncated : .badTCP }

    reading.sourcePort = u16(frame, start &+ TCPField.sourcePort)
    reading.destinationPort = u16(frame, start &+ TCPField.destinationPort)
    reading.sequence = u32(frame, start &+ TCPField.sequence)
    reading.acknowledgement = u32(frame, start &+ TCPField.acknowledgement)
    reading.window = u16(frame, start &+ TCPField.window)
    reading.tcpFlags = TCPFlags(rawValue: flags)
    reading.payloadOffset = UInt16(truncatingIfNeeded: start &+ headerLength)
    guard headerLength > TCPField.options else { return nil }
    var offset = start &+ TCPField.options
    if u32(frame, offset) == TCPOption.alignedTimestamps { offset &+= TCPOption.alignedTimestampsLength }
    return offset == start &+ headerLength ? nil : readOptions(frame, from: offset, into: &reading)
}

/// Whether a connection ever sends these flags. Only SYN and RST come without ACK, and each alone; no two of SYN, FIN and RST go together.
/// The rest are probes, and hosts answer them in ways that tell what they are.
@_noLocks @inline(__always)
private func isLegal(_ flags: UInt8) -> Bool {
    let judged = flags & TCPFlag.judged
    guard judged & TCPFlag.ack != 0 else { return judged == TCPFlag.syn || judged == TCPFlag.rst }
    let purpose = judged & (TCPFlag.syn | TCPFlag.fin | TCPFlag.rst)
    // One bit of them, or none.
    return purpose & (purpose &- 1) == 0
}

/// Walks the options from one on, up to the payload; timestamps that reach behind it have been stepped over, and are refused. A list with a hole
/// in it, an option of another length than its own, and one that says twice what a SYN says once are refused: the ends would disagree with
/// us, or with each other.
@_noLocks @inline(never)
private func readOptions(_ frame: borrowing RawSpan, from start: Int, into reading: inout Reading) -> DropReason? {
    let end = Int(reading.payloadOffset)
    guard start <= end else { return .badTCP }
    let isSYN = reading.tcpFlags.rawValue & TCPFlag.syn != 0
    var offset = start
    while offset < end {
        let kind = u8(frame, offset)
        if kind == TCPOption.endOfList { return nil }
        if kind == TCPOption.noOperation {
            offset &+= 1
            continue
        }
        guard end &- offset >= 2 else { return .badTCP }
        let length = Int(u8(frame, offset &+ 1))
        guard length >= 2, length <= end &- offset, isRight(length, of: kind) else { return .badTCP }
        // Of other segments hosts ignore both.
        if isSYN, kind == TCPOption.windowScale {
            guard reading.windowScale == 255 else { return .badTCP }
            let scale = u8(frame, offset &+ 2)
            reading.windowScale = scale < TCPOption.largestScale ? scale : TCPOption.largestScale
        } else if isSYN, kind == TCPOption.maximumSegment {
            guard reading.maximumSegment == 0 else { return .badTCP }
            reading.maximumSegment = u16(frame, offset &+ 2)
        }
        offset &+= length
    }
    return nil
}

/// Whether a length is that of the kind; of kinds that are not known here any is.
@_noLocks
private func isRight(_ length: Int, of kind: UInt8) -> Bool {
    if kind == TCPOption.maximumSegment { return length == TCPOption.maximumSegmentLength }
    if kind == TCPOption.windowScale { return length == TCPOption.windowScaleLength }
    if kind == TCPOption.selectiveAllowed { return length == TCPOption.selectiveAllowedLength }
    if kind == TCPOption.timestamps { return length == TCPOption.timestampsLength }
    // Blocks of two sequence numbers, at least one.
    if kind == TCPOption.selective { return length >= 10 && (length &- 2) & 7 == 0 }
    return true
}
