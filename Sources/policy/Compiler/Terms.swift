// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// The terms of a set's policies by number, each distinct one with its namespace once: a hundred thousand rules name the same peers
/// again and again, and what a term asks is looked at once.
struct Terms {
    /// What a rule names.
    struct OfRule {
        /// Its peers, a list in `peers`.
        var peers: UInt32
        /// What narrows the policy's subject.
        var subject: Int?
    }

    /// By number where each term stands first.
    private(set) var all: [ScopedTerm] = []
    /// Lists of terms of which any must match.
    private(set) var peers = Lists()
    /// By policy its subject.
    private(set) var subjects: [Int] = []
    /// By policy where its rules begin in `rules`.
    private(set) var firstRules: [Int] = []
    /// All rules, in order.
    private(set) var rules: [OfRule] = []
    /// Whether some rule speaks of one version of the Internet Protocol only.
    private(set) var namesFamilies = false

    /// By index, because a copy of each rule would cost more than what is asked of it.
    init(_ policies: [Policy]) {
        var numbers: [ScopedTerm: Int] = [:]
        var list: [UInt32] = []
        for policy in policies.indices {
            subjects.append(number(of: ScopedTerm(policies, policy), &numbers))
            firstRules.append(rules.count)
            for rule in policies[policy].rules.indices {
                list.removeAll(keepingCapacity: true)
                for peer in policies[policy].rules[rule].peers.indices {
                    list.append(UInt32(number(of: ScopedTerm(policies, policy, rule: rule, peer: peer), &numbers)))
                }
                let narrowed = policies[policy].rules[rule].subject == nil ? nil : ScopedTerm(policies, policy, rule: rule)
                rules.append(OfRule(peers: peers.number(of: list), subject: narrowed.map { number(of: $0, &numbers) }))
                if policies[policy].rules[rule].family != nil { namesFamilies = true }
            }
        }
    }

    /// The terms of a list.
    subscript(list: UInt32) -> [ScopedTerm] { peers[list].map { all[Int($0)] } }

    private mutating func number(of term: ScopedTerm, _ numbers: inout [ScopedTerm: Int]) -> Int {
        if let known = numbers[term] { return known }
        numbers[term] = all.count
        all.append(term)
        return all.count - 1
    }
}

/// A term, and the namespace that it speaks of. It stays where it stands in the policies and is looked at there, so that none is copied
/// to be kept.
struct ScopedTerm: Hashable {
    private let policies: [Policy]
    private let policy: Int32
    private let rule: Int32?
    private let peer: Int32?

    /// A peer of a rule; without `peer` what narrows the rule, without `rule` the subject of the policy.
    init(_ policies: [Policy], _ policy: Int, rule: Int? = nil, peer: Int? = nil) {
        self.policies = policies
        self.policy = Int32(policy)
        self.rule = rule.map { Int32($0) }
        self.peer = peer.map { Int32($0) }
    }

    /// The namespace of its policy; `nil` for a global one.
    var scope: String? { policies[Int(policy)].name.namespace }

    /// The term itself.
    var term: Term { look { $0 } }

    private func look<Answer>(_ body: (Term) -> Answer) -> Answer {
        guard let rule else { return body(policies[Int(policy)].subject) }
        guard let peer else { return body(policies[Int(policy)].rules[Int(rule)].subject ?? Term()) }
        return body(policies[Int(policy)].rules[Int(rule)].peers[Int(peer)])
    }

    static func == (a: ScopedTerm, b: ScopedTerm) -> Bool { a.scope == b.scope && a.look { mine in b.look { mine == $0 } } }

    func hash(into hasher: inout Hasher) {
        hasher.combine(scope)
        look { hasher.combine($0) }
    }
}
