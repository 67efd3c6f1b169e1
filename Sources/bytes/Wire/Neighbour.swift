// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The messages of neighbour discovery (RFC 4861, 4.1 to 4.5) and where the options of each start, from the ICMPv6 header on.
private enum NeighbourMessage {
    static var routerSolicitation: UInt8 { 133 }
    static var routerAdvertisement: UInt8 { 134 }
    static var neighbourSolicitation: UInt8 { 135 }
    static var neighbourAdvertisement: UInt8 { 136 }
    static var redirect: UInt8 { 137 }

    @_noLocks
    static func optionsOffset(of type: UInt8) -> Int {
        switch type {
        case routerSolicitation: 8
        case routerAdvertisement: 16
        case redirect: 40
        default: 24
        }
    }
}

/// An option: type and length in units of 8 bytes (RFC 4861, 4.6).
private enum NeighbourOption {
    static var length: Int { 1 }
    static var unit: Int { 8 }
}

/// Whether an ICMPv6 type belongs to neighbour discovery.
@_noLocks
func isNeighbourDiscovery(_ type: UInt8) -> Bool {
    type >= NeighbourMessage.routerSolicitation && type <= NeighbourMessage.redirect
}

/// Checks a message as its receiver must (RFC 4861, 6.1 and 7.1): hop limit 255 proves that no router forwarded it, the code is 0,
/// it has all its fields, and its options fill the rest without one of length 0.
@_noLocks
func readNeighbour(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    reading.kind = .neighbour
    guard reading.hopLimit == 255, reading.icmpCode == 0 else { return .badNeighbour }
    let end = Int(reading.end)
    var offset = Int(reading.transportOffset) &+ NeighbourMessage.optionsOffset(of: reading.icmpType)
    guard offset <= end else { return .badNeighbour }
    while offset < end {
        guard end &- offset >= NeighbourOption.unit else { return .badNeighbour }
        let length = Int(u8(frame, offset &+ NeighbourOption.length)) &* NeighbourOption.unit
        guard length > 0, length <= end &- offset else { return .badNeighbour }
        offset &+= length
    }
    return nil
}
