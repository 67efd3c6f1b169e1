// SPDX-License-Identifier: Apache-2.0
import Analysis
import Compiler
import Foundation
import Net
import Policy
import PolicyText
import TestSupport
import Testing

@Suite struct Lints {
    /// Workloads of two namespaces, one of them with a block.
    private static let workloads = """
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: web-1, namespace: shop, labels: {app: web, env: prod}}
        spec: {addresses: [10.9.0.11]}
        ---
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: db-1, namespace: shop, labels: {app: db}}
        spec: {addresses: [10.9.0.21], services: {sql: tcp/5432}}
        ---
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: db-2, namespace: shop, labels: {app: db}}
        spec: {addresses: [10.9.0.22]}
        ---

        """

    /// A policy for the databases with rules, one a line.
    private static func policy(_ rules: String..., head: String = "isolates: {ingress: all}", name: String = "db") -> String {
        workloads + """
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: \(name), namespace: shop}
            spec:
              subject: {selector: 'app == "db"'}
              \(head)
              rules:
            \(rules.map { "    - \($0)" }.joined(separator: "\n"))
            """
    }

    private func codes(_ text: String, now: UInt64 = 1_800_000_000, zones: [ZonePlacement] = []) throws -> [LintCode] {
        Lint(try view(text, zones: zones), .init(now: now)).findings.map(\.code)
    }

    private static let web = "{action: allow, from: {selector: 'app == \"web\"'}, services: [tcp/5432]}"

    @Test(arguments: [
        (LintCode.shadowedRule, policy("{action: deny, from: {}}", web)),
        (.deadRule, policy("{action: allow, from: {selector: 'app == \"nobody\"'}, services: [tcp/1]}")),
        (.redundantRule, policy(web, "{action: deny, from: {}}")),
        (.anyAny, policy("{action: allow, from: {}}")),
        (.overWide, policy("{action: allow, from: {cidrs: [0.0.0.0/0], entities: [outside]}, services: [tcp]}")),
        (.expired, policy("{action: allow, from: {}, services: [tcp/1], expires: 2020-01-01T00:00:00Z}")),
        (.expiresSoon, policy("{action: allow, from: {}, services: [tcp/1], expires: 2027-01-18T00:00:00Z}")),
        (.temporaryWithoutOwner, policy("{action: allow, from: {}, services: [tcp/1], expires: 2030-01-18T00:00:00Z}")),
        (.selectorMatchesNothing, policy("{action: allow, from: {selector: 'app == \"nobody\"'}, services: [tcp/1]}")),
        (.emptyPeers, policy("{action: allow, from: [], services: [tcp/1]}")),
        (.emptyPolicy, workloads + "apiVersion: bulkhead/v1\nkind: Policy\nmetadata: {name: p}\nspec: {subject: {}}\n"),
        (.unusedTier, policy(web) + "\n---\napiVersion: bulkhead/v1\nkind: Tier\nmetadata: {name: early}\nspec: {order: 1}\n"),
        (.unusedZone, policy(web) + "\n---\napiVersion: bulkhead/v1\nkind: Zone\nmetadata: {name: attic}\n"),
        (
            .unusedEntity,
            policy(web)
                + "\n---\napiVersion: bulkhead/v1\nkind: Entity\nmetadata: {name: friends}\nspec: {terms: [{cidrs: [10.0.0.0/8]}]}\n"
        ),
        (
            .unusedAddressSet,
            policy(web)
                + "\n---\napiVersion: bulkhead/v1\nkind: AddressSet\nmetadata: {name: far, labels: {a: b}}\nspec: {cidrs: [192.0.2.0/24]}\n"
        ),
        (
            .tierEndShadows,
            policy(web) + """

                ---
                apiVersion: bulkhead/v1
                kind: Tier
                metadata: {name: early}
                spec: {order: 1}
                ---
                apiVersion: bulkhead/v1
                kind: Policy
                metadata: {name: first, namespace: shop}
                spec: {tier: early, subject: {selector: 'app == "db"'}, isolates: {ingress: all}}
                """
        ),
        (
            .extraDash,
            policy("{action: allow, from: [{namespaceSelector: 'has(x)'}, {selector: 'app == \"web\"'}], services: [tcp/1]}")
        ),
        (.negatedSelectorOutside, policy("{action: allow, from: {notSelector: 'app == \"web\"'}, services: [tcp/1]}")),
        (.absentLabelMatches, policy("{action: allow, from: {selector: 'env != \"test\"'}, services: [tcp/1]}")),
        (.cidrMatchesWorkloads, policy("{action: allow, from: {cidrs: [10.0.0.0/8]}, services: [tcp/1]}")),
        (.namedServiceDiffers, policy("{action: allow, from: {selector: 'app == \"web\"'}, services: [sql]}")),
        (
            .exceptionReadmitted,
            policy(
                "{action: allow, from: [{cidrs: [10.0.0.0/8], notCidrs: [10.1.0.0/16]}, {cidrs: [10.1.2.0/24]}], services: [tcp/1]}"
            )
        ),
        (.dnsOneProtocol, policy("{action: allow, to: {}, services: [udp/53]}")),
        (
            .orderTie,
            policy(web) + policy("{action: deny, from: {}}", name: "other").replacing(workloads, with: "\n---\n")
        ),
        (.statelessWithoutReply, policy("{action: allow, from: {}, services: [tcp/1], track: none}")),
    ]) func `a set that falls into it is told so`(code: LintCode, text: String) throws {
        let findings = Lint(try view(text), .init(now: 1_800_000_000)).findings
        #expect(
            findings.contains { $0.code == code && $0.place.file == "sample.yaml" },
            "\(findings.map { "\($0.code) \($0.reason)" })")
    }

    @Test func `a plain set has nothing to be told`() throws {
        let text =
            Self.policy(Self.web) + """

                ---
                apiVersion: bulkhead/v1
                kind: Policy
                metadata: {name: web, namespace: shop}
                spec:
                  subject: {selector: 'app == "web"'}
                  rules:
                    - {action: allow, to: {selector: 'app == "db"'}, services: [tcp/5432]}
                """
        #expect(try codes(text) == [])
    }

    @Test func `workloads behind one port are not enforced between`() throws {
        let text =
            Self.policy(Self.web).replacing("spec: {addresses", with: "spec: {zones: [lan], addresses")
            + "\n---\napiVersion: bulkhead/v1\nkind: Zone\nmetadata: {name: lan}\n"
        #expect(try codes(text, zones: [ZonePlacement(zone: "lan", pair: 0, port: 1)]).contains(.notEnforcedHere))
        #expect(try !codes(text).contains(.notEnforcedHere))
    }

    @Test func `an imported policy about egress that isolates ingress is told`() throws {
        var policy = Policy(name: ObjectName("p", namespace: "shop"))
        policy.isImported = true
        (policy.ingress, policy.egress) = (.all, .all)
        policy.rules = [Rule(number: 1, action: .allow, direction: .egress, peers: [Term()])]
        let set = try PolicySet(try decode(Self.policy(Self.web), file: "sample.yaml") + [.policy(policy)])
        let codes = Lint(try PolicyView(set: set), .init(now: 0)).findings.map(\.code)
        #expect(codes.contains(.otherDirectionIsolated))
    }

    @Test func `what the budget does not reach is said to be not proved`() throws {
        let lint = Lint(try view(Self.policy(Self.web)), .init(now: 0, budget: Budget(steps: 3)))
        #expect(lint.findings.map(\.code) == [.notProved])
    }

    @Test func `a rule whose peer is one of its subjects is needed by the others`() throws {
        let text =
            Self.workloads + """
                apiVersion: bulkhead/v1
                kind: Policy
                metadata: {name: all, namespace: shop}
                spec:
                  subject: {}
                  rules:
                    - {action: allow, from: {selector: 'app == "db"'}, services: [tcp/1]}
                """
        let one = text.replacing("db-2, namespace: shop, labels: {app: db}", with: "db-2, namespace: shop, labels: {app: other}")
        #expect(try codes(one) == [])
    }

    @Test func `shadowed rules name what decides in their place`() throws {
        let lint = Lint(try view(Self.policy("{name: all, action: deny, from: {}}", Self.web)), .init(now: 0))
        let reason = try #require(lint.findings.first { $0.code == .shadowedRule }?.reason)
        #expect(
            reason
                == "rule 2 of policy shop/db decides nothing: where it would, rule all of policy shop/db (sample.yaml:23:7) decides"
        )
    }

    @Test func `without a rule that decides nothing, or is redundant, both sets are proved equal`() throws {
        var sets = RandomSets(seed: Seeded.seed())
        var removed = (dead: 0, redundant: 0)
        for _ in 0..<16 {
            let documents = sets.documents().map(\.numbered)
            guard let set = try? PolicySet(documents) else { continue }
            let old = try PolicyView(set: set)
            for finding in Lint(old, .init(now: 0, budget: Budget(steps: 5_000_000))).findings {
                let isDead = [.deadRule, .shadowedRule, .tierEndShadows].contains(finding.code)
                guard isDead || finding.code == .redundantRule else { continue }
                let others = documents.map { $0.without(rule: finding.place) }
                let new = try PolicyView(set: try PolicySet(others))
                for time in [UInt64(0), 3, 9] {
                    let comparison = Comparison(old: old, new: new, at: time)
                    #expect(comparison.isProvedEqual, "\(finding.reason): \(comparison.boxes.map(\.line))")
                }
                if isDead { removed.dead += 1 } else { removed.redundant += 1 }
            }
        }
        #expect(removed.dead > 0 && removed.redundant > 0)
    }

    @Test func `every code has a row in the manual`() throws {
        let manual = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
                "../../docs/analysis.md"),
            encoding: .utf8)
        for code in LintCode.allCases {
            #expect(
                manual.contains("| `\(code.rawValue)` | \(code.level.rawValue) |"),
                "\(code.rawValue) has no row in docs/analysis.md")
        }
    }
}

extension Document {
    /// A policy whose rules have places of their own.
    var numbered: Document {
        guard case .policy(var policy) = self else { return self }
        for index in policy.rules.indices {
            policy.rules[index].place = Place(file: policy.name.description, line: index + 1, column: 1)
        }
        return .policy(policy)
    }

    /// The document without a rule; the others keep their labels.
    fileprivate func without(rule place: Place) -> Document {
        guard case .policy(var policy) = self else { return self }
        policy.rules.removeAll { $0.place == place }
        return .policy(policy)
    }
}
