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
    let sequence = acknowledges ? reading.acknowledgement : 0
    let acknowledgement = acknowledges ? 0 : reading.sequence &+ segmentLength
    let control = acknowledges ? ResetField.rst : ResetField.rst | ResetField.ack
    writeSegment(
        reading, from: reading.destinationPort, to: reading.sourcePort, sequence, acknowledgement, control, into: &reply,
        at: start &+ ReplyHeader.length(overIPv4: reading.isIPv4))
}

/// Writes a reset that goes on the way of a segment, as its sender would who gives up the connection (RFC 9293, 3.5.2): its receiver
/// believes it where it has the number that he expects next (RFC 5961, 3.2).
@_noLocks
func writeReset(behind reading: borrowing Reading, sequence: UInt32, into reply: inout MutableRawSpan, at start: Int) {
    ReplyHeader.write(to: reading, .tcp, service: 0, payload: ResetField.length, isOnward: true, into: &reply, at: start)
    let acknowledges = reading.tcpFlags.rawValue & ResetField.ack != 0
    writeSegment(
        reading, from: reading.sourcePort, to: reading.destinationPort, sequence, acknowledges ? reading.acknowledgement : 0,
        acknowledges ? ResetField.rst | ResetField.ack : ResetField.rst, into: &reply,
        at: start &+ ReplyHeader.length(overIPv4: reading.isIPv4))
}

/// Writes a TCP header without options and bytes, between the addresses of a reading in either direction.
@_noLocks
private func writeSegment(
    _ reading: borrowing Reading, from: UInt16, to: UInt16, _ sequence: UInt32, _ acknowledgement: UInt32, _ control: UInt8,
    into reply: inout MutableRawSpan, at transport: Int
) {
    let ports = UInt32(from) << 16 | UInt32(to)
    // Data offset in words, then the flags, then a window of 0.
    let fourth = UInt32(truncatingIfNeeded: ResetField.length / 4) << 28 | UInt32(control) << 16

    // The sum of both addresses is the same either way.
    var sum = pseudoHeaderSum(reading.source, reading.destination, length: ResetField.length, .tcp)
    sum &+= UInt64(ports) &+ UInt64(sequence) &+ UInt64(acknowledgement) &+ UInt64(fourth)
    put32(ports, &reply, transport)
    put32(sequence, &reply, transport &+ 4)
    put32(acknowledgement, &reply, transport &+ 8)
    put32(fourth, &reply, transport &+ 12)
    put32(UInt32(checksum(of: sum)) << 16, &reply, transport &+ 16)
}
