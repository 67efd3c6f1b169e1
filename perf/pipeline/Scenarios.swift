// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport

extension Scenario {
    static var all: [Scenario] {
        [
            Scenario(name: "established, IPv4", isInC: true, before: { handshake($0) }, counted: { data($0) }),
            Scenario(
                name: "established, IPv6", isIPv4: false, isInC: true, before: { handshake($0, isIPv4: false) },
                counted: { data($0, isIPv4: false) }),
            Scenario(
                name: "established, with timestamps", before: { handshake($0) },
                counted: { [segment($0, [.ack], options: [1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9])] }),
            Scenario(
                name: "established, behind a tag", before: { handshake($0, Ethernet() / VLAN(5)) },
                counted: { [segment($0, [.ack], Ethernet() / VLAN(5))] }),
            Scenario(
                name: "established, datagrams", isInC: true, before: { exchange($0) },
                counted: { [datagram($0), datagram($0, isAnswer: true)] }),
            Scenario(
                name: "one-sided datagrams", isInC: true, before: { [datagram($0)] }, counted: { [datagram($0), datagram($0)] }),
            Scenario(name: "handshakes", counted: { handshake($0) }),
            Scenario(name: "first frames", counted: { [handshake($0)[0]] }),
            Scenario(name: "denied", counted: { [segment($0, [.syn], to: 9_999)] }),
            Scenario(
                name: "denied again, SYNs", before: { [segment($0, [.syn], to: 9_999)] },
                counted: { [segment($0, [.syn], to: 9_999)] }),
            Scenario(
                name: "denied again, datagrams", isInC: true, isRefused: true, before: { [datagram($0, to: 9_999)] },
                counted: { [datagram($0, to: 9_999)] }),
            Scenario(name: "of no flow", counted: { [segment($0, [.ack])] }),
            Scenario(
                name: "out of window", before: { handshake($0) },
                counted: { [segment($0, [.ack], sequence: 3_000_000_000)] }),
            Scenario(name: "unreadable", counted: { [cut(segment($0, [.ack]))] }),
            Scenario(
                name: "fragments", before: { exchange($0) },
                counted: { fragments($0) }),
            Scenario(name: "ARP", counted: { [((Ethernet() / ARP() / Padding(to: 60)).bytes, $0 & 1)] }),
        ]
    }

    private static func handshake(
        _ number: Int, isIPv4: Bool = true, _ link: Packet = Packet([Ethernet()])
    ) -> [Arriving] {
        let (first, second) = (Connection.clientStart, Connection.serverStart)
        return [
            segment(number, isIPv4: isIPv4, [.syn], sequence: first, acknowledgement: 0, link),
            segment(number, isIPv4: isIPv4, [.syn, .ack], sequence: second, acknowledgement: first + 1, isAnswer: true, link),
            segment(number, isIPv4: isIPv4, [.ack], sequence: first + 1, acknowledgement: second + 1, link),
        ]
    }

    private static func data(_ number: Int, isIPv4: Bool = true) -> [Arriving] {
        [
            segment(number, isIPv4: isIPv4, [.ack, .psh]),
            segment(
                number, isIPv4: isIPv4, [.ack, .psh], sequence: Connection.serverStart + 1,
                acknowledgement: Connection.clientStart + 1, isAnswer: true),
        ]
    }

    /// A segment of six bytes of a connection, or, as SYN, of none.
    private static func segment(
        _ number: Int, isIPv4: Bool = true, _ flags: TCPFlags, sequence: UInt32 = Connection.clientStart + 1,
        acknowledgement: UInt32 = Connection.serverStart + 1, to port: UInt16 = 443, options: [UInt8] = [],
        isAnswer: Bool = false,
        _ link: Packet = Packet([Ethernet()])
    ) -> Arriving {
        let connection = Connection(number, isIPv4: isIPv4)
        let transport = TCP(
            from: isAnswer ? port : connection.clientPort, to: isAnswer ? connection.clientPort : port, flags, sequence: sequence,
            acknowledgement: acknowledgement, options: options)
        let payload = Payload(count: flags.contains(.syn) ? 0 : 6)
        let packet = network(connection, isAnswer: isAnswer, link) / transport / payload / Padding(to: 60)
        return (packet.bytes, isAnswer ? 1 - connection.port : connection.port)
    }

    /// A datagram of a connection: policy allows those to port 8009.
    private static func datagram(_ number: Int, to port: UInt16 = 8_009, isAnswer: Bool = false) -> Arriving {
        let connection = Connection(number, isIPv4: true)
        let transport = UDP(from: isAnswer ? port : connection.clientPort, to: isAnswer ? connection.clientPort : port)
        let packet = network(connection, isAnswer: isAnswer, Packet([Ethernet()])) / transport / Payload(count: 18)
        return (packet.bytes, isAnswer ? 1 - connection.port : connection.port)
    }

    /// The datagrams behind which a flow is established.
    private static func exchange(_ number: Int) -> [Arriving] {
        [datagram(number), datagram(number, isAnswer: true), datagram(number)]
    }

    /// A frame that ends inside its IP header.
    private static func cut(_ frame: Arriving) -> Arriving { (Array(frame.bytes.prefix(30)), frame.port) }

    /// A datagram in two parts.
    private static func fragments(_ number: Int) -> [Arriving] {
        let connection = Connection(number, isIPv4: true)
        let identification = UInt16(truncatingIfNeeded: number + 1)
        let (source, destination) = (connection.client, connection.server)
        let first =
            Ethernet() / IPv4(from: source, to: destination, identification: identification, moreFragments: true)
            / UDP(from: connection.clientPort, to: 8_009, length: 48) / Payload(count: 24)
        let second =
            Ethernet() / IPv4(from: source, to: destination, identification: identification, offset: 32, next: 17)
            / Payload(count: 16) / Padding(to: 60)
        return [(first.bytes, connection.port), (second.bytes, connection.port)]
    }

    private static func network(_ connection: Connection, isAnswer: Bool, _ link: Packet) -> Packet {
        let (source, destination) = isAnswer ? (connection.server, connection.client) : (connection.client, connection.server)
        return source.isIPv4 ? link / IPv4(from: source, to: destination) : link / IPv6(from: source, to: destination)
    }
}
