// SPDX-License-Identifier: Apache-2.0
public import Net

/// A DHCP message (RFC 2131); stands in a UDP datagram between ports 67 and 68.
public struct DHCP: PacketLayer {
    /// 1 from a client, 2 from a server.
    public var operation: UInt8
    /// Hardware type and address length: 1 and 6.
    public var hardware, hardwareLength: UInt8
    /// The client's hardware address.
    public var client: MACAddress
    /// The magic cookie.
    public var cookie: UInt32
    /// The options, the message type among them.
    public var options: [UInt8]

    /// A message of options; what is not given is right.
    public init(
        _ operation: UInt8, options: [UInt8], hardware: UInt8 = 1, hardwareLength: UInt8 = 6,
        client: MACAddress = "02:00:00:00:00:01", cookie: UInt32 = 0x6382_5363
    ) {
        self.operation = operation
        self.hardware = hardware
        self.hardwareLength = hardwareLength
        self.client = client
        self.cookie = cookie
        self.options = options
    }

    /// A DISCOVER with a requested address and a parameter list.
    public static func discover() -> DHCP {
        DHCP(1, options: [53, 1, 1, 50, 4, 10, 0, 0, 1, 55, 3, 1, 3, 6, 255])
    }

    /// An OFFER, or with 5 an ACK, with server identifier and lease.
    public static func offer(type: UInt8 = 2) -> DHCP {
        DHCP(2, options: [53, 1, type, 54, 4, 10, 0, 0, 2, 51, 4, 0, 0, 14, 16, 0, 0, 255])
    }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        var message = [operation, hardware, hardwareLength, 0] + wire(UInt32(0x1234_5678))
        message += [UInt8](repeating: 0, count: 20) + wire(client) + [UInt8](repeating: 0, count: 10 + 192)
        return message + wire(cookie) + options + payload
    }

    /// The layer in a word or two.
    public var description: String { "DHCP(\(operation))" }
}

/// A DHCPv6 message (RFC 8415); stands in a UDP datagram between ports 546 and 547.
public struct DHCPv6: PacketLayer {
    /// The message type.
    public var type: UInt8
    /// The options.
    public var options: [UInt8]

    /// A message; a client identifier unless options are given.
    public init(_ type: UInt8, options: [UInt8] = [0, 1, 0, 10, 0, 3, 0, 1, 2, 0, 0, 0, 0, 1]) {
        self.type = type
        self.options = options
    }

    /// The header with the payload behind it; that of a relay message has two addresses.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        let isRelayed = type == 12 || type == 13
        return [type] + [UInt8](repeating: 1, count: isRelayed ? 33 : 3) + options + payload
    }

    /// The layer in a word or two.
    public var description: String { "DHCPv6(\(type))" }
}
