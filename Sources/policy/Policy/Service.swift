// SPDX-License-Identifier: Apache-2.0
public import Net

/// A run of services that lie side by side in the order of `ServiceKey`: a protocol with a range of ports, an ICMP type with its
/// codes, a whole protocol, or everything.
///
/// A tunnel carries what no rule sees, so that a rule which allows must *name* it. `any` and a bare `udp` contain the tunnels and do
/// not name them; `vxlan`, `udp/4789`, a range in numbers, `gre` and `47` do. Only the services of a rule that allows are read so
/// (`Rule.speaks`); everywhere else a run means all that it contains.
public struct ServiceRange: Hashable, Sendable {
    /// First service key.
    public var first: UInt32
    /// One past the last service key.
    public var end: UInt32
    /// Whether the tunnels that it contains are meant by it.
    public var namesTunnels: Bool

    /// From the first key up to, not including, the end.
    public init(first: UInt32, end: UInt32, namesTunnels: Bool = true) {
        self.first = first
        self.end = end
        self.namesTunnels = namesTunnels
    }

    /// Every service, tunnels not named: what `any` says.
    public static let any = ServiceRange(first: 0, end: ServiceKey.end, namesTunnels: false)

    /// Every service, tunnels named: what "every IP protocol" says in a foreign dialect.
    public static let everything = ServiceRange(first: 0, end: ServiceKey.end)

    /// A protocol with all that it carries. The tunnels that are protocols are named by it, the tunnels over UDP are not.
    public init(_ number: IPProtocol) {
        self.init(number, ports: 0...0xffff)
        namesTunnels = number != .udp
    }

    /// A protocol with a range of ports; for ICMP the numbers are `type << 8 | code`.
    public init(_ number: IPProtocol, ports: ClosedRange<UInt16>) {
        first = ServiceKey(number, port: ports.lowerBound).rawValue
        end = ServiceKey(number, port: ports.upperBound).rawValue + 1
        namesTunnels = true
    }

    /// Whether the service lies in the range.
    public func contains(_ service: ServiceKey) -> Bool { first <= service.rawValue && service.rawValue < end }

    /// Whether the range contains the service and, if it is a tunnel, names it.
    public func names(_ service: ServiceKey) -> Bool { contains(service) && (namesTunnels || Tunnels.named(service) == nil) }
}

/// Services that carry frames or packets of others.
public enum Tunnels {
    /// The tunnels by the names that policies use.
    public static let all: [(name: String, range: ServiceRange)] = [
        ("ipip", ServiceRange(IPProtocol(rawValue: 4))), ("6in4", ServiceRange(IPProtocol(rawValue: 41))),
        ("gre", ServiceRange(IPProtocol(rawValue: 47))), ("vxlan", ServiceRange(.udp, ports: 4789...4789)),
        ("geneve", ServiceRange(.udp, ports: 6081...6081)),
    ]

    /// The name of the tunnel that the service is, if it is one.
    public static func named(_ service: ServiceKey) -> String? { all.first { $0.range.contains(service) }?.name }

    /// The keys at which a tunnel begins or ends, ascending: where a run that names no tunnels falls apart.
    public static let edges: [UInt32] = all.flatMap { [$0.range.first, $0.range.end] }.sorted()
}

/// A service as a rule names it.
public struct Service: Hashable, Sendable {
    /// How it is named.
    public enum Destination: Hashable, Sendable {
        /// By protocol and numbers.
        case range(ServiceRange)
        /// By a name that the destination gives to one of its own services; nothing where it has no such name.
        case named(String)
    }

    /// What the destination is asked for.
    public var destination: Destination
    /// Ports of the source, of which it must use one; any where absent.
    public var sourcePorts: [ClosedRange<UInt16>]?
    /// What a layer-7 program must see besides.
    public var program: LayerSevenProgram?

    /// A service.
    public init(_ destination: Destination, sourcePorts: [ClosedRange<UInt16>]? = nil, program: LayerSevenProgram? = nil) {
        self.destination = destination
        self.sourcePorts = sourcePorts
        self.program = program
    }

    /// A service by protocol and numbers.
    public static func range(_ range: ServiceRange) -> Service { Service(.range(range)) }

    /// A service by the destination's name for it.
    public static func named(_ name: String) -> Service { Service(.named(name)) }

    /// The range for a destination that names these services; `nil` where it has no such name.
    public func range(named services: [String: ServiceRange]) -> ServiceRange? {
        switch destination {
        case .range(let range): range
        case .named(let name): services[name]
        }
    }

    /// Whether it speaks of connections from a source port. `nil` stands for a protocol without ports, which has none of them.
    public func admits(sourcePort: UInt16?) -> Bool {
        guard let sourcePorts else { return true }
        return sourcePort.map { port in sourcePorts.contains { $0.contains(port) } } ?? false
    }
}

/// A list of services with its text for reports.
public struct ServiceList: Hashable, Sendable {
    /// The services; any of them matches.
    public var services: [Service]
    /// As they were written.
    public var text: String

    /// A list of services.
    public init(_ services: [Service], text: String) {
        self.services = services
        self.text = text
    }

    /// Whether the list contains the service for a destination with these named services, whatever the source's port.
    public func contains(_ service: ServiceKey, named: [String: ServiceRange]) -> Bool {
        services.contains { $0.range(named: named)?.contains(service) ?? false }
    }

    /// Whether the list contains the service when it is asked from a source port, or with `byName` also names it where it is a tunnel.
    public func contains(
        _ service: ServiceKey, sourcePort: UInt16?, named: [String: ServiceRange], byName: Bool
    ) -> Bool {
        services.contains { item in
            guard let range = item.range(named: named), item.admits(sourcePort: sourcePort) else { return false }
            return byName ? range.names(service) : range.contains(service)
        }
    }

    /// The names of the destination's services that the list uses.
    public var names: [String] {
        services.compactMap { service in
            if case .named(let name) = service.destination { name } else { nil }
        }
    }
}
