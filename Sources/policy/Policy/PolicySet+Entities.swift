// SPDX-License-Identifier: Apache-2.0

/// Terms name entities; the set puts what they stand for in the name's place, so that nobody who matches needs to look them up.
extension PolicySet {
    /// Levels in which entities may stand for entities.
    public static let entityDepth = 4
    /// Terms that an entity may stand for in the end.
    public static let entitySize = 1_024

    /// Fills in the terms of every named entity, in entities and in policies; says which names nothing defines, and which define
    /// themselves.
    mutating func resolveEntities() -> [PolicyError] {
        var faults: [PolicyError] = []
        var resolution = Resolution(entities: entities)
        for entity in entities.values.sorted(by: { $0.name < $1.name }) {
            if Term.Entity(builtIn: entity.name) != nil {
                faults.append(
                    PolicyError(
                        entity.place, "the entity \"\(entity.name)\" is built in", remedy: "give yours another name"))
                continue
            }
            entities[entity.name]?.terms = resolution.terms(of: entity, &faults)
        }
        for index in policies.indices {
            let policy = policies[index]
            let who = "Policy \"\(policy.name)\""
            policies[index].subject = resolution.resolve(policy.subject, policy.place, who, &faults)
            for number in policy.rules.indices {
                let rule = policy.rules[number]
                let whose = "rule \"\(rule.label)\" of \(who)"
                policies[index].rules[number].subject = rule.subject.map {
                    resolution.resolve($0, rule.place, whose, &faults)
                }
                policies[index].rules[number].peers = rule.peers.map { resolution.resolve($0, rule.place, whose, &faults) }
            }
        }
        return faults
    }

    /// Resolves each entity once.
    private struct Resolution {
        let entities: [String: Entity]
        private var done: [String: [Term]] = [:]
        private var open: [String] = []

        init(entities: [String: Entity]) { self.entities = entities }

        mutating func terms(of entity: Entity, _ faults: inout [PolicyError]) -> [Term] {
            if let known = done[entity.name] { return known }
            guard open.count < PolicySet.entityDepth else {
                faults.append(
                    PolicyError(
                        entity.place,
                        "entities stand for entities in more than \(PolicySet.entityDepth) levels: \(open.joined(separator: " -> "))",
                        remedy: "write out what the last one stands for"))
                return []
            }
            guard !open.contains(entity.name) else {
                let way = (open.drop { $0 != entity.name } + [entity.name]).joined(separator: " -> ")
                faults.append(PolicyError(entity.place, "the entity \"\(entity.name)\" stands for itself: \(way)"))
                return []
            }
            open.append(entity.name)
            defer { open.removeLast() }
            var terms: [Term] = []
            for term in entity.terms { terms.append(resolve(term, entity.place, "Entity \"\(entity.name)\"", &faults)) }
            guard terms.reduce(0, { $0 + $1.size }) <= PolicySet.entitySize else {
                faults.append(
                    PolicyError(
                        entity.place, "the entity \"\(entity.name)\" stands for more than \(PolicySet.entitySize) terms",
                        remedy: "give the workloads a label and select that"))
                return []
            }
            done[entity.name] = terms
            return terms
        }

        mutating func resolve(_ term: Term, _ place: Place, _ who: String, _ faults: inout [PolicyError]) -> Term {
            guard let wanted = term.entities else { return term }
            var resolved = term
            var found: [Term.Entity] = []
            for entity in wanted {
                guard case .named(let name, _) = entity else {
                    found.append(entity)
                    continue
                }
                guard let definition = entities[name] else {
                    let known = Term.Entity.builtIn.map(\.name) + entities.keys.sorted()
                    faults.append(
                        PolicyError(
                            place, "\(who) names entity \"\(name)\", which no Entity document defines",
                            remedy: Spelling.remedy(name, among: known) ?? "define it or leave it out"))
                    continue
                }
                found.append(.named(name, terms(of: definition, &faults)))
            }
            resolved.entities = found
            return resolved
        }
    }
}

extension Term {
    /// How many terms it is, those of its entities included.
    fileprivate var size: Int {
        (entities ?? []).reduce(1) { sum, entity in
            guard case .named(_, let terms) = entity else { return sum }
            return terms.reduce(sum) { $0 + $1.size }
        }
    }
}
