// SPDX-License-Identifier: Apache-2.0

/// Which rows of a shadow run somebody wants to see: those conditions of a `FlowFilter` that hold for all connections of a row or for none, and
/// what the candidate does to them.
public struct ShadowFilter: Sendable {
    /// Keys that hold for a row as a whole.
    public static let keys: [FlowFilter.Key] = [
        .label, .namespace, .zone, .protocol, .decision, .reason, .policy, .event,
    ]

    private var flows = FlowFilter()
    private var effects: Set<ShadowEffect> = []

    /// A filter that lets everything pass.
    public init() {}

    /// Adds a condition; returns what is wrong with it.
    public mutating func set(_ name: String, to value: String) -> String? {
        if name == "effect" {
            guard let effect = ShadowEffect(rawValue: value) else {
                return "\(value) is no effect: \(ShadowEffect.allCases.map(\.rawValue).joined(separator: ", "))"
            }
            effects.insert(effect)
            return nil
        }
        let key = FlowFilter.Key(rawValue: name.hasPrefix("not-") ? String(name.dropFirst(4)) : name)
        guard key.map({ Self.keys.contains($0) }) ?? true, name != "since", name != "until" else {
            return "\(name) tells apart connections of one row: ask for them one by one (--flows, /v1/policy/shadow/flows)"
        }
        return flows.set(name, to: value)
    }

    /// Whether a row is wanted.
    func matches(_ row: ShadowTable.Row) -> Bool {
        (effects.isEmpty || effects.contains(row.effect)) && flows.matches(row.example)
    }

    /// Whether a connection's effect is wanted; its other conditions are a `FlowFilter`'s.
    public func wants(_ event: FlowEvent) -> Bool {
        guard !effects.isEmpty else { return true }
        guard let old = event.decision, let new = event.candidate?.event.decision else { return false }
        return ShadowEffect(from: old, to: new).map(effects.contains) ?? false
    }
}

extension ShadowReport.Row {
    /// The order in which rows are told: what closes first, more connections first, then by name, so that it is the same each time.
    static func goesFirst(
        _ a: (key: ShadowTable.Key, value: ShadowTable.Row), _ b: (key: ShadowTable.Key, value: ShadowTable.Row)
    ) -> Bool {
        func rank(_ row: ShadowTable.Row) -> Int { ShadowEffect.allCases.firstIndex(of: row.effect) ?? 0 }
        let (first, second) = (a.value, b.value)
        if rank(first) != rank(second) { return rank(first) < rank(second) }
        if first.connections != second.connections { return first.connections > second.connections }
        return first.first < second.first
    }

    /// A row as it is told; finding the rules that nearly decided costs a walk over the rules.
    init(_ key: ShadowTable.Key, _ row: ShadowTable.Row) {
        let flow = FlowReport(row.example)
        self.init(
            effect: row.effect.rawValue, source: .init(key.source, row.sources),
            destination: .init(key.destination, row.destinations), service: flow.service.replacing(":", with: "/"),
            old: flow.decision, new: flow.candidate?.decision ?? "", connections: row.connections, first: row.first.description,
            last: row.last.description, example: flow)
    }

    /// The row for people: what happens, how often, between whom, and why.
    public func text(_ decision: (_ old: String, _ new: String) -> String) -> [String] {
        let safe = TerminalText.escaped
        let times = "\(connections) \(connections == 1 ? "connection" : "connections")"
        var lines = ["\(decision(old, new))  \(safe(source.text)) -> \(safe(destination.text)), \(safe(service)): \(times)"]
        lines.append("    was \(safe(old)) by \(safe(example.cause?.text ?? "no side"))")
        if let candidate = example.candidate { lines.append("    would be \(safe(candidate.text))") }
        lines.append("    seen \(safe(source.names)) -> \(safe(destination.names)), first \(safe(first)), last \(safe(last))")
        return lines
    }
}

extension ShadowReport.Party {
    init(_ party: ShadowTable.Party, _ ends: ShadowTable.Ends) {
        self.init(
            zone: party.zone, namespace: party.namespace, labels: party.labels, seen: ends.names, more: ends.areMore)
    }

    /// Those that were seen, in a list.
    var names: String { seen.joined(separator: ", ") + (more ? ", …" : "") }
}
