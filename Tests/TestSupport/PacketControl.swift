// SPDX-License-Identifier: Apache-2.0
public import Net

/// An ICMP message; what it quotes or carries follows as further layers.
public struct ICMP: PacketLayer {
    /// Type and code.
    public var type, code: UInt8
    /// The last two fields of the header: identifier and sequence number of an echo.
    public var identifier, sequence: UInt16
    /// The checksum.
    public var checksum: Checksum

    /// A message of any type.
    public init(type: UInt8, code: UInt8 = 0, identifier: UInt16 = 0, sequence: UInt16 = 0, checksum: Checksum = .right) {
        self.type = type
        self.code = code
        self.identifier = identifier
        self.sequence = sequence
        self.checksum = checksum
    }

    /// An echo request.
    public static func echo(identifier: UInt16 = 7, sequence: UInt16 = 1) -> ICMP {
        ICMP(type: 8, identifier: identifier, sequence: sequence)
    }

    /// An echo reply.
    public static func echoReply(identifier: UInt16 = 7, sequence: UInt16 = 1) -> ICMP {
        ICMP(type: 0, identifier: identifier, sequence: sequence)
    }

    /// What announces it to IP.
    public var protocolNumber: UInt8? { 1 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        var message = [type, code, 0, 0] + wire(identifier) + wire(sequence) + payload
        message.write(checksum.value(of: message, covered: 0, protocolNumber: 1, in: nil), at: 2)
        return message
    }

    /// The layer in a word or two.
    public var description: String { "ICMP(\(type)/\(code))" }
}

/// An ICMPv6 message; what it quotes or carries follows as further layers.
public struct ICMPv6: PacketLayer {
    /// Type and code.
    public var type, code: UInt8
    /// The last two fields of the header: identifier and sequence number of an echo.
    public var identifier, sequence: UInt16
    /// What follows the header and belongs to the message: fields of neighbour discovery, options.
    public var body: [UInt8]
    /// The checksum.
    public var checksum: Checksum

    /// A message of any type.
    public init(
        type: UInt8, code: UInt8 = 0, identifier: UInt16 = 0, sequence: UInt16 = 0, body: [UInt8] = [],
        checksum: Checksum = .right
    ) {
        self.type = type
        self.code = code
        self.identifier = identifier
        self.sequence = sequence
        self.body = body
        self.checksum = checksum
    }

    /// An echo request.
    public static func echo(identifier: UInt16 = 7, sequence: UInt16 = 1) -> ICMPv6 {
        ICMPv6(type: 128, identifier: identifier, sequence: sequence)
    }

    /// An echo reply.
    public static func echoReply(identifier: UInt16 = 7, sequence: UInt16 = 1) -> ICMPv6 {
        ICMPv6(type: 129, identifier: identifier, sequence: sequence)
    }

    /// A router solicitation (RFC 4861, 4.1).
    public static func routerSolicitation(options: [UInt8] = []) -> ICMPv6 { ICMPv6(type: 133, body: options) }

    /// A router advertisement (RFC 4861, 4.2).
    public static func routerAdvertisement(options: [UInt8] = []) -> ICMPv6 {
        ICMPv6(type: 134, identifier: 0x4000, sequence: 1800, body: [UInt8](repeating: 0, count: 8) + options)
    }

    /// A neighbour solicitation (RFC 4861, 4.3); duplicate address detection when sent from `::`.
    public static func solicitation(of target: Address, options: [UInt8] = []) -> ICMPv6 {
        ICMPv6(type: 135, body: wire(target) + options)
    }

    /// A neighbour advertisement (RFC 4861, 4.4): the answer to a solicitation, or unsolicited and then to a group as a rule.
    public static func advertisement(of target: Address, solicited: Bool = false, options: [UInt8] = []) -> ICMPv6 {
        ICMPv6(type: 136, identifier: solicited ? 0x6000 : 0x2000, body: wire(target) + options)
    }

    /// A redirect (RFC 4861, 4.5).
    public static func redirect(of destination: Address, to target: Address, options: [UInt8] = []) -> ICMPv6 {
        ICMPv6(type: 137, body: wire(target) + wire(destination) + options)
    }

    /// A source (1) or target (2) link-layer address option.
    public static func linkLayerOption(_ type: UInt8 = 1, _ address: MACAddress = "02:00:00:00:00:01") -> [UInt8] {
        [type, 1] + wire(address)
    }

    /// What announces it to IP.
    public var protocolNumber: UInt8? { 58 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        var message = [type, code, 0, 0] + wire(identifier) + wire(sequence) + body + payload
        message.write(checksum.value(of: message, covered: message.count, protocolNumber: 58, in: network), at: 2)
        return message
    }

    /// The layer in a word or two.
    public var description: String { "ICMPv6(\(type)/\(code))" }
}
