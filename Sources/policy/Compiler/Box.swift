// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// Addresses that a term selects, as a product: who they are, times the prefixes they lie in, times the zones they are seen in. Every
/// term is a few boxes together.
struct Box: Hashable {
    /// Label classes of workloads.
    enum Known: Hashable {
        /// Every workload.
        case all
        /// These, ascending.
        case some([Int])

        static let none = Known.some([])

        func intersection(_ other: Known) -> Known {
            switch (self, other) {
            case (.all, _): return other
            case (_, .all): return self
            case (.some(let mine), .some(let others)):
                // Mostly a few against a whole namespace: so the few are looked for among the many.
                let (few, many) = mine.count < others.count ? (mine, other) : (others, self)
                return .some(few.filter(many.contains))
            }
        }

        func contains(_ labels: Int) -> Bool {
            guard case .some(let list) = self else { return true }
            var (low, high) = (0, list.count)
            while low < high {
                let middle = (low + high) / 2
                if list[middle] < labels { low = middle + 1 } else { high = middle }
            }
            return low < list.count && list[low] == labels
        }
    }

    /// Whether addresses that no workload claims belong to it.
    var outside = true
    /// The workloads that belong to it.
    var known = Known.all
    /// The prefix nodes that belong to it.
    var nodes: NodeSet
    /// Places of zones, ascending; every zone where absent.
    var zones: [Int]?

    /// Whether nothing belongs to it.
    var isEmpty: Bool { nodes.isEmpty || zones?.isEmpty ?? false || (!outside && known == .none) }

    func intersection(_ other: Box) -> Box {
        Box(
            outside: outside && other.outside, known: known.intersection(other.known), nodes: nodes.intersection(other.nodes),
            zones: zones.map { mine in other.zones.map { others in mine.filter(others.contains) } ?? mine } ?? other.zones)
    }

    func hasZone(_ zone: Int) -> Bool { zones?.contains(zone) ?? true }
}

/// What an address set's conditions leave of it: the entries that hold for one run of services until one time.
struct Moment {
    /// A service of the run; `nil` where the address is a source.
    var service: UInt32?
    /// Unix seconds.
    var time: UInt64
}

/// Makes boxes of terms.
struct BoxMaker {
    let set: PolicySet
    let tree: PrefixTree
    /// Label classes by the question that they answer with yes.
    let matched: [LabelTerm: [Int]]
    let labelClasses: Int
    let zonePlaces: [String: Int]
    /// Places of the zones in which hardware addresses bind.
    let onLink: [Int]
    let zoneCount: Int
    /// The box's own addresses.
    let host: [Prefix]

    private var everything: Box { Box(nodes: .all(tree.count)) }

    /// What terms select of which any must match.
    func boxes(_ terms: [ScopedTerm], at moment: Moment) -> [Box] {
        terms.flatMap { boxes($0.term, scope: $0.scope, at: moment) }
    }

    /// What a term selects.
    func boxes(_ term: Term, scope: String?, at moment: Moment) -> [Box] { boxes(term, scope: scope, sets: true, moment) }

    /// The workloads for which a policy of a namespace speaks. An address set is nobody whom a policy could speak for.
    func subjects(_ asked: ScopedTerm, isOwn: Bool) -> [Box] {
        var only = everything
        only.outside = false
        if isOwn, let scope = asked.scope { only.known = .some(matched[LabelTerm(scope: scope)] ?? []) }
        let selected = boxes(asked.term, scope: asked.scope, sets: false, Moment(time: 0))
        return selected.map { $0.intersection(only) }.filter { !$0.isEmpty }
    }

    private func boxes(_ term: Term, scope: String?, sets: Bool, _ moment: Moment) -> [Box] {
        var found = [everything]
        func narrow(_ alternatives: [Box]) {
            found = found.flatMap { box in alternatives.map(box.intersection) }.filter { !$0.isEmpty }
        }
        if let asked = LabelTerm.positive(term, scope: scope) {
            var byLabel = everything
            (byLabel.outside, byLabel.known) = (false, .some(matched[asked] ?? []))
            var bySet = everything
            bySet.nodes = sets ? nodes(of: { asked.matches($0, set) }, moment) : .none
            narrow([byLabel, bySet])
        }
        for asked in LabelTerm.negative(term, scope: scope) {
            var box = everything
            let not = Set(matched[asked] ?? [])
            if !not.isEmpty { box.known = .some((0..<labelClasses).filter { !not.contains($0) }) }
            if sets { box.nodes = nodes(of: { asked.matches($0, set) }, moment).complement(tree.count) }
            narrow([box])
        }
        if let principals = LabelTerm.principals(term) { narrow(self.principals(term, principals)) }
        var box = everything
        if let cidrs = term.cidrs { box.nodes = tree.nodes(in: cidrs) }
        if let others = term.notCIDRs { box.nodes = box.nodes.intersection(tree.nodes(in: others).complement(tree.count)) }
        box.zones = term.zones.map { Set($0.compactMap { zonePlaces[$0] }).sorted() }
        narrow([box])
        if let entities = term.entities { narrow(entities.flatMap { boxes(of: $0, sets: sets, moment) }) }
        return found
    }

    private func principals(_ term: Term, _ asked: (elsewhere: LabelTerm, onLink: LabelTerm)) -> [Box] {
        var elsewhere = everything
        elsewhere.outside = term.principal?.matches(nil, assurance: .inventory) ?? false
        elsewhere.known = .some(matched[asked.elsewhere] ?? [])
        guard asked.elsewhere != asked.onLink, !onLink.isEmpty else { return [elsewhere] }
        var there = elsewhere
        there.known = .some(matched[asked.onLink] ?? [])
        (there.zones, elsewhere.zones) = (onLink, (0..<zoneCount).filter { !onLink.contains($0) })
        return [there, elsewhere]
    }

    private func boxes(of entity: Term.Entity, sets: Bool, _ moment: Moment) -> [Box] {
        var box = everything
        switch entity {
        case .any: return [box]
        case .outside:
            box.known = .none
            return [box]
        case .known:
            box.outside = false
            var bySet = everything
            bySet.nodes = sets ? nodes(of: { _ in true }, moment) : .none
            return [box, bySet]
        case .host:
            box.nodes = tree.nodes(in: host)
            return [box]
        case .multicast, .broadcast, .linkLocal:
            box.nodes = tree.nodes(in: entity.blocks ?? [])
            return [box]
        case .named(_, let terms): return terms.flatMap { boxes($0, scope: nil, sets: sets, moment) }
        }
    }

    /// The nodes that entries of such address sets hold at a moment.
    private func nodes(of isMeant: (AddressSet) -> Bool, _ moment: Moment) -> NodeSet {
        var runs: [Range<Int>] = []
        for addresses in set.addressSets where isMeant(addresses) {
            for entry in addresses.entries {
                guard case .block(let block) = entry.target, moment.time < entry.until ?? .max else { continue }
                if let service = entry.service {
                    guard let asked = moment.service, service.first <= asked, asked < service.end else { continue }
                }
                let inside = tree.nodes(in: [block])
                runs +=
                    entry.except.isEmpty
                    ? inside.runs : inside.intersection(tree.nodes(in: entry.except).complement(tree.count)).runs
            }
        }
        return NodeSet(union: runs)
    }
}
