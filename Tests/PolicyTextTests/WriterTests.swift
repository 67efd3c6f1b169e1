// SPDX-License-Identifier: Apache-2.0
import Policy
import PolicyText
import TestSupport
import Testing

/// What places and the way of writing tell apart, and meaning does not.
private let accidental: Set<String> = ["place", "text", "isImported"]

private func decoded(_ yaml: String) throws -> [Document] {
    do {
        return try decode(yaml, file: "written.yaml")
    } catch {
        Issue.record("\(error)\n\(yaml)")
        throw error
    }
}

@Suite struct Writing {
    @Test func `every key of every kind is read back as it was`() throws {
        for document in try decode(PolicySample.everything, file: "sample.yaml") {
            let again = try #require(try decoded(document.yaml).first)
            #expect(spelled(again, without: accidental) == spelled(document, without: accidental), "\(document.yaml)")
            #expect(again.yaml == document.yaml)
        }
    }

    @Test func `a set is read back as it was, and written the same again`() throws {
        let set = try PolicySet(try decode(PolicySample.everything, file: "sample.yaml"))
        let again = try PolicySet(try decoded(set.yaml))
        #expect(spelled(again, without: accidental) == spelled(set, without: accidental))
        #expect(again.yaml == set.yaml)
    }

    @Test func `what an absent key means is left out`() throws {
        let text =
            "{apiVersion: bulkhead/v1, kind: Policy, metadata: {name: p}, spec: {mode: enforce, change: reevaluate, track: flow}}"
        #expect(try decoded(text).first?.yaml == "apiVersion: bulkhead/v1\nkind: Policy\nmetadata:\n  name: p\n")
    }

    @Test func `a document is written a key a line, with words in lists on one line`() throws {
        let text = """
            apiVersion: bulkhead/v1
            kind: Policy
            metadata:
              name: db
              namespace: shop
            spec:
              order: 100
              subject:
                selector: 'app == "db"'
              isolates:
                ingress: all
              rules:
                - name: sql
                  action: allow
                  from:
                    - selector: 'app == "web"'
                      namespaceSelector: 'all()'
                    - cidrs: ['10.0.0.0/8', 'fd00::1']
                  services: [tcp/5432, tcp/web, icmp/8.0]
                - action: deny
                  from: {}

            """
        #expect(try decoded(text).first?.yaml == text)
    }

    @Test(arguments: [
        "plain", "a.b/c-d_e", "1", "1.5", "-x", "true", "Yes", "null", "~", "", " ", "a b", "a: b", "# c", "it's", "say \"so\"",
        "both ' and \"", "back\\slash", "line\nbreak", "tab\tstop", "\u{2028}", "é", "🚢", "{x}", "[x]", "&a",
        "*a",
        "!t", "%d", "@x", "`x`", "2027-01-31", "0x10", "1e3", "...", "---", "\u{85}", "\u{7f}",
    ]) func `a label's value is read back whatever it is`(text: String) throws {
        let workload = Workload(name: ObjectName("w"), labels: ["label": text, text + "k": "x"])
        guard case .workload(let again)? = try decoded(Document.workload(workload).yaml).first else {
            throw PolicyError(.nowhere, "")
        }
        #expect(again.labels == workload.labels)
    }

    @Test(arguments: [
        "app == \"it's\"", "app in {'say \"so\"', \"x\"}", "!has(a) && (b == \"1\" || c != \"2\") && !(d contains \"x\")",
        "all()", "a starts with \"x\" || b ends with ''", "a in {}", "a not in {\"x\"}",
    ]) func `a selector is read back as the same expression`(text: String) throws {
        let yaml =
            "{apiVersion: bulkhead/v1, kind: Policy, metadata: {name: p}, spec: {subject: {selector: \"\(text.replacing("\"", with: "\\\""))\"}}}"
        guard case .policy(let policy)? = try decoded(yaml).first,
            case .policy(let again)? = try decoded(Document.policy(policy).yaml).first
        else { throw PolicyError(.nowhere, "") }
        #expect(again.subject == policy.subject)
    }

    @Test func `a selector with both kinds of quotes is written in the Kubernetes form`() throws {
        var policy = Policy(name: ObjectName("p"))
        let value = "it's \"so\""
        policy.subject.selector = Selector(
            .and([.equals("a", value), .isIn("b", [value]), .notIn("c", [value]), .has("d"), .not(.has("e"))]))
        guard case .policy(let again)? = try decoded(Document.policy(policy).yaml).first else { throw PolicyError(.nowhere, "") }
        #expect(again.subject == policy.subject)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (951_868_800, "2000-03-01T00:00:00Z"), (1_801_418_400, "2027-01-31T18:00:00Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ]) func `a point in time is written in UTC`(seconds: UInt64, text: String) {
        #expect(Timestamp.text(unixSeconds: seconds) == text)
        #expect(Timestamp.unixSeconds(text) == seconds)
    }

    @Test func `any second is read back`() {
        var second: UInt64 = 0
        while second < 10_000_000_000 {
            #expect(Timestamp.unixSeconds(Timestamp.text(unixSeconds: second)) == second)
            second += 9_999_991
        }
    }
}
