// SPDX-License-Identifier: Apache-2.0
public import Net

/// Which connection a trace asks the workers for. Either end may be called the source: a flow is found by both.
public struct TracedConnection: Hashable, Sendable {
    /// The transport's protocol.
    public var number: IPProtocol
    /// One end.
    public var source: Address
    /// The other.
    public var destination: Address
    /// The source's port; of an ICMP request its identifier, 0 for protocols without.
    public var sourcePort: UInt16
    /// The destination's port; of an ICMP request `type << 8 | code`, 0 for protocols without.
    public var destinationPort: UInt16
    /// The VLAN tags of its frames.
    public var vlans = VLANTags()
    /// The tunnel that it runs in.
    public var tunnel = Tunnel()

    /// A connection.
    public init(
        _ number: IPProtocol, from source: Address, _ sourcePort: UInt16, to destination: Address, _ destinationPort: UInt16
    ) {
        self.number = number
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }

    /// The connection as parameters of `GET /v1/trace`.
    public var parameters: [(key: String, value: String)] {
        var parameters: [(key: String, value: String)] = [
            ("protocol", number.name), ("source", "\(source)"), ("destination", "\(destination)"),
        ]
        if number.hasPorts { parameters += [("source-port", "\(sourcePort)"), ("destination-port", "\(destinationPort)")] }
        if number.isICMP {
            parameters += [
                ("identifier", "\(sourcePort)"), ("type", "\(destinationPort >> 8)"), ("code", "\(destinationPort & 0xff)"),
            ]
        }
        if vlans.count > 0 { parameters.append(("vlans", vlans.identifiers.map(String.init).joined(separator: ","))) }
        if tunnel.kind != .none {
            parameters += [
                ("tunnel", "\(tunnel.kind)"), ("tunnel-identifier", "\(tunnel.identifier)"), ("tunnel-depth", "\(tunnel.depth)"),
            ]
        }
        return parameters
    }
}

/// What parameters say, one by one; `connection` says what is missing.
public struct TracedConnectionReader: Sendable {
    /// Every parameter there is.
    public static let keys = [
        "protocol", "source", "destination", "source-port", "destination-port", "identifier", "type", "code", "vlans", "tunnel",
        "tunnel-identifier", "tunnel-depth",
    ]
    private var given: [String: String] = [:]

    /// Nothing said yet.
    public init() {}

    /// Takes a parameter; says what is wrong with it, if so.
    public mutating func set(_ key: String, to value: String) -> String? {
        guard Self.keys.contains(key) else { return "\(key) is no parameter of a trace: \(Self.keys.joined(separator: ", "))" }
        guard given.updateValue(value, forKey: key) == nil else { return "\(key) is given twice" }
        return nil
    }

    /// The connection; else what is wrong.
    public func connection() -> Result<TracedConnection, TracedConnectionFault> {
        guard let number = given["protocol"].flatMap(IPProtocol.init(named:)) else {
            return fault("protocol is one of tcp, udp, sctp, icmp, icmp6 or a number from 0 to 255")
        }
        guard let source = given["source"].flatMap(Address.init), let destination = given["destination"].flatMap(Address.init),
            source.isIPv4 == destination.isIPv4
        else { return fault("source and destination are addresses of one family") }
        var connection = TracedConnection(number, from: source, 0, to: destination, 0)
        if let fault = readPorts(into: &connection) ?? readTags(into: &connection) { return .failure(fault) }
        return .success(connection)
    }

    private func fault(_ text: String) -> Result<TracedConnection, TracedConnectionFault> {
        .failure(TracedConnectionFault(text))
    }

    private func readPorts(into connection: inout TracedConnection) -> TracedConnectionFault? {
        let wanted =
            connection.number.hasPorts
            ? ["source-port", "destination-port"] : connection.number.isICMP ? ["identifier", "type", "code"] : []
        for key in ["source-port", "destination-port", "identifier", "type", "code"] {
            guard wanted.contains(key) == (given[key] != nil) else {
                return TracedConnectionFault(
                    wanted.contains(key)
                        ? "a connection of \(connection.number.name) has \(wanted.joined(separator: " and "))"
                        : "\(key) means nothing to \(connection.number.name)")
            }
        }
        if connection.number.hasPorts {
            guard let source = given["source-port"].flatMap(UInt16.init),
                let destination = given["destination-port"].flatMap(UInt16.init)
            else { return TracedConnectionFault("a port is a number from 0 to 65535") }
            (connection.sourcePort, connection.destinationPort) = (source, destination)
        } else if connection.number.isICMP {
            guard let identifier = given["identifier"].flatMap(UInt16.init), let type = given["type"].flatMap(UInt8.init),
                let code = given["code"].flatMap(UInt8.init)
            else { return TracedConnectionFault("an identifier is a number from 0 to 65535, type and code are from 0 to 255") }
            (connection.sourcePort, connection.destinationPort) = (identifier, UInt16(type) << 8 | UInt16(code))
        }
        return nil
    }

    private func readTags(into connection: inout TracedConnection) -> TracedConnectionFault? {
        if let text = given["vlans"] {
            let tags = text.split(separator: ",", omittingEmptySubsequences: false).map { UInt16($0) }
            guard (1...2).contains(tags.count), tags.allSatisfy({ $0.map { (1...4095).contains($0) } ?? false }) else {
                return TracedConnectionFault("vlans are one or two numbers from 1 to 4095, outermost first")
            }
            for tag in tags { connection.vlans.append(tag ?? 0) }
        }
        let others = ["tunnel-identifier", "tunnel-depth"].filter { given[$0] != nil }
        guard let name = given["tunnel"] else {
            return others.isEmpty ? nil : TracedConnectionFault("\(others[0]) means nothing without tunnel")
        }
        let kinds = Tunnel.Kind.allCases.filter { $0 != .none }
        guard let kind = kinds.first(where: { "\($0)" == name }), let identifier = UInt32(given["tunnel-identifier"] ?? "0"),
            let depth = UInt8(given["tunnel-depth"] ?? "1"), (1...2).contains(depth)
        else {
            return TracedConnectionFault(
                "tunnel is one of \(kinds.map { "\($0)" }.joined(separator: ", ")), its identifier a number, its depth 1 or 2")
        }
        connection.tunnel = Tunnel(kind, identifier: identifier, depth: depth)
        return nil
    }
}

/// What is wrong with a connection.
public struct TracedConnectionFault: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
