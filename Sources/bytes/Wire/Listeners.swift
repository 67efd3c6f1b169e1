// SPDX-License-Identifier: Apache-2.0
internal import Net

// Who listens to which group: IGMP over IPv4, listener discovery in ICMPv6. Both are the link's own business when their hop limit is 1;
// what could be routed is an ordinary packet, and policy judges it.

/// An IGMP message (RFC 2236, 2; RFC 3376, 4).
private enum IGMPField {
    static var type: Int { 0 }
    static var code: Int { type + 1 }
    static var checksum: Int { code + 1 }
    static var group: Int { checksum + 2 }
    /// The end of versions 1 and 2.
    static var length: Int { group + 4 }
    /// Version 3 adds to a query: flags and interval, then the number of sources.
    static var sources: Int { length + 2 }
    static var lengthOfQuery: Int { sources + 2 }
    /// In a report of version 3 the number of records stands in the second half of the group's place.
    static var records: Int { group + 2 }
}

/// A group record of a report: type, length of its auxiliary data in words, number of sources, group (RFC 3376, 4.2.4; RFC 3810, 5.2.4).
private enum RecordField {
    static var type: Int { 0 }
    static var auxiliaryLength: Int { type + 1 }
    static var sources: Int { auxiliaryLength + 1 }
    static var group: Int { sources + 2 }
}

/// Reads an IGMP message. The row of the table is for what moves no payload: the messages of hosts and their routers, to a group, that
/// end where the packet does. Other types (DVMRP, PIM 1, traces), what goes to one host and what carries more is a packet like any.
@_noLocks
func readIGMP(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    let length = Int(reading.end) &- start
    guard length >= IGMPField.length else { return .truncated }
    reading.payloadOffset = UInt16(truncatingIfNeeded: start &+ IGMPField.length)
    guard reading.hopLimit == 1, reading.destination.isMulticast else { return nil }
    var told = IGMPField.length
    switch u8(frame, start) {
    case 0x11:
        if length > told {
            guard length >= IGMPField.lengthOfQuery else { return .badControl }
            told = IGMPField.lengthOfQuery &+ Int(u16(frame, start &+ IGMPField.sources)) &* 4
        }
    case 0x22:
        let records = u16(frame, start &+ IGMPField.records)
        told = endOfRecords(frame, records, from: start &+ IGMPField.length, reading, addressLength: 4) &- start
    case 0x12, 0x16, 0x17: break
    default: return nil
    }
    guard told > 0, told <= length else { return .badControl }
    if told == length { reading.link = .igmp }
    return nil
}

/// Whether an ICMPv6 type belongs to listener discovery.
@_noLocks
func isListenerDiscovery(_ type: UInt8) -> Bool { type >= 130 && type <= 132 || type == 143 }

/// Where a query of version 2 has its number of sources, and where they start (RFC 3810, 5.1).
private enum ListenerField {
    static var length: Int { 24 }
    static var sources: Int { length + 2 }
    static var lengthOfQuery: Int { sources + 2 }
    /// The number of records in a report of version 2 (RFC 3810, 5.2).
    static var records: Int { 6 }
    static var lengthOfReport: Int { records + 2 }
}

/// Reads a message of listener discovery, which comes from the link: from a link-local address, or reports from a host that has none yet
/// (RFC 3810, 5.1.14 and 5.2.13; RFC 3590). As with IGMP, what goes to one host or carries more is a packet like any.
@_noLocks
func readListener(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    guard reading.hopLimit == 1, reading.destination.isMulticast else { return nil }
    let start = Int(reading.transportOffset)
    let length = Int(reading.end) &- start
    let isQuery = reading.icmpType == 130
    guard isLinkLocal(reading.source) || (!isQuery && reading.source.isUnspecified) else { return .badControl }
    var told = ListenerField.length
    if reading.icmpType == 143 {
        let records = u16(frame, start &+ ListenerField.records)
        told = endOfRecords(frame, records, from: start &+ ListenerField.lengthOfReport, reading, addressLength: 16) &- start
    } else if isQuery, length > told {
        guard length >= ListenerField.lengthOfQuery else { return .badControl }
        told = ListenerField.lengthOfQuery &+ Int(u16(frame, start &+ ListenerField.sources)) &* 16
    }
    guard told > 0, told <= length else { return .badControl }
    if told == length { reading.link = .mld }
    return nil
}

/// One past the last of so many records, or 0 where they do not lie in the packet. Each has at least 8 bytes, which bounds the walk.
@_noLocks
private func endOfRecords(
    _ frame: borrowing RawSpan, _ count: UInt16, from start: Int, _ reading: borrowing Reading, addressLength: Int
) -> Int {
    let end = Int(reading.end)
    var left = count
    var offset = start
    while left > 0 {
        guard end &- offset >= RecordField.group &+ addressLength else { return 0 }
        let sources = Int(u16(frame, offset &+ RecordField.sources))
        let auxiliary = Int(u8(frame, offset &+ RecordField.auxiliaryLength)) &* 4
        offset &+= RecordField.group &+ addressLength
        guard sources &* addressLength &+ auxiliary <= end &- offset else { return 0 }
        offset &+= sources &* addressLength &+ auxiliary
        left &-= 1
    }
    return offset
}
