// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The common header of SCTP (RFC 9260, 3.1).
private enum SCTPField {
    static var sourcePort: Int { 0 }
    static var destinationPort: Int { sourcePort + 2 }
    static var verificationTag: Int { destinationPort + 2 }
    static var checksum: Int { verificationTag + 4 }
    static var length: Int { checksum + 4 }
}

/// A chunk (RFC 9260, 3.2). Its length counts the header and not the padding up to 4 bytes.
private enum SCTPChunk {
    static var type: Int { 0 }
    static var flags: Int { type + 1 }
    static var chunkLength: Int { flags + 1 }
    static var length: Int { chunkLength + 2 }

    static var initiation: UInt8 { 1 }
    static var initiationLength: Int { 20 }
    static var initiationAcknowledgement: UInt8 { 2 }
    static var shutdownComplete: UInt8 { 14 }
}

/// Reads an SCTP packet: ports and tag are not 0 but for the tag of an INIT, and the chunks fill the packet, up to the padding of the last.
/// INIT, its acknowledgement and SHUTDOWN COMPLETE stand alone (RFC 9260, 6.10).
@_noLocks
func readSCTP(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    let end = Int(reading.end)
    guard end &- start >= SCTPField.length &+ SCTPChunk.length else { return .truncated }
    reading.sourcePort = u16(frame, start &+ SCTPField.sourcePort)
    reading.destinationPort = u16(frame, start &+ SCTPField.destinationPort)
    reading.payloadOffset = UInt16(truncatingIfNeeded: start &+ SCTPField.length)
    let first = u8(frame, start &+ SCTPField.length)
    let tag = u32(frame, start &+ SCTPField.verificationTag)
    reading.sequence = tag
    guard reading.sourcePort != 0, reading.destinationPort != 0, (tag == 0) == (first == SCTPChunk.initiation)
    else { return .badSCTP }
    guard !reading.isCut else { return nil }

    var offset = start &+ SCTPField.length
    var chunks = 0
    var standsAlone = false
    while offset < end {
        guard end &- offset >= SCTPChunk.length else { return .badSCTP }
        let type = u8(frame, offset)
        let length = Int(u16(frame, offset &+ SCTPChunk.chunkLength))
        guard length >= SCTPChunk.length, length <= end &- offset else { return .badSCTP }
        guard type != SCTPChunk.initiation || length >= SCTPChunk.initiationLength else { return .badSCTP }
        if type == SCTPChunk.initiation || type == SCTPChunk.initiationAcknowledgement || type == SCTPChunk.shutdownComplete {
            standsAlone = true
        }
        chunks &+= 1
        offset &+= (length &+ 3) & ~3
    }
    return standsAlone && chunks > 1 ? .badSCTP : nil
}
