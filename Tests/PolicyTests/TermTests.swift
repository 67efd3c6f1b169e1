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
