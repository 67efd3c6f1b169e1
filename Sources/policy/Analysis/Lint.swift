// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// What is wrong with a set, or probably not meant: proved on what the compiler made of it where it is about what rules decide, and
/// said to be not proved where a proof would take longer than the budget allows. Nothing is guessed from pairs of rules.
public struct Lint: Sendable {
    /// How strict it is.
    public struct Options: Sendable {
        /// The time, in unix seconds.
        public var now: UInt64
        /// What expires within so many seconds expires soon.
        public var soon: UInt64
        /// The permissiveness from which on a rule is over-wide.
        public var wide: Int
        /// Steps that proofs may take.
        public var budget: Budget

        /// The usual strictness: a week, and 60 of 100.
        public init(now: UInt64, soon: UInt64 = 7 * 86_400, wide: Int = 60, budget: Budget = Budget()) {
            self.now = now
            self.soon = soon
            self.wide = wide
            self.budget = budget
        }
    }

    /// What was found, in the order of files and lines.
    public private(set) var findings: [LintFinding] = []

    /// Looks at a set.
    public init(_ view: PolicyView, _ options: Options) {
        var bench = LintBench(view, now: options.now, budget: options.budget)
        findings += times(bench, options) + places(bench)
        // A quarter for what needs no proof, so that neither hides the other.
        var rest = bench.budget
        bench.budget = rest.part(4)
        findings += widths(&bench, options) + emptiness(&bench) + unused(&bench) + traps(&bench)
        let isCut = bench.budget.isSpent
        rest.join(bench.budget)
        bench.budget = rest
        findings += proofs(&bench, isCut: isCut)
        findings = Set(findings).sorted { a, b in
            (a.place.file, a.place.line, a.place.column, a.code.rawValue, a.reason)
                < (b.place.file, b.place.line, b.place.column, b.code.rawValue, b.reason)
        }
    }

    /// What decides nothing.
    private func proofs(_ bench: inout LintBench, isCut: Bool) -> [LintFinding] {
        let proofs = Proofs(&bench)
        var found: [LintFinding] = []
        for (place, standing) in proofs.standings {
            let (name, at) = (bench.name(place), bench.walk.rule(place).place)
            switch standing {
            case .alive: break
            case .shadowed(let by, let isTierEnd):
                found.append(
                    .init(
                        code: isTierEnd ? .tierEndShadows : .shadowedRule, place: at,
                        reason: "\(name) decides nothing: where it would, \(by.joined(separator: ", ")) "
                            + (by.count == 1 ? "decides" : "decide"),
                        remedy: "remove it, or move it before what decides"))
            case .vain:
                found.append(
                    .init(
                        code: .deadRule, place: at, reason: "\(name) decides nothing: its subject or its peers are nobody",
                        remedy: "remove it, or mend the selectors"))
            case .dead:
                found.append(
                    .init(code: .deadRule, place: at, reason: "\(name) decides nothing anywhere", remedy: "remove it"))
            case .redundant:
                found.append(
                    .init(
                        code: .redundantRule, place: at, reason: "without \(name) every connection would be decided as with it",
                        remedy: "remove it alone, and look again: what makes it redundant may be another finding"))
            }
        }
        var open: [String] = []
        if !proofs.unproved.isEmpty {
            open.append(
                "\(proofs.unproved.count) of \(bench.rules.count) rules were not proved to be needed or not, this is the first of them"
            )
        }
        if bench.budget.isSpent && proofs.unproved.isEmpty {
            open.append("what decides in the place of rules that decide nothing was not looked for everywhere")
        }
        if isCut { open.append("not everything was asked how wide it is, whether it is used, and for traps") }
        if !open.isEmpty {
            let first = (proofs.unproved.min() ?? bench.rules.first).map { bench.walk.rule($0).place }
            found.append(
                .init(
                    code: .notProved, place: first ?? bench.set.policies.first?.place ?? .nowhere,
                    reason: open.joined(separator: "; "),
                    remedy: "allow more steps"))
        }
        return found
    }

    /// What opens much.
    private func widths(_ bench: inout LintBench, _ options: Options) -> [LintFinding] {
        var found: [LintFinding] = []
        for place in bench.rules where bench.walk.rule(place).action == .allow && bench.expires(place) > options.now {
            let rule = bench.walk.rule(place)
            let isAnyPeer = rule.peers.contains { $0 == Term() || $0.entities == [.any] && $0 == Term(entities: [.any]) }
            let isAnyService =
                rule.services == nil
                || rule.services?.services.contains { ($0.range(named: [:]) ?? .init(first: 1, end: 1)).isEverything } ?? false
            if isAnyPeer && isAnyService && rule.notServices == nil {
                found.append(
                    .init(
                        code: .anyAny, place: rule.place,
                        reason:
                            "\(bench.name(place)) allows every service \(rule.direction == .ingress ? "from" : "to") everybody",
                        remedy: "name the peers, or the services"))
                continue
            }
            guard let score = Permissiveness(place, &bench)?.score else { return found }
            if score >= options.wide {
                found.append(
                    .init(
                        code: .overWide, place: rule.place, reason: "\(bench.name(place)) has the permissiveness \(score) of 100",
                        remedy: "name fewer peers or services, or raise the limit (\(options.wide))"))
            }
        }
        return found
    }

    /// What lapses.
    private func times(_ bench: LintBench, _ options: Options) -> [LintFinding] {
        var found: [LintFinding] = []
        func look(_ expires: UInt64?, _ what: String, _ policy: Policy, _ place: Place) {
            guard let expires else { return }
            let time = Timestamp.text(expires)
            if expires <= options.now {
                found.append(.init(code: .expired, place: place, reason: "\(what) expired at \(time)", remedy: "remove it"))
            } else if expires - options.now <= options.soon {
                found.append(
                    .init(
                        code: .expiresSoon, place: place, reason: "\(what) expires at \(time)", remedy: "renew it, or let it go"))
            }
            if policy.responsibility.owner == nil {
                found.append(
                    .init(
                        code: .temporaryWithoutOwner, place: place, reason: "\(what) is temporary, and nobody answers for it",
                        remedy: "say who in the policy's owner"))
            }
        }
        for policy in bench.set.policies {
            look(policy.expires, "policy \(policy.name)", policy, policy.place)
            for rule in policy.rules { look(rule.expires, "rule \(rule.label) of policy \(policy.name)", policy, rule.place) }
        }
        return found
    }

    /// What is never seen here.
    private func places(_ bench: LintBench) -> [LintFinding] {
        var found: [LintFinding] = []
        for zone in bench.set.zones.values {
            guard case .never = bench.view.sight(from: zone.name, to: zone.name) else { continue }
            let inside = bench.set.workloads.filter { $0.zones.contains(zone.name) }.count
            guard inside > 1 else { continue }
            found.append(
                .init(
                    code: .notEnforcedHere, place: zone.place,
                    reason:
                        "between the \(inside) workloads of zone \(zone.name) nothing is enforced here: they lie behind the same port",
                    remedy: "put them behind different ports, VLANs or zones, or filter on the hosts"))
        }
        return found
    }
}

extension Term {
    /// A term of entities alone.
    fileprivate init(entities: [Entity]) {
        self.init()
        self.entities = entities
    }
}

extension ServiceRange {
    /// Whether it is every service.
    var isEverything: Bool { first == 0 && end == ServiceKey.end }
}
