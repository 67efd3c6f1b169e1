// SPDX-License-Identifier: Apache-2.0
import Analysis
import Foundation
import Policy
import PolicyText
import Testing

@Suite struct Trials {
    private func trials(_ expectations: String..., head: String = "") throws -> [Trial] {
        let text = """
            apiVersion: bulkhead/v1
            kind: PolicyTest
            metadata: {name: shop, namespace: shop}
            spec:
              names: {web: {selector: 'app == "web"'}, office: {cidrs: [10.9.1.0/24]}}
              \(head)
              expect:
            \(expectations.map { "    - \($0)" }.joined(separator: "\n"))
            """
        let view = try view(sample)
        return try Loader.tests(in: text, file: "test.yaml").map { Trial($0, of: view, now: 1_800_000_000) }
    }

    @Test(arguments: [
        "web can reach db-1 on sql", "web can reach db-1 on tcp/5432", "web cannot reach db-1 on tcp/1-5431, udp, icmp",
        "office cannot reach any on any", "10.9.0.11 can reach 10.9.0.21 on sql", "outside cannot reach outside on any",
        "db-1 cannot reach web on any", "shop/web-1 can reach shop/db-1 on tcp/5432",
    ]) func `a sentence that is true holds`(text: String) throws {
        let trial = try trials(text)[0]
        #expect(trial.failures == 0, "\(trial.findings)")
    }

    @Test(arguments: [
        ("web can reach db-1 on tcp", "shop/web-1 (10.9.0.11) -> shop/db-1 (10.9.0.21) tcp/0-5431: deny, by default (egress)"),
        (
            "any cannot reach db-1 on sql",
            "shop/web-1 (10.9.0.11) -> shop/db-1 (10.9.0.21) tcp/5432: allow, by policy shop/db rule sql-from-web (ingress)"
        ),
        ("nobody can reach web on any", #""nobody" is no name of this test, no workload, no address, no zone and no entity"#),
        (
            "wbe can reach db-1 on any",
            #""wbe" is no name of this test, no workload, no address, no zone and no entity; did you mean "web"?"#
        ),
        ("web can reach web on any", "there is no connection to ask about: both ends are one workload, or of two families"),
        ("web can reach db-1 on sq/1", #""sq/1" is no service"#),
    ]) func `a sentence that is false says which connection shows it`(text: String, failure: String) throws {
        let found = try #require(try trials(text)[0].findings[0].failure)
        #expect(found.hasPrefix(failure), "\(found)")
    }

    @Test(arguments: [
        ("web may reach db-1 on sql", #"test.yaml:8:7: "web may reach db-1 on sql" is no expectation"#),
        (
            "web can reach db-1 on sql http",
            #"test.yaml:8:7: the services of "web can reach db-1 on sql http" are not understood"#
        ),
    ]) func `a sentence that is none is refused with its place`(text: String, message: String) throws {
        let error = try #require(throws: PolicyError.self) { try trials(text) }
        #expect(error.description.hasPrefix(message))
    }

    @Test func `other keys and other kinds are refused`() throws {
        #expect(throws: PolicyError.self) { try trials("web can reach db-1 on sql", head: "nmaes: {}") }
        #expect(throws: PolicyError.self) { try Loader.tests(in: sample, file: "sample.yaml") }
    }

    @Test func `the outcome is JUnit XML that reads back`() throws {
        let trials = try trials("web can reach db-1 on sql", "web can reach db-1 on tcp/80", "'\"<& can reach web on any'")
        let xml = TrialReport.junit(trials)
        #expect(xml.contains(#"<testsuites name="bulkhead policy test" tests="3" failures="1" errors="1">"#))
        #expect(xml.contains(#"name="&quot;&lt;&amp; can reach web on any""#))
        #expect(
            xml.contains(
                "<failure message=\"shop/web-1 (10.9.0.11) -&gt; shop/db-1 (10.9.0.21) tcp/80: deny, by default (egress)\"/>"))
        let json = try #require(try JSONSerialization.jsonObject(with: Data(TrialReport.json(trials).utf8)) as? [String: Any])
        #expect(json["passed"] as? Int == 1 && json["failed"] as? Int == 2)
        #expect(
            TrialReport.text(trials).hasPrefix(
                "shop/shop: 1 of 3 expectations hold\n  false: web can reach db-1 on tcp/80 (test.yaml:9:7)"))
    }
}
