// SPDX-License-Identifier: Apache-2.0
public import Net
public import Policy
public import Record

/// Which values of its rules hold for connections that they decided: what hit counters ask about record after record. The model is
/// asked, by an index of the rules' names and of the blocks of address sets, so that a question costs as much as the rule is long
/// and as there are entries whose block holds an end, and not as the set or an address set is large.
public struct ValueIndex: Sendable {
    /// A rule of the set, as hit counters list it.
    public struct Listed: Sendable {
        /// `namespace/policy`, or the policy alone where it is global.
        public var policy: String
        /// The rule's name or its place in the list.
        public var rule: String
        /// Which side it judges.
        public var side: PolicySide
        /// What it does.
        public var action: Rule.Action
        /// Whether it, or its policy, only reports.
        public var isAudit: Bool
        /// Where it is written.
        public var place: Place
        /// The values that it names.
        public var values: [RuleValue]
    }

    /// One end of a connection as a record tells it.
    public struct End {
        /// Its address.
        public var address: Address
        /// The zone that it was seen in.
        public var zone: String
        /// The workload that owns it, as it was then.
        public var workload: Workload?
        /// An end.
        public init(address: Address, zone: String, workload: Workload?) {
            self.address = address
            self.zone = zone
            self.workload = workload
        }
    }

    /// What holds for a connection.
    public struct Answer: Equatable, Sendable {
        /// The values; `nil` where no rule of the name speaks of the connection as far as the model knows now.
        public var values: [RuleValue]?
        /// Whether the answer is the same for every connection between the same ends for the same service, while the inventory is.
        public var isLasting: Bool
    }

    private struct Name: Hashable {
        var policy: String
        var rule: String
        var side: PolicySide
    }

    private struct Block: Hashable {
        var first: UInt128
        var length: Int
    }

    /// Where an entry of an address set stands.
    struct EntryPlace: Hashable, Comparable {
        /// The set's place in the policy set.
        var set: Int
        /// Its own in the set.
        var entry: Int

        static func < (one: EntryPlace, other: EntryPlace) -> Bool { (one.set, one.entry) < (other.set, other.entry) }
    }

    private let set: PolicySet
    private let hosts: [Prefix]
    private var rules: [Name: [RulePlace]] = [:]
    /// By block the entries for it; and the lengths that blocks have.
    private var blocks: [Block: [EntryPlace]] = [:]
    private var lengths: [Int] = []
    /// The address sets as terms see them. They have no entries: nothing that is asked of a term can go over all of them.
    private let heads: [AddressSet]

    /// An index of a set's rules; its workloads are not looked at. `hosts` are the box's own addresses.
    public init(_ set: PolicySet, hosts: [Prefix] = []) {
        self.set = set
        self.hosts = hosts
        heads = set.addressSets.map { set in
            var head = set
            head.entries = []
            return head
        }
        for (number, policy) in set.policies.enumerated() {
            let name = policy.name.description
            for (index, rule) in policy.rules.enumerated() {
                rules[Name(policy: name, rule: rule.label, side: PolicySide(rule.direction)), default: []]
                    .append(RulePlace(policy: number, rule: index))
            }
        }
        for (number, set) in set.addressSets.enumerated() {
            for (place, entry) in set.entries.enumerated() {
                guard case .block(let block) = entry.target else { continue }
                let key = Block(first: block.numbers.lowerBound, length: block.mappedLength)
                blocks[key, default: []].append(EntryPlace(set: number, entry: place))
            }
        }
        lengths = Set(blocks.keys.map(\.length)).sorted()
    }

    /// Every rule in the order in which policies judge.
    public func listed() -> [Listed] {
        var known: [Term: [String?: [AddressSet]]] = [:]
        func selected(_ term: Term, _ scope: String?) -> [AddressSet] {
            if let found = known[term]?[scope] { return found }
            let found = set.addressSets.filter { term.selects($0, namespaceLabels: namespaceLabels($0), scope: scope) }
            known[term, default: [:]][scope] = found
            return found
        }
        return set.policies.flatMap { policy in
            policy.rules.map { rule in
                Listed(
                    policy: policy.name.description, rule: rule.label, side: PolicySide(rule.direction), action: rule.action,
                    isAudit: policy.mode == .audit || rule.mode == .audit, place: rule.place,
                    values: rule.values(scope: policy.name.namespace, sets: selected))
            }
        }
    }

    /// The values that hold of the rules with a name on a side; `time` is in unix seconds.
    public func answer(
        policy: String, rule: String, side: PolicySide, from source: End, to destination: End, service: ServiceKey,
        sourcePort: UInt16, at time: UInt64
    ) -> Answer {
        let places = rules[Name(policy: policy, rule: rule, side: side)] ?? []
        let ends = [candidate(source, nil, time), candidate(destination, service, time)]
        let (subject, peer) = side == .egress ? (ends[0], ends[1]) : (ends[1], ends[0])
        var own = subject.seen
        own.addressSets = []
        var answer = Answer(values: nil, isLasting: !peer.hasLease)
        for place in places {
            let policy = set.policies[place.policy]
            let rule = policy.rules[place.rule]
            if rule.asksSourcePorts { answer.isLasting = false }
            guard
                let found = rule.values(
                    holdingFor: peer.seen, of: own, service: service, sourcePort: service.hasPorts ? sourcePort : nil,
                    scope: policy.name.namespace)
            else { continue }
            answer.values = (answer.values ?? []) + found.filter { !(answer.values ?? []).contains($0) }
        }
        return answer
    }

    /// What terms see of an end, and whether an entry with a lease makes that a question of time; `service` is the connection's where
    /// it is its destination.
    private func candidate(_ end: End, _ service: ServiceKey?, _ time: UInt64) -> (seen: Term.Candidate, hasLease: Bool) {
        var (sets, hasLease): ([Term.Candidate.Membership], Bool) = ([], false)
        var last: Int?
        for place in entries(at: end.address) {
            let entry = set.addressSets[place.set].entries[place.entry]
            // At any time, so also before its lease is over.
            guard entry.contains(end.address, for: service, at: 0) else { continue }
            hasLease = hasLease || entry.until != nil
            guard entry.until.map({ time < $0 }) ?? true else { continue }
            if last != place.set {
                let head = heads[place.set]
                sets.append(.init(head, namespaceLabels: namespaceLabels(head), entries: []))
                last = place.set
            }
            sets[sets.count - 1].entries.append(entry)
        }
        let seen = Term.Candidate(
            workload: end.workload, namespaceLabels: end.workload.flatMap(set.namespaceLabels(of:)),
            accountLabels: end.workload.flatMap(set.accountLabels(of:)), addressSets: sets, address: end.address, zone: end.zone,
            isBound: end.workload.map { set.isBound($0, in: end.zone) } ?? false,
            isHost: hosts.contains { $0.contains(end.address) })
        return (seen, hasLease)
    }

    /// The entries that are looked at for an address, in their order: those whose block it is in.
    func entries(at address: Address) -> [EntryPlace] {
        var found: [EntryPlace] = []
        for length in lengths {
            let rest = length == 128 ? 0 : UInt128.max >> UInt128(length)
            found += blocks[Block(first: address.number & ~rest, length: length)] ?? []
        }
        return found.sorted()
    }

    private func namespaceLabels(_ set: AddressSet) -> [String: String]? {
        set.name.namespace.flatMap { self.set.namespaces[$0]?.allLabels }
    }
}

extension PolicySide {
    /// The side that rules of a direction judge.
    init(_ direction: Rule.Direction) { self = direction == .ingress ? .ingress : .egress }
}
