// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The messages of neighbour discovery (RFC 4861, 4.1 to 4.5), where their fields are, and where the options of each start, from the
/// ICMPv6 header on.
private enum NeighbourMessage {
    static var routerSolicitation: UInt8 { 133 }
    static var routerAdvertisement: UInt8 { 134 }
    static var neighbourSolicitation: UInt8 { 135 }
    static var neighbourAdvertisement: UInt8 { 136 }
    static var redirect: UInt8 { 137 }

    static var flags: Int { 4 }
    static var target: Int { 8 }
    /// Of a redirect only: what is redirected.
    static var destination: Int { 24 }
    static var solicited: UInt8 { 0x40 }

    @_noLocks
    static func optionsOffset(of type: UInt8) -> Int {
        switch type {
        case 133: 8
        case 134: 16
        case 137: 40
        default: 24
        }
    }
}

/// An option: type and length in units of 8 bytes (RFC 4861, 4.6). The two with a link-layer address have 6 bytes of it over Ethernet
/// (RFC 2464, 6).
private enum NeighbourOption {
    static var type: Int { 0 }
    static var length: Int { type + 1 }
    static var address: Int { length + 1 }
    static var unit: Int { 8 }
    static var sourceAddress: UInt8 { 1 }
    static var targetAddress: UInt8 { 2 }
}

/// Whether an ICMPv6 type belongs to neighbour discovery.
@_noLocks
func isNeighbourDiscovery(_ type: UInt8) -> Bool {
    type >= NeighbourMessage.routerSolicitation && type <= NeighbourMessage.redirect
}

/// Checks a message as its receiver must (RFC 4861, 6.1, 7.1 and 8.1): hop limit 255 proves that no router forwarded it, the code is 0, it
/// has all its fields, addresses that its type allows, and options that fill the rest.
@_noLocks
func readNeighbour(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    reading.kind = .neighbour
    let type = reading.icmpType
    let isRouters = type == NeighbourMessage.routerAdvertisement || type == NeighbourMessage.redirect
    reading.link = isRouters ? .routerAdvertisement : .neighbourDiscovery
    if isRouters { reading.mark(.fromServer) }
    let start = Int(reading.transportOffset)
    let options = start &+ NeighbourMessage.optionsOffset(of: type)
    guard reading.hopLimit == 255, reading.icmpCode == 0, options <= Int(reading.end) else { return .badNeighbour }
    if type >= NeighbourMessage.neighbourSolicitation { reading.target = address(frame, start &+ NeighbourMessage.target) }
    guard addressesFit(frame, reading) else { return .badNeighbour }
    guard readNeighbourOptions(frame, from: options, into: &reading) else { return .badNeighbour }
    // Who has no address yet has nothing to claim.
    guard !reading.source.isUnspecified || reading.claimedMAC.bits == 0 else { return .badNeighbour }
    return nil
}

/// Whether source, destination and target are such as the message's type allows.
@_noLocks
private func addressesFit(_ frame: borrowing RawSpan, _ reading: borrowing Reading) -> Bool {
    let type = reading.icmpType
    let start = Int(reading.transportOffset)
    if type == NeighbourMessage.routerSolicitation { return true }
    if type == NeighbourMessage.routerAdvertisement { return isLinkLocal(reading.source) }
    if type == NeighbourMessage.redirect {
        let redirected = address(frame, start &+ NeighbourMessage.destination)
        guard isLinkLocal(reading.source), !redirected.isMulticast else { return false }
        if isLinkLocal(reading.target) { return true }
        return reading.target == redirected
    }
    guard !reading.target.isMulticast else { return false }
    if type == NeighbourMessage.neighbourAdvertisement {
        let isSolicited = u8(frame, start &+ NeighbourMessage.flags) & NeighbourMessage.solicited != 0
        return isSolicited ? !reading.destination.isMulticast : true
    }
    // Who asks whether an address is taken, asks those who would have it: ff02::1:ff00:0/104.
    guard reading.source.isUnspecified else { return true }
    let destination = reading.destination
    return destination.high == 0xff02_0000_0000_0000 && destination.low >> 24 == 0x1ff
}

/// Walks the options for the link-layer address that the sender claims: its own in solicitations and router advertisements, that of the
/// target in the others. Says whether the list is well formed and claims no two.
@_noLocks
private func readNeighbourOptions(_ frame: borrowing RawSpan, from start: Int, into reading: inout Reading) -> Bool {
    let end = Int(reading.end)
    let type = reading.icmpType
    let isTargets = type == NeighbourMessage.neighbourAdvertisement || type == NeighbourMessage.redirect
    let claim = isTargets ? NeighbourOption.targetAddress : NeighbourOption.sourceAddress
    var hasClaim = false
    var offset = start
    while offset < end {
        guard end &- offset >= NeighbourOption.unit else { return false }
        let length = Int(u8(frame, offset &+ NeighbourOption.length)) &* NeighbourOption.unit
        guard length > 0, length <= end &- offset else { return false }
        if u8(frame, offset &+ NeighbourOption.type) == claim {
            guard !hasClaim, length == NeighbourOption.unit else { return false }
            hasClaim = true
            // The option is 8 bytes long: type and length are the two that are shifted out.
            reading.claimedMAC = MACAddress(bits: u64(frame, offset))
        }
        offset &+= length
    }
    return true
}

/// `fe80::/10`.
@_noLocks
func isLinkLocal(_ address: Address) -> Bool { address.high >> 54 == 0x3fa }
