// SPDX-License-Identifier: Apache-2.0
public import Net

/// A run of services that lie side by side in the order of `ServiceKey`: a protocol with a range of ports, an ICMP type with its
/// codes, a whole protocol, or everything.
public struct ServiceRange: Hashable, Sendable {
    /// First service key.
    public var first: UInt32
    /// One past the last service key.
    public var end: UInt32

    /// From the first key up to, not including, the end.
    public init(first: UInt32, end: UInt32) {
        self.first = first
        self.end = end
    }

    /// Every service.
    public static let any = ServiceRange(first: 0, end: ServiceKey.end)

    /// A protocol with all that it carries.
    public init(_ number: IPProtocol) {
        self.init(number, ports: 0...0xffff)
    }

    /// A protocol with a range of ports; for ICMP the numbers are `type << 8 | code`.
    public init(_ number: IPProtocol, ports: ClosedRange<UInt16>) {
        first = ServiceKey(number, port: ports.lowerBound).rawValue
        end = ServiceKey(number, port: ports.upperBound).rawValue + 1
    }

    /// Whether the service lies in the range.
    public func contains(_ service: ServiceKey) -> Bool { first <= service.rawValue && service.rawValue < end }
}

/// A service as a rule names it.
public enum Service: Hashable, Sendable {
    /// By protocol and numbers.
    case range(ServiceRange)
    /// By a name that the destination gives to one of its own services; nothing where it has no such name.
    case named(String)

    /// The range for a destination that names these services; `nil` where it has no such name.
    public func range(named services: [String: ServiceRange]) -> ServiceRange? {
        switch self {
        case .range(let range): range
        case .named(let name): services[name]
        }
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

    /// Whether the list names the service for a destination with these named services.
    public func contains(_ service: ServiceKey, named: [String: ServiceRange]) -> Bool {
        services.contains { $0.range(named: named)?.contains(service) ?? false }
    }

    /// The names of the destination's services that the list uses.
    public var names: [String] {
        services.compactMap { service in
            if case .named(let name) = service { name } else { nil }
        }
    }
}
