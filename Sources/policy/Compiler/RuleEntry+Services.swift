// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// Of which services a rule speaks.
extension RuleEntry {
    /// The ports of the source that it asks for anywhere.
    var sourcePorts: [ClosedRange<UInt16>] {
        guard case .policy(_, let rule) = origin else { return [] }
        return ((rule.services?.services ?? []) + (rule.notServices?.services ?? [])).flatMap { $0.sourcePorts ?? [] }
    }

    /// Whether it asks for any.
    var asksSourcePorts: Bool { coverage == nil && !sourcePorts.isEmpty }

    /// Where its answer changes: at the borders of these runs.
    func edges(_ named: [String: ServiceRange]) -> [ServiceRange] {
        if let coverage { return coverage }
        guard case .policy(_, let rule) = origin else { return [] }
        let lists = (rule.services?.services ?? []) + (rule.notServices?.services ?? [])
        let tunnels = rule.action == .allow ? Tunnels.all.map(\.range) : []
        return lists.compactMap { $0.range(named: named) } + tunnels + (peers.services.map { [$0] } ?? [])
    }

    /// Whether it speaks of a run of services that nothing cuts.
    func speaks(of piece: ServiceRange, sourcePort: UInt16?, _ named: [String: ServiceRange]) -> Bool {
        if let coverage { return coverage.contains { $0.first <= piece.first && piece.first < $0.end } }
        guard case .policy(_, let rule) = origin else { return false }
        if let services = peers.services, !(services.first <= piece.first && piece.first < services.end) { return false }
        return rule.speaks(of: ServiceKey(rawValue: piece.first), sourcePort: sourcePort, named: named)
    }

    /// Works out the runs of services beforehand, where neither names nor source ports are asked for.
    mutating func cover() {
        switch origin {
        case .failsafe(let opening): coverage = opening.services
        case .policy:
            guard !usesNames, sourcePorts.isEmpty else { return }
            let edges = Set([0, ServiceKey.end] + edges([:]).flatMap { [$0.first, $0.end] }).sorted()
            var runs: [ServiceRange] = []
            for (first, end) in zip(edges, edges.dropFirst()) {
                let piece = ServiceRange(first: first, end: end)
                guard speaks(of: piece, sourcePort: nil, [:]) else { continue }
                if let last = runs.indices.last, runs[last].end == first {
                    runs[last].end = end
                } else {
                    runs.append(piece)
                }
            }
            coverage = runs
        }
    }
}

extension ServiceRange {
    /// The protocols that have ports.
    static let withPorts = [ServiceRange(.tcp), ServiceRange(.udp), ServiceRange(.sctp)]

    /// Whether its first service has ports.
    var hasPorts: Bool { Self.withPorts.contains { $0.first <= first && first < $0.end } }
}
