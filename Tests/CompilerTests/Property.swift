// SPDX-License-Identifier: Apache-2.0
import Classifier
import Compiler
import Net
import Policy

/// A property of compiling that compares two sets: the same in other words, or narrower by what is added. Each comes with a mistake
/// that a compiler could make and that breaks it, so that the test which tries the property is itself tried: with the mistake in front of
/// the compiler it must find something.
enum Property: CaseIterable {
    /// The order of documents means nothing, nor do the names of policies in an unordered tier.
    case order
    /// Labels mean what selectors ask, whatever they are called.
    case names
    /// A block is its two halves, and a run of ports its two parts.
    case parts
    /// A deny that is added never lets more through.
    case deny

    /// Whether the rewritten set may let less through, and not only the same.
    var isNarrowing: Bool { self == .deny }

    /// A set in the words of which the property says that they mean the same, or less.
    func rewritten(_ documents: [Document], _ random: inout RandomSets) -> [Document] {
        switch self {
        case .order:
            var names = (0..<9).map { "p\($0)" }.shuffled(using: &random.generator)
            return documents.shuffled(using: &random.generator).map { document in
                guard case .policy(var policy) = document, policy.tier == "crowd" || policy.tier == "mesh" else {
                    return document
                }
                policy.name.name = "q" + (names.popLast() ?? "")
                return .policy(policy)
            }
        case .names: return documents.map { $0.renamed("app", "role") }
        case .parts: return documents.map(\.split)
        case .deny:
            var added = random.policy("added", documents.contains { if case .zone = $0 { true } else { false } })
            (added.mode, added.ingress, added.egress) = (.enforce, .none, .none)
            for index in added.rules.indices { (added.rules[index].action, added.rules[index].mode) = (.deny, .enforce) }
            return documents + [.policy(added)]
        }
    }

    /// A set in which the property is put to the test: what it speaks of is rare in a random one, or spread thinly.
    func concentrated(_ documents: [Document]) -> [Document] {
        guard self == .order else { return documents }
        // All policies in one unordered tier, about everybody.
        return documents.map { document in
            guard case .policy(var policy) = document else { return document }
            (policy.name.namespace, policy.tier, policy.order, policy.mode, policy.subject) = (
                nil, "crowd", nil, .enforce, Term()
            )
            return .policy(policy)
        }
    }

    /// What a compiler with the mistake would make its image of. It makes the same mistake of both sets.
    func mistaken(_ documents: [Document]) -> [Document] {
        switch self {
        case .order:
            // Unordered tiers are read from first to last, by name.
            return documents.map { document in
                guard case .tier(var tier) = document, tier.shape == .set else { return document }
                tier.shape = .ordered
                return .tier(tier)
            }
        case .names:
            // Only a label called "app" is ever looked at.
            return documents.map { document in
                guard case .workload(var workload) = document else { return document }
                workload.labels["role"] = nil
                return .workload(workload)
            }
        case .parts:
            // Of each list of blocks the last one is lost.
            return documents.map { $0.mapBlocks { $0.count > 1 ? $0.dropLast() : $0 } }
        case .deny:
            // A deny is taken for an allow.
            return documents.map { document in
                guard case .policy(var policy) = document else { return document }
                for index in policy.rules.indices where policy.rules[index].action == .deny {
                    policy.rules[index].action = .allow
                }
                return .policy(policy)
            }
        }
    }

    /// Connections that break the property, of forty that are tried: a line each.
    func violations(
        _ documents: [Document], _ random: inout RandomSets, by compile: ([Document]) throws -> Loaded = Property.compiled
    ) throws -> [String] {
        let (before, after) = (try compile(documents), try compile(rewritten(documents, &random)))
        return (0..<40).compactMap { _ in
            let connection = random.connection()
            let (was, now) = (before.judge(connection).decision, after.judge(connection).decision)
            let holds = isNarrowing ? was == .allow || now != .allow : was == now
            return holds ? nil : "\(connection.line) was \(was), is \(now)"
        }
    }

    /// What the compiler makes of documents.
    static func compiled(_ documents: [Document]) throws -> Loaded { try Loaded(try PolicySet(documents)) }
}
