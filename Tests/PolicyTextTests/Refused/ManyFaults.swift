// SPDX-License-Identifier: Apache-2.0
import Policy
import PolicyText
import Testing

/// A text with several things wrong, and every line that is told of it, in the order of the text.
struct Faulty: Sendable, CustomTestStringConvertible {
    let what: String
    let text: String
    let lines: [String]
    var testDescription: String { what }

    init(_ what: String, _ text: String, _ lines: String...) { (self.what, self.text, self.lines) = (what, text, lines) }
}

private let faulty: [Faulty] = [
    Faulty(
        "metadata, spec, rules, terms and selectors of one policy",
        """
        apiVersion: bulkhead/v1
        kind: Policy
        metadata: {name: -p, labels: {a: 1, b: true}}
        specs: {}
        spec:
          tier: [x]
          ordr: 5
          subject: {selector: 'app ==', zones: lan}
          isolates: {ingress: [web], egress: sometimes}
          expires: soon
          change: {drain: 0s}
          rules:
            - {action: alow, from: {cidrs: [10.0.0.1/8, fd00::/129, 7]}, servces: [tcp/1]}
            - {action: allow, to: {}, services: [tcp/99999, {service: udp/1, sourcePorts: [70000]}], expectReplies: 5}
            - {name: a b, from: {selector: {matchLabels: {x: 1}, matchExpressions: [{key: k, operator: Is}]}}}
            - 7
        """,
        "3:18: metadata.name \"-p\" is no name; use letters, digits, \".\", \"_\" and \"-\", 253 at most",
        "3:34: the label \"a\" must be a text, not the number 1; write \"1\" in quotes",
        "3:40: the label \"b\" must be a text, not the truth value true; write \"true\" in quotes",
        "4:1: a document has no key \"specs\"; did you mean \"spec\"?", "6:9: tier must be a text, not a list",
        "7:3: the spec of a Policy has no key \"ordr\"; did you mean \"order\"?",
        "8:23: selector: a value in quotes is missing, at character 7 of 'app =='",
        "8:40: zones must be a list, not \"lan\"; write it in brackets: [lan]",
        "9:24: isolates.ingress may name no service \"web\"; write it as protocol and port",
        "9:38: isolates.egress must be none, all or a list of services, not \"sometimes\"",
        "10:12: expires must be a point in time, as 2027-01-31T18:00:00Z, not \"soon\"",
        "11:19: drain must be 1s to 65535s, not 0s; write 1s or more",
        "13:16: action must be one of allow, deny, reject, pass, log, not \"alow\"; did you mean \"allow\"?",
        "13:37: \"10.0.0.1/8\" has bits set behind its length; write 10.0.0.0/8, or 10.0.0.1 for the one address",
        "13:49: \"fd00::/129\" is no block: the length of an IPv6 block is 0 to 128",
        "13:61: \"7\" is no address and no CIDR block; write 10.0.0.1, 10.0.0.0/8 or fd00::/8",
        "13:66: a rule has no key \"servces\"; did you mean \"services\"?",
        "14:42: \"tcp/99999\" is no service; write a port from 0 to 65535, as tcp/443, or a range, as tcp/1000-2000",
        "14:84: the number 70000 is no port; write a number from 0 to 65535, or a range, as \"1024-65535\"",
        "14:109: expectReplies must be a length of time, and 5 has no unit; write 5s for seconds, or m, h, d"),
    Faulty(
        "a key that is misspelt is not told to be missing as well",
        Sample.head
            + "kind: Policy\nmetadata: {nmae: p}\nspec: {rules: [{acton: allow, form: {}}, {action: deny, from: {principal: {nams: []}}}]}",
        "3:12: metadata has no key \"nmae\"; did you mean \"name\"?",
        "4:17: a rule has no key \"acton\"; did you mean \"action\"?",
        "4:31: a rule has no key \"form\"; did you mean \"from\"?", "4:76: principal has no key \"nams\"; did you mean \"names\"?"
    ),
    Faulty(
        "what is missing in several places",
        Sample.head + "kind: Policy\nmetadata: {}\nspec: {rules: [{}, {action: allow}], change: {}}",
        "3:11: metadata needs the key \"name\"", "4:16: a rule needs the key \"action\"",
        "4:16: a rule needs \"from\" or \"to\"; \"from\" judges connections to the subject, \"to\" those of the subject",
        "4:20: a rule needs \"from\" or \"to\"; \"from\" judges connections to the subject, \"to\" those of the subject",
        "4:46: change needs the key \"drain\""),
    Faulty(
        "all addresses, names and services of a workload",
        Sample.object("Workload", "addresses: [10.0.0.256, x, ~], mac: [7, a], zones: [a b, -], services: {tcp: tcp/1, w: http}"),
        "4:20: \"10.0.0.256\" is no address and no CIDR block; write 10.0.0.1, 10.0.0.0/8 or fd00::/8",
        "4:32: \"x\" is no address and no CIDR block; write 10.0.0.1, 10.0.0.0/8 or fd00::/8",
        "4:35: an item of addresses says nothing; write an address or a block, or leave the key out",
        "4:45: \"7\" is no hardware address; write it as 02:00:00:00:00:01",
        "4:48: \"a\" is no hardware address; write it as 02:00:00:00:00:01",
        "4:60: an item of zones \"a b\" is no name; use letters, digits, \".\", \"_\" and \"-\", 253 at most",
        "4:65: an item of zones \"-\" is no name; use letters, digits, \".\", \"_\" and \"-\", 253 at most",
        "4:80: \"tcp\" cannot be a name of one's own for a service",
        "4:95: a named service must be a protocol with numbers, as tcp/5432"),
    Faulty(
        "a zone, an address set and a tier",
        Sample.object("Zone", "on-link: 1, dhcp-server: yes, unjudged: {a: no, b: allow, c: 1}") + "\n---\n"
            + Sample.object("AddressSet", "except: [x], entries: [{}, {cidr: a, until: b, service: c}]") + "\n---\n"
            + Sample.object("Tier", "layer: 1, order: a, shape: b, end: c"),
        "4:17: on-link must be true or false, not the number 1", "4:33: dhcp-server must be true or false, not \"yes\"",
        "4:52: unjudged towards a must be one of deny, audit, allow, not \"no\"",
        "4:69: unjudged towards c must be one of deny, audit, allow, not the number 1",
        "9:8: \"except\" leaves out of \"cidrs\", and there is none; put it beside the \"cidr\" of an entry",
        "9:17: \"x\" is no address and no CIDR block; write 10.0.0.1, 10.0.0.0/8 or fd00::/8",
        "9:31: an entry needs either \"cidr\" or \"dns\"",
        "9:42: \"a\" is no address and no CIDR block; write 10.0.0.1, 10.0.0.0/8 or fd00::/8",
        "9:52: until must be a point in time, as 2027-01-31T18:00:00Z, not \"b\"",
        "9:64: an entry's service must be a protocol with numbers, as tcp/5432",
        "14:15: layer must be one of zone, network, mesh, not the number 1", "14:25: order must be a number, not \"a\"",
        "14:35: shape must be one of ordered, set, not \"b\"", "14:43: end must be one of deny, pass, audit, not \"c\""),
]

@Suite struct ManyFaults {
    @Test(arguments: faulty) func `everything that is wrong in a document is told at once, in the order of the text`(
        _ row: Faulty
    ) {
        do {
            _ = try decode(row.text, file: "f.yaml")
            Issue.record("it was read")
        } catch {
            let found = error.all.map { String("\($0)".dropFirst("f.yaml:".count)) }
            #expect(found == row.lines, "\(found.joined(separator: "\n"))")
        }
    }

    @Test func `more than twenty are cut, whatever they are`() {
        let rules = (0..<1000).map { "    - {action: x\($0), from: {cidrs: [a, b, c]}}" }.joined(separator: "\n")
        do {
            _ = try decode(Sample.head + "kind: Policy\nmetadata: {name: p}\nspec:\n  rules:\n" + rules, file: "f.yaml")
            Issue.record("it was read")
        } catch {
            #expect(error.all.count == PolicyError.most)
            #expect(error.all.map(\.place.line) == (0..<5).flatMap { [Int](repeating: 6 + $0, count: 4) })
        }
    }

    @Test func `tests are read to their end as well`() {
        let text = """
            apiVersion: bulkhead/v1
            kind: PolicyTest
            metadata: {nam: x}
            spec:
              at: now
              names: {"a b": {selector: 'a =='}}
              expect: [web reaches db, a can reach b on]
            """
        do {
            _ = try Loader.tests(in: text, file: "t.yaml")
            Issue.record("it was read")
        } catch {
            #expect(error.all.map { "\($0.place.line):\($0.place.column)" } == ["3:12", "5:7", "6:11", "6:29", "7:12", "7:28"])
        }
    }
}
