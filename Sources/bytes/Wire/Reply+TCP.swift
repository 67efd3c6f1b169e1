// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The TCP header of a reset: without options.
private enum ResetField {
    static var length: Int { @_noLocks get { 20 } }
    static var fin: UInt8 { @_noLocks get { 0x01 } }
    static var syn: UInt8 { @_noLocks get { 0x02 } }
    static var rst: UInt8 { @_noLocks get { 0x04 } }
    static var ack: UInt8 { @_noLocks get { 0x10 } }
}

/// Whether a segment is a reset, which is never answered.
@_noLocks @inline(__always)
func isReset(_ reading: borrowing Reading) -> Bool { reading.tcpFlags.rawValue & ResetField.rst != 0 }

/// Bytes of the packet that resets a segment's connection.
@_noLocks
func resetLength(_ reading: borrowing Reading) -> Int { ReplyHeader.length(overIPv4: reading.isIPv4) &+ ResetField.length }

/// Writes a reset as the far end would for a connection that it does not have (RFC 9293, 3.10.7.1): it continues at what the segment
/// acknowledges, or, where it acknowledges nothing, starts at 0 and acknowledges all of the segment, so that the sender of a SYN
/// accepts it. SYN and FIN count as one byte each.
@_noLocks
func writeReset(to reading: borrowing Reading, into reply: inout MutableRawSpan, at start: Int) {
    ReplyHeader.write(to: reading, .tcp, service: 0, payload: ResetField.length, into: &reply, at: start)

    let flags = reading.tcpFlags.rawValue
    let acknowledges = flags & ResetField.ack != 0
    var segmentLength = UInt32(reading.end &- reading.payloadOffset)
    if flags & ResetField.syn != 0 { segmentLength &+= 1 }
    if flags & ResetField.fin != 0 { segmentLength &+= 1 }
    let ports = UInt32(reading.destinationPort) << 16 | UInt32(reading.sourcePort)
    let sequence = acknowledges ? reading.acknowledgement : 0
    let acknowledgement = acknowledges ? 0 : reading.sequence &+ segmentLength
    let control = acknowledges ? ResetField.rst : ResetField.rst | ResetField.ack
    // Data offset in words, then the flags, then a window of 0.
    let fourth = UInt32(truncatingIfNeeded: ResetField.length / 4) << 28 | UInt32(control) << 16

    var sum = pseudoHeaderSum(reading.source, reading.destination, length: ResetField.length, .tcp)
    sum &+= UInt64(ports) &+ UInt64(sequence) &+ UInt64(acknowledgement) &+ UInt64(fourth)
    let transport = start &+ ReplyHeader.length(overIPv4: reading.isIPv4)
    put32(ports, &reply, transport)
    put32(sequence, &reply, transport &+ 4)
    put32(acknowledgement, &reply, transport &+ 8)
    put32(fourth, &reply, transport &+ 12)
    put32(UInt32(checksum(of: sum)) << 16, &reply, transport &+ 16)
}
