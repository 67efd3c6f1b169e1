// SPDX-License-Identifier: Apache-2.0
internal import Net

/// A DHCP message over IPv4 (RFC 2131, 2), which is a BOOTP message with a cookie.
private enum DHCPField {
    static var operation: Int { 0 }
    static var hardwareType: Int { operation + 1 }
    static var hardwareLength: Int { hardwareType + 1 }
    static var hops: Int { hardwareLength + 1 }
    static var transaction: Int { hops + 1 }
    static var seconds: Int { transaction + 4 }
    static var flags: Int { seconds + 2 }
    static var addresses: Int { flags + 2 }
    static var clientHardware: Int { addresses + 16 }
    static var serverName: Int { clientHardware + 16 }
    static var file: Int { serverName + 64 }
    static var cookie: Int { file + 128 }
    static var options: Int { cookie + 4 }

    static var request: UInt8 { 1 }
    static var reply: UInt8 { 2 }
    static var ethernet: UInt8 { 1 }
    static var magicCookie: UInt32 { 0x6382_5363 }
}

/// An option: but for two types a length of its data follows (RFC 2132, 2).
private enum DHCPOption {
    static var type: Int { 0 }
    static var dataLength: Int { type + 1 }
    static var data: Int { dataLength + 1 }

    static var pad: UInt8 { 0 }
    static var end: UInt8 { 255 }
    static var messageType: UInt8 { 53 }
}

/// Reads a DHCP message: operation, hardware address, cookie, and the whole option list with one message type that fits the operation.
/// To the client's port only servers speak. BOOTP without options is refused.
@_noLocks
func readDHCP(_ frame: borrowing RawSpan, until end: Int, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.payloadOffset)
    guard end &- start >= DHCPField.options else { return .badDHCP }
    let operation = u8(frame, start &+ DHCPField.operation)
    let hardware = u8(frame, start &+ DHCPField.hardwareType)
    let hardwareLength = u8(frame, start &+ DHCPField.hardwareLength)
    guard u32(frame, start &+ DHCPField.cookie) == DHCPField.magicCookie,
        hardware == DHCPField.ethernet ? hardwareLength == 6 : hardwareLength <= 16,
        operation == DHCPField.request || operation == DHCPField.reply
    else { return .badDHCP }
    let isReply = operation == DHCPField.reply
    guard isReply || reading.destinationPort == ServicePort.dhcpServer else { return .badDHCP }
    reading.link = .dhcp
    if isReply { reading.mark(.fromServer) }
    return fits(messageType(frame, from: start &+ DHCPField.options, to: end), isReply: isReply) ? nil : .badDHCP
}

/// The message type that the options give; 0 for none, for two that differ, and for a malformed list.
@_noLocks
private func messageType(_ frame: borrowing RawSpan, from start: Int, to end: Int) -> UInt8 {
    var type: UInt8 = 0
    var offset = start
    while offset < end {
        let option = u8(frame, offset)
        if option == DHCPOption.end { return type }
        if option == DHCPOption.pad {
            offset &+= 1
            continue
        }
        guard end &- offset >= DHCPOption.data else { return 0 }
        let length = Int(u8(frame, offset &+ DHCPOption.dataLength))
        guard length <= end &- offset &- DHCPOption.data else { return 0 }
        if option == DHCPOption.messageType {
            guard length == 1 else { return 0 }
            let found = u8(frame, offset &+ DHCPOption.data)
            guard type == 0 || type == found else { return 0 }
            type = found
        }
        offset &+= DHCPOption.data &+ length
    }
    return type
}

/// Whether a message type goes with the operation: clients discover, request, decline, release and inform, servers offer, acknowledge and
/// refuse (RFC 2132, 9.6). Later types (9 to 18: force renew, lease queries, TLS) are known, and not told apart.
@_noLocks
private func fits(_ type: UInt8, isReply: Bool) -> Bool {
    switch type {
    case 1, 3, 4, 7, 8: !isReply
    case 2, 5, 6: isReply
    case 9...18: true
    default: false
    }
}

/// A DHCPv6 message (RFC 8415, 8); one that a relay sends has a hop count and two addresses (RFC 8415, 9).
private enum DHCPv6Field {
    static var type: Int { 0 }
    static var transaction: Int { type + 1 }
    static var options: Int { transaction + 3 }
    static var optionsOfRelay: Int { 34 }
    static var relayForward: UInt8 { 12 }
    static var relayReply: UInt8 { 13 }
}

/// An option: code, length of the data, data (RFC 8415, 21.1).
private enum DHCPv6Option {
    static var code: Int { 0 }
    static var dataLength: Int { code + 2 }
    static var data: Int { dataLength + 2 }
}

/// Reads a DHCPv6 message: a known type and options that fill the rest. To the client's port only servers speak. What a relay carries is
/// not unwrapped.
@_noLocks
func readDHCPv6(_ frame: borrowing RawSpan, until end: Int, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.payloadOffset)
    guard end &- start >= DHCPv6Field.options else { return .badDHCP }
    let type = u8(frame, start &+ DHCPv6Field.type)
    let isServers = isFromServer6(type)
    if !isServers {
        guard isFromClient6(type), reading.destinationPort == ServicePort.dhcp6Server else { return .badDHCP }
    }
    reading.link = .dhcp
    if isServers { reading.mark(.fromServer) }
    let isRelays = type == DHCPv6Field.relayForward || type == DHCPv6Field.relayReply
    var offset = start &+ (isRelays ? DHCPv6Field.optionsOfRelay : DHCPv6Field.options)
    guard offset <= end else { return .badDHCP }
    while offset < end {
        guard end &- offset >= DHCPv6Option.data else { return .badDHCP }
        let length = Int(u16(frame, offset &+ DHCPv6Option.dataLength))
        guard length <= end &- offset &- DHCPv6Option.data else { return .badDHCP }
        offset &+= DHCPv6Option.data &+ length
    }
    return nil
}

/// Advertise, reply, reconfigure, relay-reply, the answers to lease queries and reconfigure requests, DHCPv4 and registration responses
/// (IANA "DHCPv6 Message Types").
@_noLocks
private func isFromServer6(_ type: UInt8) -> Bool {
    switch type {
    case 2, 7, 10, 13, 15, 16, 17, 19, 21, 37: true
    default: false
    }
}

/// What clients and relays send.
@_noLocks
private func isFromClient6(_ type: UInt8) -> Bool {
    switch type {
    case 1, 3, 4, 5, 6, 8, 9, 11, 12, 14, 18, 20, 36: true
    default: false
    }
}
