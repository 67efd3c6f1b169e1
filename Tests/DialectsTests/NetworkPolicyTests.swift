// SPDX-License-Identifier: Apache-2.0
import Dialects
import Policy
import PolicyText
import Testing

/// What NetworkPolicy says, rule by rule.
@Suite struct NetworkPolicies {
    private let onA = "podSelector: {matchLabels: {app: a}}"

    @Test func `1 a policy speaks for the pods of its own namespace, all of them without a selector`() throws {
        for spec in ["", "podSelector: {}", "podSelector: null"] {
            try Cluster(pods + policy(spec)).expect("m/c -> n/a deny", "m/c -> n/b deny", "n/a -> m/c allow")
        }
    }

    @Test func `1 a policy without a spec isolates the ingress of its namespace`() throws {
        let bare = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: n}}"
        try Cluster(pods + bare).expect("m/c -> n/a deny", "n/a -> m/c allow")
    }

    @Test(arguments: [
        ("", "deny", "allow"), ("policyTypes: []", "deny", "allow"), ("policyTypes: null", "deny", "allow"),
        ("policyTypes: [Ingress]", "deny", "allow"), ("policyTypes: [Egress]", "allow", "deny"),
        ("policyTypes: [Ingress, Egress]", "deny", "deny"), ("egress: []", "deny", "allow"), ("egress: [{}]", "deny", "allow"),
        ("policyTypes: [Egress], egress: []", "allow", "deny"), ("policyTypes: [Egress], egress: [{}]", "allow", "allow"),
        ("policyTypes: [Egress], ingress: []", "allow", "deny"), ("policyTypes: [Ingress], egress: [{}]", "deny", "allow"),
        ("policyTypes: [Egress, Egress]", "allow", "deny"),
    ]) func `2 types that are not given are ingress, and egress where there are egress rules`(
        types: String, ingress: String, egress: String
    ) throws {
        try Cluster(pods + policy("\(onA), \(types)")).expect("n/b -> n/a \(ingress)", "n/a -> n/b \(egress)")
    }

    @Test func `2 rules of a direction that the types leave out have no effect, and the import says so`() throws {
        let text = pods + policy("\(onA), policyTypes: [Ingress], egress: [{to: [{podSelector: {matchLabels: {app: b}}}]}]")
        try Cluster(text + "\n---\n" + policy("\(onA), policyTypes: [Egress]", name: "q")).expect("n/a -> n/b deny")
        let reading = try read(text)
        #expect(
            reading.ignored.map(\.message) == [
                "the egress rules of NetworkPolicy n/p: policyTypes does not name Egress, so that they have no effect"
            ])
    }

    @Test func `3 isolation is apart from rules, for each pod and direction`() throws {
        let text = pods + policy("\(onA), ingress: [{from: [{podSelector: {matchLabels: {app: b}}}]}]")
        try Cluster(text).expect("n/b -> n/a allow", "m/c -> n/a deny", "m/c -> n/b allow", "n/a -> m/c allow")
    }

    @Test(arguments: ["{}", "{from: []}", "{from: null}", "{ports: []}", "{ports: null}", "{from: null, ports: []}"])
    func `4 absent, null and empty lists of peers and ports are all of them`(rule: String) throws {
        try Cluster(pods + policy("\(onA), ingress: [\(rule)]"))
            .expect("\(w) -> n/a allow", "m/c -> n/a udp/53 allow", "n/b -> n/a icmp allow", "\(w) -> n/a sctp/1 allow")
    }

    @Test(arguments: ["47", "4", "41", "udp/4789", "udp/6081", "50", "132/1"])
    func `4 every service includes tunnels`(service: String) throws {
        let service = service == "132/1" ? "sctp/1" : service
        let cluster = try Cluster(pods + policy("\(onA), policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]"))
        try cluster.expect("\(w) -> n/a \(service) allow", "n/a -> \(w) \(service) allow")
    }

    @Test func `4 peers and ports of one rule must both hold, and rules add up`() throws {
        let peer = "from: [{podSelector: {matchLabels: {app: b}}}]"
        try Cluster(pods + policy("\(onA), ingress: [{\(peer), ports: [{port: 80}]}, {ports: [{port: 22}]}]"))
            .expect("n/b -> n/a tcp/80 allow", "m/c -> n/a tcp/80 deny", "m/c -> n/a tcp/22 allow", "n/b -> n/a tcp/81 deny")
    }

    @Test func `5 a pod selector that finds nobody matches nobody`() throws {
        try Cluster(pods + policy("\(onA), ingress: [{from: [{podSelector: {matchLabels: {app: none}}}]}]"))
            .expect("n/b -> n/a deny", "\(w) -> n/a deny")
    }

    @Test func `5 a null selector in a peer is as absent`() throws {
        try Cluster(
            pods + policy("\(onA), ingress: [{from: [{podSelector: null, namespaceSelector: {matchLabels: {team: m}}}]}]")
        )
        .expect("m/c -> n/a allow", "n/b -> n/a deny")
    }

    @Test func `6 a block matches pods as well as addresses outside, of its own family`() throws {
        try Cluster(pods + policy("\(onA), ingress: [{from: [{ipBlock: {cidr: 10.0.1.0/24}}]}]"))
            .expect("m/c -> n/a allow", "n/b -> n/a deny", "10.0.1.77 -> n/a allow", "\(w) -> n/a deny")
        try Cluster(pods + policy("\(onA), ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]"))
            .expect("m/c -> n/a allow", "\(w) -> n/a allow")
        try Cluster(pods + policy("\(onA), ingress: [{from: [{ipBlock: {cidr: \"::/0\"}}]}]"))
            .expect("m/c -> n/a deny", "\(w) -> n/a deny")
    }

    @Test func `6 bits behind a block's length are cut off`() throws {
        try Cluster(pods + policy("\(onA), ingress: [{from: [{ipBlock: {cidr: 10.0.1.99/24, except: [10.0.1.130/25]}}]}]"))
            .expect("m/c -> n/a allow", "10.0.1.200 -> n/a deny", "10.0.2.1 -> n/a deny")
    }

    @Test func `7 a protocol without a port is all its ports, and a range includes its ends`() throws {
        let ports = "[{protocol: UDP}, {port: 8000, endPort: 8010}, {protocol: SCTP, port: 7}, {port: 9, endPort: 9}]"
        try Cluster(pods + policy("\(onA), ingress: [{ports: \(ports)}]")).expect(
            "\(w) -> n/a udp/1 allow", "\(w) -> n/a udp/65535 allow", "\(w) -> n/a udp/4789 allow", "\(w) -> n/a tcp/7999 deny",
            "\(w) -> n/a tcp/8000 allow", "\(w) -> n/a tcp/8010 allow", "\(w) -> n/a tcp/8011 deny", "\(w) -> n/a sctp/7 allow",
            "\(w) -> n/a sctp/8 deny", "\(w) -> n/a tcp/7 deny", "\(w) -> n/a tcp/9 allow", "\(w) -> n/a icmp deny")
    }

    @Test func `7 a name is a port of the protocol that is asked for, and of nobody who does not give it`() throws {
        let text =
            pod("a", "n", "10.0.0.1", ports: "{name: dns, protocol: UDP, containerPort: 53}, {name: dns-tcp, containerPort: 53}")
            + "\n---\n" + pod("b", "n", "10.0.0.2") + "\n---\n"
        try Cluster(text + policy("ingress: [{ports: [{port: dns}]}]")).expect(
            "\(w) -> n/a udp/53 deny", "\(w) -> n/a tcp/53 deny")
        try Cluster(text + policy("ingress: [{ports: [{port: dns, protocol: UDP}]}]"))
            .expect("\(w) -> n/a udp/53 allow", "\(w) -> n/a tcp/53 deny", "\(w) -> n/b udp/53 deny")
        try Cluster(text + policy("policyTypes: [Egress], egress: [{ports: [{port: dns-tcp}]}]"))
            .expect("n/b -> n/a tcp/53 allow", "n/b -> \(w) tcp/53 deny", "n/b -> n/a udp/53 deny")
    }

    @Test(arguments: [
        ("podSelector: null, ingress: null, egress: null, policyTypes: null", ""),
        ("ingress: [{from: null, ports: null}]", "ingress: [{}]"),
        ("ingress: [{ports: [{protocol: null, port: 80, endPort: null}]}]", "ingress: [{ports: [{port: 80}]}]"),
        ("ingress: [{ports: [{protocol: UDP, port: null}]}]", "ingress: [{ports: [{protocol: UDP}]}]"),
        ("egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: null}}]}]", "egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"),
        ("egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: []}}]}]", "egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"),
        ("egress: [{to: [{ipBlock: null, podSelector: {}}]}]", "egress: [{to: [{podSelector: {}}]}]"),
        ("podSelector: {matchLabels: {app: null}}", "podSelector: {matchLabels: {app: \"\"}}"),
        ("podSelector: {matchExpressions: null}", "podSelector: {}"),
    ]) func `null is as absent, and a label's null is the empty text`(null: String, absent: String) throws {
        #expect(try Cluster(policy(null)).set.yaml == Cluster(policy(absent)).set.yaml)
    }

    @Test(arguments: [
        ("ingress: []", "policyTypes: [Ingress]"), ("egress: []", "policyTypes: [Ingress]"),
        ("ingress: [{from: []}]", "ingress: [{}]"), ("egress: [{to: []}], policyTypes: []", "egress: [{}]"),
    ]) func `an empty list is as absent where it holds peers, ports, types or rules`(empty: String, absent: String) throws {
        #expect(try Cluster(policy(empty)).set.yaml == Cluster(policy(absent)).set.yaml)
    }

    @Test func `8 a rule with ports matches no protocol without them`() throws {
        let cluster = try Cluster(
            pods + policy("\(onA), ingress: [{ports: [{protocol: TCP}, {protocol: UDP}, {protocol: SCTP}]}]"))
        try cluster.expect("\(w) -> n/a icmp deny", "\(w) -> n/a 47 deny", "\(w) -> n/a tcp/1 allow")
    }

    @Test func `9 a pod reaches itself, whatever isolates it`() throws {
        try Cluster(pods + policy("policyTypes: [Ingress, Egress]")).expect("n/a -> 10.0.0.1 allow", "n/a -> n/b deny")
    }

    @Test func `10 the four operators, of which NotIn and DoesNotExist hold without the label`() throws {
        let labelled = pod("x", "n", "10.0.0.3", labels: "env: prod")
        for (expression, x, a) in [
            ("{key: env, operator: In, values: [prod, test]}", "allow", "deny"),
            ("{key: env, operator: NotIn, values: [test]}", "allow", "allow"),
            ("{key: env, operator: NotIn, values: [prod]}", "deny", "allow"),
            ("{key: env, operator: Exists}", "allow", "deny"), ("{key: env, operator: Exists, values: []}", "allow", "deny"),
            ("{key: env, operator: DoesNotExist, values: null}", "deny", "allow"),
        ] {
            let peer = "{podSelector: {matchExpressions: [\(expression)]}}"
            let text = pods + labelled + "\n---\n" + policy("podSelector: {matchLabels: {app: b}}, ingress: [{from: [\(peer)]}]")
            try Cluster(text).expect("n/x -> n/b \(x)", "n/a -> n/b \(a)")
        }
    }

    @Test func `10 labels and expressions of one selector must all hold`() throws {
        let both = "matchLabels: {app: a}, matchExpressions: [{key: env, operator: Exists}]"
        try Cluster(pods + policy("podSelector: {\(both)}")).expect("n/b -> n/a allow")
        try Cluster(pods + policy("podSelector: {matchLabels: null, matchExpressions: []}")).expect("n/b -> n/a deny")
    }

    @Test func `11 a namespace has its own name as a label, declared or not`() throws {
        let peer = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAME}}}"
        let text = pod("a", "n", "10.0.0.1") + "\n---\n" + pod("c", "m", "10.0.1.1") + "\n---\n"
        try Cluster(text + policy("ingress: [{from: [\(peer.replacing("NAME", with: "m"))]}]"))
            .expect("m/c -> n/a allow", "\(w) -> n/a deny")
        try Cluster(text + policy("ingress: [{from: [\(peer.replacing("NAME", with: "n"))]}]")).expect("m/c -> n/a deny")
    }

    @Test func `12 a change is judged again for live connections`() throws {
        let set = try Cluster(pods + policy(onA)).set
        #expect(set.policies.map(\.change) == [.reevaluate])
    }

    @Test func `13 a policy only allows, in the built-in tier, behind native ones of smaller order`() throws {
        let native = """
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: first, namespace: n}
            spec: {order: 10, rules: [{action: deny, from: {cidrs: [10.0.1.0/24]}}]}
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: last, namespace: n}
            spec: {order: 2000, rules: [{action: allow, from: {cidrs: [192.0.2.0/24]}}, {action: deny, from: {}}]}
            ---

            """
        let cluster = try Cluster(pods + native + policy("\(onA), ingress: [{from: [{namespaceSelector: {}}]}]"))
        try cluster.expect("n/b -> n/a allow", "m/c -> n/a deny", "\(w) -> n/a allow", "203.0.113.1 -> n/a deny")
        #expect(cluster.set.policies.map(\.name.description) == ["n/first", "n/p", "n/last"])
    }

    @Test func `rules are named after their direction and place, so that a cause leads back to them`() throws {
        let set = try Cluster(pods + policy("\(onA), ingress: [{}, {ports: [{port: 1}]}], egress: [{}]")).set
        #expect(set.policies.first?.rules.map(\.label) == ["ingress-1", "ingress-2", "egress-1"])
        #expect(set.policies.first?.rules.map(\.number) == [1, 2, 3])
    }
}

/// What a text of Kubernetes objects becomes.
func read(_ text: String, isLossy: Bool = false) throws(PolicyError) -> ForeignReading {
    let values = try YAMLReader.documents(text, file: "k.yaml")
    return try Dialect.kubernetes.reader(isLossy: isLossy)
        .read(values.map { ForeignDocument(apiVersion: "", kind: "", value: $0) })
}
