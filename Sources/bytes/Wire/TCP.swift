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

/// The flag byte (RFC 9293, 3.1), as in `TCPFlags`, whose names are stored constants of another room.
private enum TCPFlag {
    static var fin: UInt8 { 0x01 }
    static var syn: UInt8 { 0x02 }
    static var rst: UInt8 { 0x04 }
    static var ack: UInt8 { 0x10 }
    /// All but ECE and CWR, which go with any segment (RFC 3168).
    static var judged: UInt8 { 0x3f }
}

/// Option kinds (RFC 9293, 3.2; RFC 7323, 2).
private enum TCPOption {
    static var endOfList: UInt8 { 0 }
    static var noOperation: UInt8 { 1 }
    static var windowScale: UInt8 { 3 }
    static var windowScaleLength: Int { 3 }
    /// A larger shift is taken for this one (RFC 7323, 2.3).
    static var largestScale: UInt8 { 14 }
}

/// Reads a TCP segment. Options are read of a SYN only: none of another segment changes what we know of the connection, and most
/// segments carry some.
@_noLocks
func readTCP(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    let length = Int(reading.end) &- start
    guard length >= TCPField.options else { return .truncated }
    let headerLength = Int(u8(frame, start &+ TCPField.dataOffset) >> 4) &* 4
    let flags = u8(frame, start &+ TCPField.flags)
    guard headerLength >= TCPField.options, headerLength <= length, isLegal(flags) else { return .badTCP }

    reading.sourcePort = u16(frame, start &+ TCPField.sourcePort)
    reading.destinationPort = u16(frame, start &+ TCPField.destinationPort)
    reading.sequence = u32(frame, start &+ TCPField.sequence)
    reading.acknowledgement = u32(frame, start &+ TCPField.acknowledgement)
    reading.window = u16(frame, start &+ TCPField.window)
    reading.tcpFlags = TCPFlags(rawValue: flags)
    reading.payloadOffset = UInt16(truncatingIfNeeded: start &+ headerLength)
    guard flags & TCPFlag.syn != 0, headerLength > TCPField.options else { return nil }
    return readOptions(frame, from: start &+ TCPField.options, to: start &+ headerLength, into: &reading)
}

/// Whether a connection ever sends these flags. Only SYN and RST come without ACK, and each alone; SYN goes with neither FIN nor
/// RST. The rest are probes, and hosts answer them in ways that tell what they are.
@_noLocks @inline(__always)
private func isLegal(_ flags: UInt8) -> Bool {
    let judged = flags & TCPFlag.judged
    guard judged & TCPFlag.ack != 0 else { return judged == TCPFlag.syn || judged == TCPFlag.rst }
    return judged & TCPFlag.syn == 0 || judged & (TCPFlag.fin | TCPFlag.rst) == 0
}

/// Walks the options of a SYN for the window scale. A list with a hole in it is refused: the ends would disagree with us on the scale.
@_noLocks
private func readOptions(_ frame: borrowing RawSpan, from start: Int, to end: Int, into reading: inout Reading) -> DropReason? {
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
        guard length >= 2, length <= end &- offset else { return .badTCP }
        if kind == TCPOption.windowScale {
            guard length == TCPOption.windowScaleLength else { return .badTCP }
            let scale = u8(frame, offset &+ 2)
            reading.windowScale = scale < TCPOption.largestScale ? scale : TCPOption.largestScale
        }
        offset &+= length
    }
    return nil
}
