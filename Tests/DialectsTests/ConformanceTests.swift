// SPDX-License-Identifier: Apache-2.0
import Testing

/// The vectors of Kubernetes NetworkPolicy, each with a policy, probes and what they must get.
@Suite struct NetworkPolicyVectors {
    private let onA = "podSelector: {matchLabels: {app: a}}"

    @Test func `K1 without a policy everything is allowed`() throws {
        try Cluster(pods).expect("n/b -> n/a allow", "\(w) -> n/a allow", "n/a -> \(w) allow", "m/c -> n/a icmp allow")
    }

    @Test func `K2 a policy without rules and types isolates ingress alone`() throws {
        try Cluster(pods + policy(onA)).expect("n/b -> n/a deny", "n/a -> n/b allow", "n/a -> \(w) allow", "m/c -> n/b allow")
    }

    @Test func `K3 egress rules without types isolate ingress too`() throws {
        try Cluster(pods + policy("\(onA), egress: [{to: [{podSelector: {matchLabels: {app: b}}}]}]"))
            .expect("n/b -> n/a deny", "n/a -> n/b allow", "n/a -> m/c deny", "n/a -> \(w) deny")
    }

    @Test func `K4 an empty rule allows everything`() throws {
        try Cluster(pods + policy("\(onA), ingress: [{}]")).expect(
            "\(w) -> n/a allow", "n/b -> n/a icmp allow", "m/c -> n/a 47 allow")
    }

    @Test func `K5 policies add up`() throws {
        try Cluster(pods + policy(onA) + "\n---\n" + policy("\(onA), ingress: [{}]", name: "q")).expect("\(w) -> n/a allow")
    }

    @Test func `K6 an empty pod selector is every pod of the policy's namespace`() throws {
        try Cluster(pods + policy("\(onA), ingress: [{from: [{podSelector: {}}]}]"))
            .expect("n/b -> n/a allow", "m/c -> n/a deny", "\(w) -> n/a deny")
    }

    @Test func `K7 an empty namespace selector is every pod of every namespace`() throws {
        try Cluster(pods + policy("\(onA), ingress: [{from: [{namespaceSelector: {}}]}]"))
            .expect("n/b -> n/a allow", "m/c -> n/a allow", "\(w) -> n/a deny")
    }

    @Test func `K8 both selectors in one item must hold, in two items either`() throws {
        let namespace = "namespaceSelector: {matchLabels: {team: m}}"
        try Cluster(pods + policy("\(onA), ingress: [{from: [{\(namespace), podSelector: {matchLabels: {app: x}}}]}]"))
            .expect("m/c -> n/a deny", "n/b -> n/a deny")
        try Cluster(pods + policy("\(onA), ingress: [{from: [{\(namespace)}, {podSelector: {matchLabels: {app: x}}}]}]"))
            .expect("m/c -> n/a allow", "n/b -> n/a deny")
    }

    @Test func `K9 an exception holds for its own peer, and another peer may allow what it left out`() throws {
        let peers = "{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {ipBlock: {cidr: 10.1.2.0/24}}"
        try Cluster(pods + policy("\(onA), ingress: [{from: [\(peers)]}]"))
            .expect("10.1.2.3 -> n/a allow", "10.1.3.3 -> n/a deny", "10.2.0.1 -> n/a allow", "\(w) -> n/a deny")
    }

    @Test func `K10 a port without a protocol is TCP`() throws {
        try Cluster(pods + policy("\(onA), policyTypes: [Egress], egress: [{ports: [{port: 53}]}]"))
            .expect("n/a -> \(w) tcp/53 allow", "n/a -> \(w) udp/53 deny")
    }

    @Test func `K11 a port by name is the number that each pod gives it`() throws {
        let text =
            pod("a", "n", "10.0.0.1", ports: "{name: web, containerPort: 80}") + "\n---\n"
            + pod("b", "n", "10.0.0.2", ports: "{name: web, containerPort: 8080}") + "\n---\n"
        try Cluster(text + policy("ingress: [{ports: [{port: web}]}]"))
            .expect(
                "\(w) -> n/a tcp/80 allow", "\(w) -> n/a tcp/8080 deny", "\(w) -> n/b tcp/8080 allow", "\(w) -> n/b tcp/80 deny",
                "\(w) -> n/a udp/80 deny")
    }

    @Test func `K12 both sides must allow`() throws {
        let egress = policy("\(onA), policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: b}}}]}]")
        try Cluster(pods + egress).expect("n/a -> n/b allow")
        try Cluster(pods + egress + "\n---\n" + policy("podSelector: {matchLabels: {app: b}}", name: "q")).expect(
            "n/a -> n/b deny")
    }

    @Test func `K13 who may not be reached still gets replies, which follow what it opened`() throws {
        // The vector speaks of connections: b may answer what a opened, and open nothing itself.
        try Cluster(pods + policy(onA)).expect("n/a -> n/b allow", "n/b -> n/a deny")
    }

    @Test func `K14 NotIn selects a pod without the label`() throws {
        let without = "podSelector: {matchExpressions: [{key: env, operator: NotIn, values: [prod]}]}"
        try Cluster(pods + policy(without)).expect("n/b -> n/a deny")
        let prod = pod("a", "n", "10.0.0.1", labels: "env: prod") + "\n---\n" + pod("b", "n", "10.0.0.2") + "\n---\n"
        try Cluster(prod + policy(without)).expect("n/b -> n/a allow", "n/a -> n/b deny")
    }
}
