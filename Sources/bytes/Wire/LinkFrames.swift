// SPDX-License-Identifier: Apache-2.0
internal import Net

// Frames without IP. Each is given its row of the table of layer 2, which decides it; of the headers only so much is checked as tells
// that the frame is what its ether type says, since a row that passes must not pass anything else under its name.

/// The groups that no bridge forwards: 01-80-C2-00-00-00 to -0F (IEEE 802.1Q, 8.6.3).
private var linkLocalGroups: UInt64 { 0x0180_c200_0000 }

/// Reads ARP, or says which row the frame belongs to.
@_noLocks @inline(never)
func readLink(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    if reading.etherType == EtherType.arp { return readARP(frame, into: &reading) }
    reading.kind = .link
    reading.leave(at: Int(reading.networkOffset))
    if reading.link.number == LinkProtocol.none.number {
        reading.link = linkProtocol(of: reading.etherType)
        guard isConsistent(frame, reading) else { return .badLink }
    }
    let number = reading.link.number
    let isNamed = number != LinkProtocol.unknown.number && number != LinkProtocol.llc.number
    if !isNamed, reading.destinationMAC.bits & ~0xf == linkLocalGroups { reading.link = .linkLocal }
    return nil
}

/// The row of an ether type.
@_noLocks
private func linkProtocol(of type: UInt16) -> LinkProtocol {
    switch type {
    case 0x8809: .slowProtocols
    case 0x8847, 0x8848: .mpls
    case 0x8863, 0x8864: .pppoe
    case 0x888e: .eapol
    case 0x88cc: .lldp
    case 0x88e5: .macsec
    case 0x88f7: .ptp
    default: .unknown
    }
}

/// Whether the header is one of the protocol that its ether type names. Nothing is known of others.
@_noLocks
private func isConsistent(_ frame: borrowing RawSpan, _ reading: borrowing Reading) -> Bool {
    let start = Int(reading.networkOffset)
    let length = Int(reading.end) &- start
    switch reading.etherType {
    case 0x8809: return length >= 1 && isSlow(u8(frame, start))
    case 0x8847, 0x8848: return length >= 4
    case 0x8863, 0x8864: return isPPPoE(frame, start, length, isSession: reading.etherType == 0x8864)
    case 0x888e: return isEAPOL(frame, start, length)
    case 0x88cc: return isLLDP(frame, start, length)
    // The tag's version is 0, and a check value of at least 8 bytes follows it (IEEE 802.1AE, 9.3 and 14.1).
    case 0x88e5: return length >= 14 && u8(frame, start) & 0x80 == 0
    case 0x88f7: return isPTP(frame, start, length)
    default: return true
    }
}

/// Subtypes that are slow protocols: aggregation, marker, OAM and its relatives (IEEE 802.3, 57A.4.3).
@_noLocks
private func isSlow(_ subtype: UInt8) -> Bool { subtype >= 1 && subtype <= 10 }

/// PPPoE (RFC 2516, 4).
private enum PPPoEField {
    static var versionAndType: Int { 0 }
    static var code: Int { versionAndType + 1 }
    static var session: Int { code + 1 }
    static var payloadLength: Int { session + 2 }
    static var length: Int { payloadLength + 2 }
}

@_noLocks
private func isPPPoE(_ frame: borrowing RawSpan, _ start: Int, _ length: Int, isSession: Bool) -> Bool {
    guard length >= PPPoEField.length, u8(frame, start &+ PPPoEField.versionAndType) == 0x11 else { return false }
    guard (u8(frame, start &+ PPPoEField.code) == 0) == isSession else { return false }
    return Int(u16(frame, start &+ PPPoEField.payloadLength)) <= length &- PPPoEField.length
}

/// Port authentication (IEEE 802.1X, 11.3).
private enum EAPOLField {
    static var version: Int { 0 }
    static var type: Int { version + 1 }
    static var bodyLength: Int { type + 1 }
    static var length: Int { bodyLength + 2 }
}

@_noLocks
private func isEAPOL(_ frame: borrowing RawSpan, _ start: Int, _ length: Int) -> Bool {
    guard length >= EAPOLField.length, u8(frame, start &+ EAPOLField.version) >= 1 else { return false }
    return Int(u16(frame, start &+ EAPOLField.bodyLength)) <= length &- EAPOLField.length
}

/// Whether link-layer discovery begins with chassis, port and time to live (IEEE 802.1AB, 8.2); each of them has 7 bits of type and 9 of
/// length.
@_noLocks
private func isLLDP(_ frame: borrowing RawSpan, _ start: Int, _ length: Int) -> Bool {
    var offset = 0
    var type: UInt16 = 1
    while type <= 3 {
        guard length &- offset >= 2 else { return false }
        let typeAndLength = u16(frame, start &+ offset)
        let valueLength = Int(typeAndLength & 0x1ff)
        guard typeAndLength >> 9 == type, valueLength >= 2, valueLength <= length &- offset &- 2 else { return false }
        offset &+= 2 &+ valueLength
        type &+= 1
    }
    return true
}
