// SPDX-License-Identifier: Apache-2.0
import Classifier
import Compiler
import Datapath
import Measure
import Net
import Policy
import Record

/// A compiled set as workers have it: an image and an address map in memory. Both stay as long as this lives.
@safe final class Loaded {
    let inForce: PolicyInForce
    /// What its side records say.
    let causes: CauseTable
    private let image: Pages
    private let addresses: Pages

    init(_ set: PolicySet, flows: FlowSettings, huge: Bool) throws {
        var inventory = Inventory()
        let compiled = try compile(set, flows: flows, generation: 1, inventory: &inventory)
        causes = compiled.causes
        image = Pages(count: compiled.image.count, huge: huge)
        unsafe image.base.copyMemory(from: compiled.image, byteCount: compiled.image.count)
        let claims = compiled.set.workloads.flatMap { inventory.claims(of: $0, in: compiled.set) }
        let slots = 2 * AddressMapWriter.slots(forAddresses: max(1, claims.count))
        addresses = Pages(count: AddressMapLayout.byteCount(slots: slots), huge: huge)
        var writer = unsafe AddressMapWriter(formatting: addresses.base, slots: slots, serial: 1, seed: 0x5bd1_e995_9d1c_a3f7)
        for claim in claims {
            try writer.claim(claim.address, zone: claim.zone, labelSet: claim.labelSet, workload: claim.workload)
        }
        inForce = PolicyInForce(
            snapshot: try unsafe Snapshot(validating: image.base, byteCount: compiled.image.count),
            map: try unsafe AddressMap(validating: addresses.base, byteCount: AddressMapLayout.byteCount(slots: slots)))
    }
}

/// The policies that connections are judged by.
enum Estate {
    static let asked = 100_000

    static func v4(_ number: Int) -> Address { Address(v4: 0x0a00_0000 | UInt32(number)) }
    static func v6(_ number: Int) -> Address { Address(high: 0xfd00 << 48, low: UInt64(number)) }

    /// 50,000 workloads with an address of each family, of 10,000 label sets (100 applications, 10 environments, 10 tiers). Rules
    /// stand in policies of ten; of each, one lets every workload in to TCP 443 and nine let one tier of one application in one
    /// environment in to other ports. So every connection to 443 is allowed, whatever the number of rules.
    static func set(rules: Int) throws -> PolicySet {
        var random = Seeded(13)
        var documents: [Document] = [.namespace(Namespace(name: "estate", ingress: .allow, egress: .allow))]
        for number in 0..<asked / 2 {
            var workload = Workload(name: ObjectName("w\(number)", namespace: "estate"))
            workload.labels = ["app": "a\(number % 100)", "env": "e\(number / 100 % 10)", "tier": "t\(number / 1_000 % 10)"]
            workload.labels["managed"] = "yes"
            workload.addresses = [Prefix(host: v4(number)), Prefix(host: v6(number))]
            documents.append(.workload(workload))
        }
        for number in 0..<max(1, rules / 10) {
            var policy = Policy(name: ObjectName("p\(number)", namespace: "estate"))
            policy.subject.selector = selector([("app", "a\(number % 100)"), ("env", "e\(number / 100 % 10)")])
            policy.order = Double(number)
            policy.ingress = .all
            for place in 0..<10 {
                var term = Term()
                term.selector =
                    place == 0
                    ? selector([("managed", "yes")])
                    : selector([
                        ("app", "a\(random.below(100))"), ("env", "e\(random.below(10))"), ("tier", "t\(random.below(10))"),
                    ])
                var rule = Rule(number: place + 1, action: .allow, direction: .ingress, peers: [term])
                let port: UInt16 = place == 0 ? 443 : UInt16(1_024 + random.below(2_000))
                rule.services = ServiceList([.range(ServiceRange(.tcp, ports: port...port))], text: "services: [tcp/\(port)]")
                policy.rules.append(rule)
            }
            documents.append(.policy(policy))
        }
        return try PolicySet(documents)
    }

    /// Ten rules for the servers' network of the measured connections: the first two let TCP 443 in from the clients' networks, the last one
    /// UDP 8009 from both. `isAudited`: beside them a policy that would deny everything, if it did not only report.
    static func small(isAudited: Bool = false) throws -> PolicySet {
        func blocks(_ texts: String...) -> [Prefix] { texts.compactMap { Prefix($0) } }
        var policy = Policy(name: ObjectName("ten"))
        policy.subject.cidrs = blocks("11.0.0.0/8", "fd01::/16")
        policy.ingress = .all
        for place in 0..<10 {
            var term = Term()
            let (near, other) = (blocks("10.0.0.0/8", "fd00::/16"), blocks("12.0.0.0/8", "fd02::/16"))
            term.cidrs = place == 1 ? other : place == 9 ? near + other : near
            var rule = Rule(number: place + 1, action: .allow, direction: .ingress, peers: [term])
            let port: UInt16 = place < 2 ? 443 : UInt16(8_000 + place)
            let number: IPProtocol = place < 9 ? .tcp : .udp
            rule.services = ServiceList(
                [.range(ServiceRange(number, ports: port...port))], text: "services: [\(number.name)/\(port)]")
            policy.rules.append(rule)
        }
        let servers = Workload(name: ObjectName("servers"), addresses: blocks("11.0.0.0/8", "fd01::/16"))
        guard isAudited else { return try PolicySet([.workload(servers), .policy(policy)]) }
        var audit = Policy(name: ObjectName("strict"))
        (audit.subject, audit.order, audit.mode) = (policy.subject, -1, .audit)
        audit.rules = [Rule(number: 1, action: .deny, direction: .ingress, peers: [Term()])]
        return try PolicySet([.workload(servers), .policy(audit), .policy(policy)])
    }

    private static func selector(_ labels: [(String, String)]) -> Selector {
        Selector(
            .and(labels.map { .equals($0.0, $0.1) }), text: labels.map { "\($0.0) == \"\($0.1)\"" }.joined(separator: " && "))
    }
}
