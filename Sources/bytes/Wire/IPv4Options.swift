// SPDX-License-Identifier: Apache-2.0
internal import Net

/// An IPv4 option: type, and but for two types a length that counts both (RFC 791, 3.1).
private enum IPv4Option {
    static var type: Int { 0 }
    static var length: Int { type + 1 }
    /// Where the options with a list say how far it is filled.
    static var pointer: Int { length + 1 }

    static var endOfList: UInt8 { 0 }
    static var noOperation: UInt8 { 1 }
    static var recordRoute: UInt8 { 7 }
    static var timestamp: UInt8 { 68 }
    static var looseSourceRoute: UInt8 { 131 }
    static var strictSourceRoute: UInt8 { 137 }
    static var routerAlert: UInt8 { 148 }
}

/// The protocol that tells routers of flows, which asks them to look as IGMP does (RFC 2205).
private var reservation: UInt8 { 46 }

/// Walks the option list of a header that ends at `transportOffset`. Refused are: source routing, which moves a packet around policy; a
/// router alert on anything but IGMP and RSVP, which takes routers off their fast path (RFC 6398); a list with a hole in it or an
/// option twice, which each host reads differently (RFC 7126). Record route, timestamps and all others pass when they are well formed:
/// they do not change where the packet goes.
@_noLocks @inline(never)
func optionsAreHarmless(_ frame: borrowing RawSpan, from start: Int, _ reading: borrowing Reading) -> Bool {
    let end = Int(reading.transportOffset)
    var offset = start
    var seen: UInt8 = 0
    while offset < end {
        let type = u8(frame, offset)
        if type == IPv4Option.endOfList { return true }
        if type == IPv4Option.noOperation {
            offset &+= 1
            continue
        }
        if type == IPv4Option.looseSourceRoute || type == IPv4Option.strictSourceRoute { return false }
        guard end &- offset >= 2 else { return false }
        let length = Int(u8(frame, offset &+ IPv4Option.length))
        guard length >= 2, length <= end &- offset else { return false }
        if type == IPv4Option.routerAlert {
            let number = reading.protocolNumber.rawValue
            guard length == 4, seen & 1 == 0, number == IPProtocol.igmp.rawValue || number == reservation else { return false }
            seen |= 1
        } else if type == IPv4Option.recordRoute {
            guard length >= 3, seen & 2 == 0, u8(frame, offset &+ IPv4Option.pointer) >= 4 else { return false }
            seen |= 2
        } else if type == IPv4Option.timestamp {
            guard length >= 4, seen & 4 == 0, u8(frame, offset &+ IPv4Option.pointer) >= 5 else { return false }
            seen |= 4
        }
        offset &+= length
    }
    return true
}
