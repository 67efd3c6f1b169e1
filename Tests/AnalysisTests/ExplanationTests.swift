// SPDX-License-Identifier: Apache-2.0
import Analysis
import Compiler
import Foundation
import Net
import Policy
import PolicyText
import Record
import TestSupport
import Testing

@Suite struct Explanations {
    private let time: UInt64 = 1_800_000_000

    @Test func `an allowed connection names the rules of both sides with their places`() throws {
        let told = try view(sample).explain(from: "shop/web-1", to: "db-1", service: "sql", at: time)
        #expect(
            told.text() == """
                shop/web-1 (10.9.0.11) -> shop/db-1 (10.9.0.21), tcp/5432, at 2027-01-15T08:00:00Z
                allow

                egress of shop/web-1: allow
                  layer zone: nothing applies
                  layer network: allow
                    tier default: decided, allow by policy shop/web rule 1 (sample.yaml:28:7)
                  layer mesh: nothing applies

                ingress of shop/db-1: allow
                  layer zone: nothing applies
                  layer network: allow
                    tier default: decided, allow by policy shop/db rule sql-from-web (sample.yaml:20:7)
                  layer mesh: nothing applies

                zones: default -> default
                sight: the appliance sees this traffic
                """)
    }

    @Test func `a denial by default names what isolates, and the nearest rules with what failed`() throws {
        let told = try view(sample).explain(from: "10.9.0.30", to: "shop/db-1", service: "tcp/5432", at: time)
        #expect(told.decision == .deny && told.sides.count == 1)
        let text = told.text(Style(width: 200))
        #expect(text.contains("tier default: isolated by policy shop/db (sample.yaml:11:1), and its end says deny"))
        #expect(text.contains(#"nearest: policy shop/db rule sql-from-web, not because of from selector: app == "web""#))
    }

    @Test func `what lies in one zone behind one port is never seen`() throws {
        let told = try view(sample, zones: [ZonePlacement(zone: "lan", pair: 0, port: 0)])
            .explain(from: "shop/web-1", to: "10.9.0.21", service: "tcp/5432", zoneTo: "lan", at: time)
        #expect(told.sight == .never("both ends lie in zone lan, behind the same port"))
        #expect(told.text().contains("not enforced here: both ends lie in zone lan"))
    }

    @Test func `neither end a workload is the zones' matter`() throws {
        let told = try view(sample).explain(from: "192.0.2.1", to: "192.0.2.2", service: "47", at: time)
        #expect(told.settled == "neither end is a workload: unjudged traffic from zone default to zone default gets deny")
        #expect(told.sides.isEmpty && told.decision == .deny && told.service == "47")
    }

    @Test(arguments: [
        ("web", "shop/db-1", "tcp/1", #""from" is no address and no workload: "web"; did you mean "shop/web-1"?"#),
        (
            "web-1", "db-1", "tcp",
            #""tcp" is more than one service: name one port, as tcp/443, or one type and code, as icmp/8.0"#
        ),
        ("web-1", "db-1", "sq", #""sq" is no service and no service of "shop/db-1": write tcp/443"#),
    ]) func `what is no question is refused`(from: String, to: String, service: String, message: String) throws {
        let view = try view(sample)
        let error = try #require(throws: QuestionError.self) { try view.explain(from: from, to: to, service: service, at: time) }
        #expect(error.description.hasPrefix(message) || from == "web")
    }

    @Test func `the explanation is one document of JSON`() throws {
        let told = try view(sample).explain(from: "web-1", to: "db-1", service: "icmp", at: time)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(told.json.utf8)) as? [String: Any])
        #expect(json["decision"] as? String == "deny" && json["service"] as? String == "icmp/8.0")
        #expect((json["sides"] as? [[String: Any]])?.count == 2)
    }

    @Test func `the way that is told leads to the decision that the snapshot gives`() throws {
        var sets = RandomSets(seed: Seeded.seed())
        for _ in 0..<30 {
            let documents = sets.documents()
            for line in try check(documents, &sets) { Issue.record("\(line)") }
        }
    }

    @Test func `a way of another set is found to lead elsewhere`() throws {
        var sets = RandomSets(seed: Seeded.seed())
        var found = 0
        for _ in 0..<200 where found == 0 {
            let documents = sets.documents()
            // A set that has lost its last document, most often a policy.
            found += try check(documents, &sets) { $0.dropLast() }.count
        }
        #expect(found > 0)
    }

    /// Explains sixty connections and holds what is told to the reference: what is not as that says. `told` makes the documents that are
    /// explained. Nothing where one of both is no set.
    private func check(
        _ documents: [Document], _ sets: inout RandomSets, told: ([Document]) -> [Document] = { $0 }
    ) throws -> [String] {
        guard let set = try? PolicySet(documents), let other = try? PolicySet(told(documents)) else { return [] }
        let (view, reference) = (try PolicyView(set: other), Reference(set))
        var faults: [String] = []
        for _ in 0..<60 {
            var connection = sets.connection()
            if !set.hasZones { connection.source.zone = "default"; connection.destination.zone = "default" }
            guard connection.source.address.isIPv4 == connection.destination.address.isIPv4 else { continue }
            let told = try view.explain(
                from: "\(connection.source.address)", to: "\(connection.destination.address)",
                service: ServiceSpan(question: connection.service).text, zoneFrom: connection.source.zone,
                zoneTo: connection.destination.zone, sourcePort: connection.sourcePort, at: connection.time)
            let answer = reference.judge(connection)
            var holds = told.decision == answer.decision && (told.reason == "spoofed") == answer.isSpoofed
            for side in told.sides where side.failsafe == nil { holds = holds && agrees(side, answer) }
            if !holds { faults.append("\(connection.line)\n\(told.text())") }
        }
        return faults
    }

    /// Whether a side that is told ends as the reference says.
    private func agrees(_ side: Explanation.Side, _ answer: Reference.Answer) -> Bool {
        let cause = side.side == "egress" ? answer.egress : answer.ingress
        let layer = side.layers.first { $0.decision != nil && $0.decision != .allow } ?? side.layers.last { $0.decision != nil }
        let rule = layer?.steps.last?.act == "decided" ? layer?.steps.last?.rule : nil
        return layer?.decision == side.decision && side.decision == cause?.decision
            && layer?.end == cause?.deciding?.end?.rawValue
            && rule?.rule == cause?.deciding?.rule && rule?.policy == cause?.deciding?.policy
    }
}

extension ServiceSpan {
    /// One service, as a question names it.
    init(question service: ServiceKey) {
        let isWhole = service.rawValue & 0xffff == 0 && service.rawValue >> 16 == 50
        self.init(first: service.rawValue, last: isWhole ? service.rawValue | 0xffff : service.rawValue, sourcePorts: 0...65535)
    }
}
