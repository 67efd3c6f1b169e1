// SPDX-License-Identifier: Apache-2.0
public import Net

/// One value that a rule names in `from`, `to` or `services`: a block, an alternative of a selector, a zone, an entity, an account, an
/// entry of an address set that it selects, a service. It is what somebody can take out of a rule and leave the rest as it is.
///
/// What a rule leaves out (`notCidrs`, `notServices`, …) is no value of it: it holds for nothing that the rule decides. The address that
/// a DNS name of a set leads to is none either, because it comes and goes. A value that a rule names twice is one.
public struct RuleValue: Hashable, Sendable {
    /// Where the rule names it: `from.cidrs`, `to.selector`, `services`; behind an entity of one's own its name, `from.entities.web.cidrs`.
    public var field: String
    /// The value as policies write it: `10.0.0.0/8`, `app == "web"`, `tcp/443`; of an address set `NAME: ENTRY`.
    public var text: String

    /// A value.
    public init(field: String, text: String) {
        self.field = field
        self.text = text
    }
}

extension Rule {
    /// Every value that it names, in the order in which it is written. `scope` is its policy's namespace; `sets` says which address sets
    /// a term of a scope selects.
    public func values(scope: String?, sets: @escaping (Term, String?) -> [AddressSet]) -> [RuleValue] {
        var list = ValueList(question: .every(sets))
        for peer in peers { list.enter(peer, peerField, scope) }
        for service in services?.services ?? [] { list.enter("services", service.valueText) }
        return list.values
    }

    /// Those of its values that hold for a connection between its policy's subject and a peer, which it speaks of: for the peer, `own` and
    /// the service. The peer tells by which entries address sets hold it. Each of several that overlap holds by itself. `nil` where the
    /// rule does not speak of the connection.
    public func values(
        holdingFor peer: Term.Candidate, of own: Term.Candidate, service: ServiceKey, sourcePort: UInt16?, scope: String?
    ) -> [RuleValue]? {
        guard matches(subject: own, peer: peer, service: service, sourcePort: sourcePort, scope: scope) else { return nil }
        var list = ValueList(question: .holding(peer))
        for term in peers { list.enter(term, peerField, scope) }
        let named = (direction == .ingress ? own : peer).workload?.services ?? [:]
        for item in services?.services ?? [] {
            let one = ServiceList([item], text: "")
            if one.contains(service, sourcePort: sourcePort, named: named, byName: action == .allow) {
                list.enter("services", item.valueText)
            }
        }
        return list.values
    }

    /// Whether the values that hold depend on the source's port.
    public var asksSourcePorts: Bool { services?.services.contains { $0.sourcePorts != nil } ?? false }

    private var peerField: String { direction == .ingress ? "from" : "to" }
}

extension Service {
    /// The service with its source ports, so that two which differ in them are two values.
    fileprivate var valueText: String {
        guard let sourcePorts else { return text }
        let ports = sourcePorts.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        return "\(text) from \(ports.joined(separator: ", "))"
    }
}

/// Values in the order in which they are met, each once.
private struct ValueList {
    /// What is asked of each value.
    enum Question {
        /// Nothing: all of them are wanted, with the entries of the sets that a term of a scope selects.
        case every((Term, String?) -> [AddressSet])
        /// Whether it holds for this end of a connection.
        case holding(Term.Candidate)
    }

    let question: Question
    private(set) var values: [RuleValue] = []
    private var known: Set<RuleValue> = []

    init(question: Question) { self.question = question }

    mutating func enter(_ field: String, _ text: String) {
        let value = RuleValue(field: field, text: text)
        if known.insert(value).inserted { values.append(value) }
    }

    /// The values of a term; of one that does not hold none does.
    mutating func enter(_ term: Term, _ field: String, _ scope: String?) {
        var candidate: Term.Candidate?
        var identities: [Term.Identity]?
        if case .holding(let end) = question {
            guard term.matches(end, scope: scope) else { return }
            (candidate, identities) = (end, term.identities(of: end, scope: scope))
        }
        func enter(_ selector: Selector?, _ name: String, _ labels: (Term.Identity) -> [String: String]?) {
            guard let selector else { return }
            let found = selector.expression.alternatives(of: identities.map { $0.compactMap(labels) })
            for text in found ?? [selector.expression.text] { self.enter("\(field).\(name)", text) }
        }
        enter(term.selector, "selector") { $0.labels }
        enter(term.namespaceSelector, "namespaceSelector") { $0.namespaceLabels }
        enter(term.serviceAccountSelector, "serviceAccountSelector") { $0.accountLabels }
        for account in term.serviceAccounts ?? [] where identities?.contains(where: { $0.account == account }) ?? true {
            self.enter("\(field).serviceAccounts", account)
        }
        for name in term.principal?.names ?? []
        where candidate.map({ name.matches($0.workload.flatMap(Principal.text)) ?? false }) ?? true {
            self.enter("\(field).principal", name.description)
        }
        for block in term.cidrs ?? [] where candidate.map({ block.contains($0.address) }) ?? true {
            self.enter("\(field).cidrs", "\(block)")
        }
        for zone in term.zones ?? [] where candidate.map({ zone == $0.zone }) ?? true { self.enter("\(field).zones", zone) }
        for entity in term.entities ?? [] where candidate.map({ entity.matches($0) }) ?? true {
            self.enter("\(field).entities", entity.name)
            if case .named(let name, let terms) = entity {
                for inner in terms { self.enter(inner, "\(field).entities.\(name)", nil) }
            }
        }
        if term.selectsByLabel { enterSets(term, "\(field).addressSets", scope, identities) }
    }

    /// The entries of the address sets that a term selects.
    private mutating func enterSets(_ term: Term, _ field: String, _ scope: String?, _ identities: [Term.Identity]?) {
        switch question {
        case .every(let sets):
            for set in sets(term, scope) { for entry in set.entries { enter(entry, of: set, field) } }
        case .holding:
            for identity in identities ?? [] {
                guard let set = identity.set else { continue }
                for entry in identity.entries { enter(entry, of: set, field) }
            }
        }
    }

    private mutating func enter(_ entry: AddressSet.Entry, of set: AddressSet, _ field: String) {
        guard case .block(let block) = entry.target else { return }
        let service = entry.service.map { " \($0.text ?? "\($0.first)..<\($0.end)")" } ?? ""
        enter(field, "\(set.name): \(block)\(service)")
    }
}

extension Selector.Expression {
    /// The texts of its alternatives: of an `in` each value, of an `||` each part. `nil` where it has none. With labels only those that
    /// hold for one of them.
    fileprivate func alternatives(of labels: [[String: String]]?) -> [String]? {
        switch self {
        case .isIn(let key, let values):
            return values.filter { value in labels?.contains { $0[key] == value } ?? true }
                .map { Selector.Expression.equals(key, $0).text }
        case .or(let parts):
            return parts.flatMap { part -> [String] in
                let holding = labels?.filter(part.matches)
                if let holding, holding.isEmpty { return [] }
                return part.alternatives(of: holding) ?? [part.text]
            }
        case .and(let parts):
            let found = parts.compactMap { $0.alternatives(of: labels) }
            return found.isEmpty ? nil : found.flatMap { $0 }
        default: return nil
        }
    }
}
