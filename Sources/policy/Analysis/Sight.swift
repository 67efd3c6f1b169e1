// SPDX-License-Identifier: Apache-2.0
internal import Compiler
internal import Policy

/// Whether the appliance sees traffic between two zones at all.
public enum Sight: Hashable, Sendable {
    /// It passes from port to port.
    case seen
    /// Both ends lie in one zone behind one port: whatever policy says of them is not enforced here.
    case never(String)
    /// The configuration does not say where the zone lies.
    case unknown(String)

    /// One word for machines.
    public var name: String {
        switch self {
        case .seen: "seen"
        case .never: "never"
        case .unknown: "unknown"
        }
    }

    /// Why, where it is not simply seen.
    public var reason: String? {
        switch self {
        case .seen: nil
        case .never(let why), .unknown(let why): why
        }
    }
}

extension PolicyView {
    /// Whether traffic from one zone to another is seen. With only the implicit zone nothing can be said against it.
    public func sight(from source: String, to destination: String) -> Sight {
        guard set.hasZones, source == destination else { return .seen }
        let places = placements.filter { $0.zone == source }
        if placements.isEmpty { return .unknown("no configuration says where zone \(source) lies") }
        if places.isEmpty { return .unknown("the configuration does not place zone \(source)") }
        var ports: Set<[UInt8]> = []
        for place in places {
            guard let pair = place.pair, let port = place.port else { return .seen }
            ports.insert([pair, port])
        }
        guard ports.count == 1 else { return .seen }
        return .never("both ends lie in zone \(source), behind the same port")
    }
}
