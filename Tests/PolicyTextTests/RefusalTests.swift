// SPDX-License-Identifier: Apache-2.0
import Policy
import PolicyText
import Testing

private let head = "apiVersion: bulkhead/v1\n"
private func policy(_ spec: String) -> String { head + "kind: Policy\nmetadata: {name: p}\nspec: {\(spec)}" }
private func rule(_ rule: String) -> String { policy("rules: [{\(rule)}]") }
private func workload(_ spec: String) -> String { head + "kind: Workload\nmetadata: {name: w}\nspec: {\(spec)}" }

private let refused: [(String, String)] = [
    (
        head + "kind: Policy\nmetadata: {name: p}\nspec: {subjct: {}}",
        "f.yaml:4:8: the spec of a Policy has no key \"subjct\"; did you mean \"subject\"?"
    ),
    (head + "kind: Polcy\nmetadata: {name: p}", "f.yaml:2:7: there is no kind \"Polcy\"; did you mean \"Policy\"?"),
    (head + "kind: Tier\nmetadata: {name: t}", "f.yaml:2:7: kind Tier is not enforced yet; remove the document"),
    (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}",
        "f.yaml:1:13: apiVersion must be bulkhead/v1, not \"v1\""
    ),
    ("kind: Zone", "f.yaml:1:1: a document needs the key \"apiVersion\""),
    ("- 1", "f.yaml:1:1: a document must be a mapping, not a list"),
    (
        head + "kind: Zone\nmetadata: {name: z, name: y}",
        "f.yaml:3:21: the key \"name\" is there twice; remove one of them"
    ),
    (head + "kind: Zone\nmetadata: {name: -z}", "no name; use letters"),
    (
        head + "kind: Zone\nmetadata: {name: z}\nspec: {on-link: true}",
        "f.yaml:4:8: \"on-link\" of a Zone is not enforced yet; remove it"
    ),
    (
        head + "kind: Workload\nmetadata: {name: w, labels: {n: 1}}",
        "f.yaml:3:33: the label \"n\" must be a text, not the number 1; write \"1\" in quotes"
    ),
    (
        head + "kind: Workload\nmetadata: {name: w, labels: {n: ~}}",
        "f.yaml:3:33: the label \"n\" says nothing; write a text, or leave the key out"
    ),
    (
        workload("addresses: [10.0.0.1/8]"),
        "f.yaml:4:20: \"10.0.0.1/8\" is no address and no CIDR block; write 10.0.0.1, 10.0.0.0/8 or fd00::/8, "
            + "with no bits set behind the length"
    ),
    (workload("mac: \"00:11:22:33:44:55\""), "f.yaml:4:8: \"mac\" of a Workload is not enforced yet; remove it"),
    (workload("zones: []"), "f.yaml:4:15: zones is empty, so that the workload may appear nowhere; leave the key out"),
    (workload("services: {tcp: tcp/1}"), "f.yaml:4:19: \"tcp\" cannot be a name of one's own for a service"),
    (workload("services: {web: any}"), "f.yaml:4:24: a named service must be a protocol with numbers, as tcp/5432"),
    (policy("tier: admin"), "f.yaml:4:14: there is no tier \"admin\"; the only tier yet is default"),
    (policy("track: none"), "f.yaml:4:8: \"track\" of a Policy is not enforced yet; remove it"),
    (
        policy("isolates: {ingress: yes}"),
        "f.yaml:4:28: isolates.ingress must be none, all or a list of services, not \"yes\""
    ),
    (policy("isolates: {ingress: [web]}"), "f.yaml:4:28: isolates.ingress may name no service \"web\"; write it as"),
    (policy("mode: audti"), "f.yaml:4:14: mode must be one of enforce, audit, not \"audti\"; did you mean \"audit\"?"),
    (policy("expires: tomorrow"), "f.yaml:4:17: expires must be a point in time, as 2027-01-31T18:00:00Z, not \"tomorrow\""),
    (policy("change: {drain: 30}"), "f.yaml:4:24: drain must be a text, not the number 30; write \"30\" in quotes"),
    (rule("action: allow"), "f.yaml:4:16: a rule needs \"from\" or \"to\"; \"from\" judges connections to the subject"),
    (rule("action: allow, from: {}, to: {}"), "f.yaml:4:16: a rule cannot have both \"from\" and \"to\""),
    (rule("action: drop, from: {}"), "f.yaml:4:25: action must be one of allow, deny, reject, pass, log, not \"drop\""),
    (rule("action: log, from: {}"), "f.yaml:4:25: the action log is not enforced yet; use mode: audit"),
    (rule("action: allow, from: null"), "f.yaml:4:38: from says nothing; write a mapping, or leave the key out"),
    (rule("action: allow, from: {selector: 'a = b'}"), "f.yaml:4:49: selector: behind \"a\" must come"),
    (rule("action: allow, from: {matchLabels: {a: b}}"), "has no key \"matchLabels\"; put it under \"selector\""),
    (rule("action: allow, from: {principal: x}"), "\"principal\" is not enforced yet; use serviceAccounts"),
    (rule("action: allow, from: {entities: [host]}"), "the entity \"host\" is not enforced yet; use any, outside or known"),
    (rule("action: allow, from: {entities: [outsied]}"), "there is no entity \"outsied\"; did you mean \"outside\"?"),
    (rule("action: allow, from: {}, family: ipv4"), "\"family\" of a rule is not enforced yet; remove it"),
    (
        rule("action: allow, from: {}, services: [tcp/70000]"),
        "f.yaml:4:53: \"tcp/70000\" is no service; write a port from 0 to 65535, as tcp/443, or a range, as tcp/1000-2000"
    ),
    (rule("action: allow, from: {}, services: [tcp/2-1]"), "\"tcp/2-1\" is no service"),
    (rule("action: allow, from: {}, services: [tcp/+1]"), "\"tcp/+1\" is no service"),
    (rule("action: allow, from: {}, services: [icmp/8.0.0]"), "is no service; write type and code, as icmp/8.0"),
    (rule("action: allow, from: {}, services: [tpc/1]"), "there is no protocol \"tpc\" with ports; did you mean \"tcp\"?"),
    (rule("action: allow, from: {}, services: [256]"), "a protocol's number is at most 255, not 256"),
    (rule("action: allow, from: {}, services: tcp/1"), "f.yaml:4:52: services must be a list, not \"tcp/1\""),
    (
        policy("rules: [{name: a, action: allow, from: {}}, {name: a, action: deny, from: {}}]"),
        "f.yaml:4:52: two rules of Policy \"p\" are called \"a\"; the first one is at f.yaml:4:16; rename one of them"
    ),
    (
        head + "kind: Policy\nmetadata: {name: p, namespace: n}\nspec: {subject: {namespaceSelector: all()}}",
        "f.yaml:4:17: a policy in the namespace \"n\" speaks for workloads of that namespace only"
    ),
]

@Suite struct Refusals {
    @Test(arguments: refused) func `what is not understood is refused with its place`(text: String, message: String) {
        #expect {
            try decode(text, file: "f.yaml")
        } throws: { error in
            "\(error)".contains(message)
                ? true
                : {
                    print("found: \(error)"); return false
                }()
        }
    }

    @Test func `places count through a file of several documents`() {
        let text =
            "---\n" + head + "kind: Zone\nmetadata: {name: a}\n---\n# nothing here\n---\n" + head
            + "kind: Zone\nmetadata:\n  nme: b\n"
        #expect {
            try decode(text, file: "f.yaml")
        } throws: { error in
            "\(error)" == "f.yaml:11:3: metadata has no key \"nme\"; did you mean \"name\"?"
        }
    }
}

@Suite struct YAMLTexts {
    @Test(arguments: [
        "a: &x 1\nb: *x", "- &x [1]\n- *x", "a: &x {b: 1}\nc: [*x]", "a: &x {}\nb: *x", "- &x a\n- *x", "a: [&x b, *x]",
    ]) func `an alias is refused`(text: String) {
        #expect {
            try YAMLReader.documents(text, file: "f")
        } throws: { error in
            "\(error)".contains("aliases are not read")
        }
    }

    @Test(arguments: [
        ("a: !mine 1", "the tag !mine is not read"), ("? [a]\n: 1", "a key must be a word, not a list"),
        ("a: [1", "the text is no YAML"),
        ("\ta: 1", "the text is no YAML"),
    ]) func `what a configuration must not hold is refused`(text: String, message: String) {
        #expect {
            try YAMLReader.documents(text, file: "f")
        } throws: { error in
            "\(error)".contains(message)
                ? true
                : {
                    print("found: \(error)"); return false
                }()
        }
    }

    @Test func `sizes have limits`() {
        var limits = YAMLReader.Limits()
        (limits.nodes, limits.depth, limits.bytes) = (10, 5, 1_000)
        for text in [
            "[" + String(repeating: "1,", count: 20) + "]", String(repeating: "[", count: 8) + String(repeating: "]", count: 8),
            String(repeating: " ", count: 1_001),
        ] {
            #expect(throws: PolicyError.self) { try YAMLReader.documents(text, file: "f", limits: limits) }
        }
    }

    @Test func `plain words keep to the core schema`() throws {
        let texts = ["no", "on", "1e3x", "0x1f", "1_000", ".5", "2027-01-01T00:00:00Z", "10.0.0.1", "a b"]
        for text in texts { #expect(try YAMLReader.documents("- \(text)", file: "f")[0].list("l")[0].text("t") == text) }
        let values = try YAMLReader.documents("[1, -2, 1.5, true, '1', ~]", file: "f")[0].list("l")
        #expect(try values[0].integer("i", in: 0...9) == 1 && values[1].integer("i", in: -9...0) == -2)
        #expect(try values[2].number("n") == 1.5 && values[3].truth("t") && values[4].text("t") == "1")
        #expect(throws: PolicyError.self) { try values[5].text("t") }
        #expect(throws: PolicyError.self) { try values[0].text("t") }
    }

    @Test func `JSON is read as well`() throws {
        let text =
            #"{"apiVersion": "bulkhead/v1", "kind": "Zone", "metadata": {"name": "lan"}, "spec": {"unjudged": {"wan": "audit"}}}"#
        guard case .zone(let zone)? = try decode(text, file: "f").first else { throw PolicyError(.nowhere, "no zone") }
        #expect(zone.unjudged == ["wan": .audit] && zone.unjudgedElsewhere == .deny)
    }

    @Test func `damaged documents are read or refused, never more`() throws {
        let seed = UInt64.random(in: 0...999_999)
        print("seed \(seed)")
        var state = seed
        func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let whole = Array((rule("action: allow, from: [{selector: 'a == \"b\"'}], services: [tcp/1-2, web]") + "\n").utf8)
        for _ in 0..<3_000 {
            var bytes = whole
            for _ in 0..<(1 + below(3)) {
                switch below(3) {
                case 0: bytes[below(bytes.count)] = UInt8(below(127))
                case 1: bytes.remove(at: below(bytes.count))
                default: bytes.insert(Array("[]{}:,-&*!'\"#\n ~".utf8)[below(16)], at: below(bytes.count))
                }
            }
            _ = try? decode(String(decoding: bytes, as: UTF8.self), file: "f")
        }
    }
}
