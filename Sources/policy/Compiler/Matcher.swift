// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy

/// The classes that a rule's peers, or a policy's subject, match. Where everything of a kind matches that is said once and its
/// classes are not listed, so that "any" costs nothing.
struct Matcher {
    /// Every class of an address that nobody claims.
    var allOutside = false
    /// Every workload's class.
    var allKnown = false
    /// The other classes that match, ascending.
    var classes: [ClassNumber] = []
}

extension Term.Entity {
    /// Whether an address that a workload claims, or does not claim, may belong to the set.
    func contains(isKnown: Bool) -> Bool {
        switch self {
        case .outside: !isKnown
        case .known: isKnown
        default: true
        }
    }
}

/// Finds the matchers of terms, each distinct list of terms once.
struct Matchers {
    private struct Key: Hashable {
        var terms: [Term]
        var scope: String?
        var isSubject: Bool
    }

    private let facts: Facts
    private var numbers: [Key: Int] = [:]
    /// All matchers that were asked for.
    private(set) var all: [Matcher] = []

    init(_ facts: Facts) { self.facts = facts }

    /// The number of the matcher for terms of which any must match.
    mutating func number(of terms: [Term], scope: String?, isSubject: Bool = false) -> Int {
        let key = Key(terms: terms, scope: scope, isSubject: isSubject)
        if let known = numbers[key] { return known }
        var matcher = Matcher()
        var listed: [ClassNumber] = []
        for term in terms {
            let one = match(term, scope, isSubject)
            matcher.allOutside = matcher.allOutside || one.allOutside
            matcher.allKnown = matcher.allKnown || one.allKnown
            listed += one.classes
        }
        let (allOutside, allKnown) = (matcher.allOutside, matcher.allKnown)
        let wanted = terms.count == 1 ? listed : Array(Set(listed))
        matcher.classes = wanted.filter { !(facts.space.isKnown($0) ? allKnown : allOutside) }.sorted()
        numbers[key] = all.count
        all.append(matcher)
        return all.count - 1
    }

    private func match(_ term: Term, _ scope: String?, _ isSubject: Bool) -> Matcher {
        let labels = LabelTerm(term, scope: scope, isSubject: isSubject)
        let nodes = facts.tree.matching(term.cidrs, not: term.notCIDRs)
        let zones = term.zones.map(zonePlaces)
        var matcher = Matcher()
        let mayBe = { (isKnown: Bool) in term.entities?.contains { $0.contains(isKnown: isKnown) } ?? true }
        if !isSubject, mayBe(false), labels.matchesOutside {
            if nodes == nil, coversAllZones(zones) {
                matcher.allOutside = true
            } else {
                matcher.classes += outside(nodes, zones)
            }
        }
        if mayBe(true) {
            if labels.isEmpty, nodes == nil, coversAllZones(zones) {
                matcher.allKnown = true
            } else {
                let number = facts.termNumbers[labels]
                let classes = number.map { facts.matched[$0] } ?? Array(facts.labelClasses.indices)
                matcher.classes += known(classes, nodes, zones)
            }
        }
        return matcher
    }

    /// Whether a list of zone places is every place there is.
    private func coversAllZones(_ zones: [Int]?) -> Bool { zones.map { $0.count == facts.space.zones } ?? true }

    /// The places of zones among those that are kept apart; a term that names a zone made it one of them.
    private func zonePlaces(_ names: [String]) -> [Int] {
        Set(names).compactMap { facts.zonePlaces[$0] }.sorted()
    }

    private func outside(_ nodes: [Bool]?, _ zones: [Int]?) -> [ClassNumber] {
        var found: [ClassNumber] = []
        for node in 0..<facts.space.nodes where nodes?[node] ?? true {
            for zone in zones ?? Array(0..<facts.space.zones) { found.append(facts.space.outside(node: node, zone: zone)) }
        }
        return found
    }

    private func known(_ classes: [Int], _ nodes: [Bool]?, _ zones: [Int]?) -> [ClassNumber] {
        var found: [ClassNumber] = []
        for labels in classes {
            for (place, node) in facts.space.knownNodes.enumerated() where nodes?[node] ?? true {
                for zone in zones ?? Array(0..<facts.space.zones) {
                    found.append(facts.space.known(labels: labels, knownNode: place, zone: zone))
                }
            }
        }
        return found
    }
}
