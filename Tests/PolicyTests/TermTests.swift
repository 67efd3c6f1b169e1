// SPDX-License-Identifier: Apache-2.0
import Net
import Policy
import Testing

private func candidate(_ labels: [String: String]?, namespace: String? = "a", address: String = "10.0.0.1") throws
    -> Term.Candidate
{
    let workload = labels.map { Workload(name: ObjectName("w", namespace: namespace), labels: $0, serviceAccount: "x") }
    let namespaceLabels = workload?.name.namespace.map { ["team": $0] }
    return Term.Candidate(
        workload: workload, namespaceLabels: namespaceLabels, address: try #require(Address(address)), zone: "lan")
}

private func selector(_ expression: Selector.Expression) -> Selector { Selector(expression, text: "…") }

private let absentLabel: [(Selector.Expression, Bool)] = [
    (Selector.Expression.notEquals("x", "1"), true), (.notIn("x", ["1"]), true), (.contains("x", "1"), false),
    (.startsWith("x", "1"), false), (.endsWith("x", "1"), false), (.equals("x", ""), false), (.isIn("x", [""]), false),
    (.not(.has("x")), true), (.has("x"), false), (.all, true), (.and([]), true), (.or([]), false),
]

@Suite struct Selectors {
    @Test(arguments: absentLabel) func `a label that is absent equals nothing and is in no set`(
        expression: Selector.Expression, matches: Bool
    ) {
        #expect(expression.matches(["y": "1"]) == matches)
    }

    @Test func `text operators look at the value`() {
        let labels = ["app": "web-front"]
        #expect(Selector.Expression.contains("app", "b-f").matches(labels))
        #expect(Selector.Expression.contains("app", "").matches(labels))
        #expect(!Selector.Expression.contains("app", "web-front-1").matches(labels))
        #expect(Selector.Expression.startsWith("app", "web").matches(labels))
        #expect(Selector.Expression.endsWith("app", "front").matches(labels))
        #expect(!Selector.Expression.endsWith("app", "fronT").matches(labels))
    }

    @Test func `a required label is found for the index`() {
        let expression = Selector.Expression.and([.has("x"), .isIn("app", ["web", "db"])])
        #expect(expression.required?.key == "app" && expression.required?.values == ["web", "db"])
        #expect(Selector.Expression.or([.equals("app", "web"), .all]).required == nil)
        #expect(Selector.Expression.not(.equals("app", "web")).required == nil)
    }
}

@Suite struct Terms {
    @Test func `a selector alone speaks of the policy's own namespace`() throws {
        var term = Term()
        term.selector = selector(.all)
        #expect(term.matches(try candidate([:]), scope: "a"))
        #expect(!term.matches(try candidate([:], namespace: "b"), scope: "a"))
        #expect(!term.matches(try candidate([:], namespace: nil), scope: "a"))
        #expect(term.matches(try candidate([:], namespace: nil), scope: nil))
        #expect(!term.matches(try candidate(nil), scope: nil), "what no workload claims is never selected")
    }

    @Test func `a namespace selector takes the place of the policy's namespace`() throws {
        var term = Term()
        term.namespaceSelector = selector(.equals("team", "b"))
        #expect(term.matches(try candidate([:], namespace: "b"), scope: "a"))
        #expect(!term.matches(try candidate([:], namespace: "a"), scope: "a"))
        #expect(!term.matches(try candidate([:], namespace: nil), scope: "a"))
        term.namespaceSelector = selector(.global)
        #expect(term.matches(try candidate([:], namespace: nil), scope: "a"))
        #expect(!term.matches(try candidate([:], namespace: "b"), scope: "a"))
    }

    @Test func `a negated selector matches everything else, also outside`() throws {
        var term = Term()
        term.notSelector = selector(.has("ok"))
        #expect(term.matches(try candidate(nil), scope: nil))
        #expect(term.matches(try candidate([:]), scope: nil))
        #expect(!term.matches(try candidate(["ok": ""]), scope: nil))
        #expect(term.matches(try candidate(["ok": ""], namespace: "b"), scope: "a"), "another namespace's workload is not meant")
    }

    @Test func `fields are a conjunction, lists a choice, and an empty list matches nothing`() throws {
        var term = Term()
        #expect(term.matches(try candidate(nil), scope: "a"))
        term.cidrs = try ["10.0.0.0/8", "fd00::/8"].map { try #require(Prefix($0)) }
        #expect(term.matches(try candidate([:]), scope: "a"), "CIDRs match workloads too")
        term.entities = [.outside]
        #expect(!term.matches(try candidate([:]), scope: "a"))
        #expect(term.matches(try candidate(nil), scope: "a"))
        term.notCIDRs = [try #require(Prefix("10.0.0.0/24"))]
        #expect(!term.matches(try candidate(nil), scope: "a"))
        #expect(term.matches(try candidate(nil, address: "10.0.1.1"), scope: "a"))
        term.zones = ["wan"]
        #expect(term.failures(of: try candidate(nil, address: "10.0.1.1"), scope: "a") == ["zones: [wan]"])
        for path in [\Term.zones, \Term.serviceAccounts] {
            var nothing = Term()
            nothing[keyPath: path] = []
            #expect(!nothing.matches(try candidate([:]), scope: nil))
        }
    }
}

private let times: [(String, UInt64?)] = [
    ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00Z", 951_825_600),
    ("2026-11-21T03:00:00.25+01:00", 1_795_226_400),
    ("2027-01-31t18:00:00z", 1_801_418_400), ("2016-12-31T23:59:60Z", 1_483_228_800),
    ("9999-12-31T23:59:59Z", 253_402_300_799),
    ("1969-12-31T23:59:59Z", nil), ("2027-02-29T00:00:00Z", nil), ("2100-02-29T00:00:00Z", nil),
    ("2027-13-01T00:00:00Z", nil),
    ("2027-01-01T24:00:00Z", nil), ("2027-01-01T00:00:00", nil), ("2027-01-01", nil), ("2027-01-01T00:00:00.Z", nil),
    ("2027-01-01T00:00:00+1:00", nil), ("", nil), ("2027-01-01T00:00:00ZZ", nil),
]

@Suite struct Times {
    @Test(arguments: times) func `a time is unix seconds or nothing`(text: String, seconds: UInt64?) {
        #expect(Timestamp.unixSeconds(text) == seconds)
    }
}

@Suite struct Spellings {
    @Test func `the nearest known word is suggested, and nothing far`() {
        #expect(Spelling.remedy("selectr", among: ["selector", "services"]) == "did you mean \"selector\"?")
        #expect(Spelling.remedy("form", among: ["from", "to"]) == "did you mean \"from\"?")
        #expect(Spelling.remedy("colour", among: ["from", "to"]) == nil)
        #expect(Spelling.remedy("x", among: ["to"]) == nil)
    }
}
