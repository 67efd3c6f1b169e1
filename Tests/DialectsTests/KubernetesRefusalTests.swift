// SPDX-License-Identifier: Apache-2.0
import Policy
import PolicyText
import Testing

private func network(_ spec: String, metadata: String = "name: p, namespace: n") -> String {
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {\(metadata)}\nspec: {\(spec)}"
}
private func peer(_ peer: String) -> String { network("ingress: [{from: [\(peer)]}]") }
private func block(_ block: String) -> String { network("ingress: [{from: [{ipBlock: {\(block)}}]}]") }
private func port(_ port: String) -> String { network("ingress: [{ports: [\(port)]}]") }
private func expression(_ expression: String) -> String { network("podSelector: {matchExpressions: [{\(expression)}]}") }
private func pod(_ rest: String) -> String { "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: n}\n\(rest)" }

private let portNames = "use lower-case letters, digits and single \"-\", 15 at most, with a letter among them"
private let peers = "write podSelector: {} for every pod of the namespace; for every peer leave out the list"

/// What the API server refuses, and what would be lost.
private let refused: [(String, String)] = [
    // The object.
    (network("podSelectr: {}"), "4:8: the spec of a NetworkPolicy has no key \"podSelectr\"; did you mean \"podSelector\"?"),
    (network("", metadata: "namespace: n"), "3:11: metadata needs the key \"name\""),
    (
        network("", metadata: "name: P, namespace: n"),
        "3:18: metadata.name \"P\" is no name; use lower-case letters, digits, and \"-\" and \".\" between them, 253 at most"
    ),
    (
        network("", metadata: "name: p, namespace: a.b"),
        "3:32: metadata.namespace \"a.b\" is no name; use lower-case letters, digits and \"-\" between them, 63 at most"
    ),
    (network("", metadata: "name: p, zone: z"), "3:21: metadata has no key \"zone\"; it may have name, namespace, labels"),
    (network("policyTypes: [ingress]"), "4:22: an item of policyTypes must be Ingress or Egress, not \"ingress\"; did you mean"),
    (network("policyTypes: [Ingress, Egress, Egress]"), "4:39: policyTypes has more than two items"),
    (network("policyTypes: Ingress"), "4:21: policyTypes must be a list, not \"Ingress\""),
    (network("ingress: [null]"), "4:18: an ingress rule says nothing; write {} for a rule that allows everything"),
    (network("ingress: [{to: []}]"), "4:19: an ingress rule has no key \"to\"; it may have from, ports"),
    (network("egress: [{from: []}]"), "4:18: an egress rule has no key \"from\"; it may have to, ports"),
    // Peers.
    (peer("{}"), "4:26: a peer must have podSelector, namespaceSelector or ipBlock; \(peers)"),
    (peer("{podSelector: null}"), "4:26: a peer must have podSelector, namespaceSelector or ipBlock; \(peers)"),
    (peer("null"), "4:26: a peer says nothing; \(peers)"),
    (
        peer("{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}"),
        "4:44: a peer with ipBlock may have no podSelector; write two peers"
    ),
    (
        peer("{ipBlock: {cidr: 10.0.0.0/8}, namespaceSelector: {}}"),
        "4:27: a peer with ipBlock may have no namespaceSelector; write two peers"
    ),
    (peer("{podSelector: {app: a}}"), "4:41: podSelector has no key \"app\"; it may have matchLabels, matchExpressions"),
    // Blocks.
    (block(""), "4:36: an ipBlock needs the key \"cidr\""),
    (block("cidr: 10.0.0.0"), "4:43: cidr \"10.0.0.0\" is no CIDR block; write 10.9.8.0/24 or fd00::/64"),
    (block("cidr: 10.0.0.0/33"), "4:43: cidr \"10.0.0.0/33\" is no CIDR block"),
    (block("cidr: 10.0.0/8"), "4:43: cidr \"10.0.0/8\" is no CIDR block"),
    (block("cidr: 010.0.0.0/8"), "4:43: cidr \"010.0.0.0/8\" is no CIDR block"),
    (block("cidr: 10.0.0.0/08"), "4:43: cidr \"10.0.0.0/08\" is no CIDR block"),
    (block("cidr: \"::ffff:10.0.0.0/104\""), "4:43: cidr \"::ffff:10.0.0.0/104\" is no CIDR block"),
    (block("cidr: \"fe80::1%eth0/64\""), "4:43: cidr \"fe80::1%eth0/64\" is no CIDR block"),
    (
        block("cidr: 10.0.0.0/8, except: [11.0.0.0/9]"),
        "4:64: 11.0.0.0/9 does not lie inside 10.0.0.0/8; leave out what is smaller than the cidr and in it"
    ),
    (block("cidr: 10.0.0.0/8, except: [10.0.0.0/8]"), "4:64: 10.0.0.0/8 does not lie inside 10.0.0.0/8"),
    (block("cidr: 10.0.0.0/8, except: [\"fd00::/16\"]"), "4:64: fd00::/16 does not lie inside 10.0.0.0/8"),
    (block("cidr: 10.0.0.0/8, except: [null]"), "4:64: an item of except says nothing"),
    // Ports.
    (port("null"), "4:27: a port says nothing; write {protocol: TCP} for every TCP port"),
    (port("{port: 0}"), "4:34: port must be a whole number from 1 to 65535, not 0"),
    (port("{port: 65536}"), "4:34: port must be a whole number from 1 to 65535, not 65536"),
    (port("{port: \"80\"}"), "4:34: \"80\" is no name of a port; write the number without quotes"),
    (port("{port: \"\"}"), "4:34: \"\" is no name of a port; \(portNames)"),
    (port("{port: a--b}"), "4:34: \"a--b\" is no name of a port; \(portNames)"),
    (port("{port: sixteen-letters-}"), "4:34: \"sixteen-letters-\" is no name of a port"),
    (port("{port: 80, endPort: 79}"), "4:47: endPort 79 lies before port 80; swap them"),
    (port("{port: 80, endPort: 65536}"), "4:47: endPort must be a whole number from 1 to 65535, not 65536"),
    (port("{endPort: 80}"), "4:37: endPort needs a port; write port and endPort"),
    (port("{port: web, endPort: 80}"), "4:48: endPort needs a port by number, not by name"),
    (port("{protocol: tcp}"), "4:38: protocol must be one of TCP, UDP, SCTP, not \"tcp\"; did you mean \"TCP\"?"),
    (port("{protocol: ICMP}"), "4:38: protocol must be one of TCP, UDP, SCTP, not \"ICMP\""),
    (port("{prot: TCP}"), "4:28: a port has no key \"prot\"; did you mean \"port\"?"),
    // Selectors.
    (expression("key: a, operator: In"), "4:41: the operator In needs values"),
    (expression("key: a, operator: NotIn, values: []"), "4:41: the operator NotIn needs values"),
    (expression("key: a, operator: Exists, values: [b]"), "4:41: the operator Exists takes no values"),
    (
        expression("key: a, operator: in, values: [b]"),
        "4:60: operator must be one of In, NotIn, Exists, DoesNotExist, not \"in\"; did you mean \"In\"?"
    ),
    (expression("key: -a, operator: Exists"), "4:47: \"-a\" is no key of a label; write a name of 63 letters"),
    (expression("key: A.B/a, operator: Exists"), "4:47: \"A.B/a\" is no key of a label"),
    (expression("key: a/b/c, operator: Exists"), "4:47: \"a/b/c\" is no key of a label"),
    (expression("operator: Exists"), "4:41: a match expression needs the key \"key\""),
    (expression("key: a, operator: In, values: [a b]"), "4:73: \"a b\" is no value of a label; write 63 letters"),
    (
        network("podSelector: {matchLabels: {app: 1}}"),
        "4:41: the label \"app\" must be a text, not the number 1; write \"1\" in quotes"
    ),
    // Pods and namespaces.
    (pod("spec: {hostnetwork: true}"), "4:8: the spec of a Pod has no key \"hostnetwork\"; did you mean \"hostNetwork\"?"),
    (pod("spec: {containers: [{nam: c}]}"), "4:22: a container has no key \"nam\"; did you mean \"name\"?"),
    (pod("spec: {containers: [{ports: [{name: web}]}]}"), "4:30: a port of a container needs the key \"containerPort\""),
    (pod("status: {podIP: 10.0.0.300}"), "4:17: \"10.0.0.300\" is no address; write 10.0.0.1 or fd00::1"),
    (pod("status: {podIPs: [{ip: \"::ffff:10.0.0.1\"}]}"), "4:24: \"::ffff:10.0.0.1\" is no address"),
    (
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a.b}",
        "3:18: metadata.name \"a.b\" is no name; use lower-case letters, digits and \"-\" between them, 63 at most"
    ),
    (
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}",
        "3:32: a Namespace lives in no namespace; remove the key"
    ),
    // Kinds.
    (
        "apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: p}",
        "1:1: NetworkPolicy of extensions/v1beta1 is not read; write it as networking.k8s.io/v1"
    ),
    (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: p}",
        "1:1: Deployment of apps/v1 is no kind that is imported; take it out, or leave it out with --lossy"
    ),
    (
        "apiVersion: v1\nkind: Pods\nmetadata: {name: p}",
        "1:1: Pods of v1 is no kind that is imported; did you mean \"Pod\"? Or leave it out with --lossy"
    ),
    ("apiVersion: v1\nkind: PodList\nitems: [{metadata: {}}]", "3:20: metadata needs the key \"name\""),
    ("apiVersion: v1\nkind: List\nitems: [{metadata: {name: x}}]", "3:9: an object needs the key \"kind\""),
    ("apiVersion: v1\nkind: List\nmetadata: {nam: x}\nitems: []", "3:12: metadata has no key \"nam\""),
]

@Suite struct KubernetesRefusals {
    @Test(arguments: refused) func `what is wrong is refused at its place`(text: String, message: String) throws {
        let error = #expect(throws: PolicyError.self) { try read(text) }
        let said = error?.description ?? ""
        #expect(said.hasPrefix("k.yaml:\(message)"), "\(said)")
    }

    @Test func `everything that is wrong in a text is told at once`() throws {
        let text = [port("{port: 0}"), network(""), peer("{}"), pod("status: {podIP: x}")].joined(separator: "\n---\n")
        let error = #expect(throws: PolicyError.self) { try read(text) }
        #expect(error?.all.map(\.place.line) == [4, 14, 19])
    }

    @Test func `a lossy import leaves out what it cannot read, and says what`() throws {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: p}\n---\n" + network("")
        let reading = try read(text, isLossy: true)
        #expect(reading.documents.count == 1)
        #expect(reading.losses.map(\.description) == ["k.yaml:1:1: Deployment of apps/v1 is no kind that is imported"])
    }

    @Test func `a lossy import leaves out fields of a spec that are not known, and says which`() throws {
        let text = """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: a, namespace: n}
            spec:
              podSelector: {matchLabels: {app: web}, later: 1}
              tier: gold
              ingress:
                - from: [{podSelector: {}, account: x}, {ipBlock: {cidr: 10.0.0.0/8, label: y}}]
                  ports: [{port: 80, name: http}]
                  log: true
            """
        let reading = try read(text, isLossy: true)
        #expect(
            reading.losses.map(\.description) == [
                #"k.yaml:5:42: a selector has no key "later""#, #"k.yaml:6:3: the spec of a NetworkPolicy has no key "tier""#,
                #"k.yaml:8:32: a peer has no key "account""#, #"k.yaml:8:74: an ipBlock has no key "label""#,
                #"k.yaml:9:26: a port has no key "name""#, #"k.yaml:10:7: a rule has no key "log""#,
            ])
        #expect(reading.documents.count == 1)
    }

    @Test func `a lossy import still refuses what is wrong`() throws {
        #expect(throws: PolicyError.self) { try read(port("{port: 0}"), isLossy: true) }
    }
}
