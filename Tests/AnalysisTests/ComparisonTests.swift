// SPDX-License-Identifier: Apache-2.0
import Analysis
import Compiler
import Net
import Policy
import PolicyText
import TestSupport
import Testing

/// A set from a text, compiled and loaded.
func view(_ text: String, zones: [ZonePlacement] = []) throws -> PolicyView {
    try PolicyView(set: try PolicySet(try decode(text, file: "sample.yaml")), zones: zones)
}

@Suite struct Comparisons {
    private func boxes(_ old: String, _ new: String, at time: UInt64 = 0) throws -> [String] {
        Comparison(old: try view(old), new: try view(new), at: time).boxes.map(\.line)
    }

    @Test func `a set is proved equal to itself`() throws {
        let comparison = Comparison(old: try view(sample), new: try view(sample), at: 0)
        #expect(comparison.isProvedEqual)
    }

    @Test func `a wider service is one box, told by labels`() throws {
        let wider = sample.replacing("services: [sql]}", with: "services: [sql, tcp/22]}")
            .replacing("services: [tcp/5432]", with: "services: [tcp/22, tcp/5432]")
        #expect(try boxes(sample, wider) == ["shop/web-1 -> shop/db-1 tcp/22: deny -> allow"])
        #expect(try boxes(wider, sample) == ["shop/web-1 -> shop/db-1 tcp/22: allow -> deny"])
    }

    @Test func `one side alone opens nothing`() throws {
        #expect(try boxes(sample, sample.replacing("services: [sql]}", with: "services: [sql, tcp/22]}")) == [])
    }

    @Test func `another order of documents, names and texts is equal`() throws {
        let other = sample.replacing("name: sql-from-web, ", with: "").replacing("'app == \"web\"'", with: "'app in {\"web\"}'")
        #expect(Comparison(old: try view(sample), new: try view(other), at: 0).isProvedEqual)
    }

    @Test func `what expires differs from its second on`() throws {
        let temporary = sample.replacing("services: [sql]}", with: "services: [sql], expires: 2027-01-31T18:00:00Z}")
        let time = try #require(Timestamp.unixSeconds("2027-01-31T18:00:00Z"))
        #expect(try boxes(sample, temporary, at: time - 1) == [])
        #expect(try boxes(sample, temporary, at: time) == ["shop/web-1 -> shop/db-1 tcp/5432: allow -> deny"])
    }

    @Test func `a workload that is taken apart is no longer one with itself`() throws {
        let together = "apiVersion: bulkhead/v1\nkind: Workload\nmetadata: {name: w}\nspec: {addresses: [10.0.0.1, 10.0.0.2]}\n"
        let apart =
            together.replacing(", 10.0.0.2", with: "") + "---\n"
            + together.replacing("name: w", with: "name: v").replacing("10.0.0.1, ", with: "")
        #expect(try boxes(together, apart) == ["v -> w any: allow -> deny", "w -> v any: allow -> deny"])
    }

    @Test func `a workload that is no longer there is told by its name`() throws {
        let gone = sample.replacing("10.9.0.11, ", with: "")
        #expect(try boxes(sample, gone) == ["shop/web-1 (gone) -> shop/db-1 tcp/5432: allow -> deny"])
    }

    @Test func `a budget that is spent proves nothing`() throws {
        let comparison = Comparison(old: try view(sample), new: try view(sample), at: 0, budget: Budget(steps: 1))
        #expect(!comparison.isComplete && !comparison.isProvedEqual)
    }

    @Test func `inside the boxes both sets differ as they say, outside they agree`() throws {
        var sets = RandomSets(seed: Seeded.seed())
        var inside = 0
        for _ in 0..<30 {
            let documents = sets.documents()
            guard let checked = try check(documents, sets.changed(documents), &sets) else { continue }
            inside += checked.inside
            for line in checked.faults { Issue.record("\(line)") }
        }
        #expect(inside > 30)
    }

    @Test func `boxes of another set are found to say what is not so`() throws {
        var sets = RandomSets(seed: Seeded.seed())
        var found = 0
        for _ in 0..<200 where found == 0 {
            let documents = sets.documents()
            // Compared as if nothing had changed, which is almost right.
            found += try check(documents, sets.changed(documents), &sets) { old, _ in (old, old) }?.faults.count ?? 0
        }
        #expect(found > 0)
    }

    /// Holds the boxes of a comparison to the references of both sets: how many connections of 360 lie in one, and what is not as the
    /// boxes say. `given` is what the comparison is made of. `nil` where one of both is no set.
    private func check(
        _ documents: [Document], _ others: [Document], _ sets: inout RandomSets,
        given: (PolicyView, PolicyView) -> (PolicyView, PolicyView) = { ($0, $1) }
    ) throws -> (inside: Int, faults: [String])? {
        guard let before = try? PolicySet(documents), let after = try? PolicySet(others) else { return nil }
        let (old, new) = (try PolicyView(set: before), try PolicyView(set: after))
        let references = [Reference(old.set), Reference(new.set)]
        var (inside, faults): (Int, [String]) = (0, [])
        for time in [UInt64(0), 4, 9] {
            let compared = given(old, new)
            let comparison = Comparison(old: compared.0, new: compared.1, at: time)
            #expect(comparison.isComplete)
            for _ in 0..<120 {
                var connection = sets.connection()
                connection.time = time
                if !old.set.hasZones, !new.set.hasZones {
                    connection.source.zone = "default"; connection.destination.zone = "default"
                }
                let ends = [connection.source.address, connection.destination.address]
                guard ends[0] != ends[1], ends[0].isIPv4 == ends[1].isIPv4 else { continue }
                // A box says nothing of a workload with itself.
                let owners = references.map { reference in
                    [connection.source, connection.destination].map { reference.owner(of: $0.address, zone: $0.zone)?.name }
                }
                guard !owners.allSatisfy({ $0[0] != nil && $0[0] == $0[1] }) else { continue }
                let decisions = references.map { $0.judge(connection).decision }
                let found = comparison.boxes.filter { $0.holds(connection, new.set, references[1]) }
                let isDifferent = decisions[0] != decisions[1]
                inside += isDifferent ? 1 : 0
                let holds =
                    isDifferent ? found.count == 1 && found[0].old == decisions[0] && found[0].new == decisions[1] : found.isEmpty
                if !holds { faults.append("\(connection.line) \(decisions) \(found.map(\.line))") }
            }
        }
        return (inside, faults)
    }
}

extension Comparison.Box {
    /// The box on one line.
    var line: String {
        "\(sources.text) -> \(destinations.text) \(services.map(\.text).joined(separator: ", ")): \(old) -> \(new)"
    }

    /// Whether a connection lies in the box, by its lists.
    func holds(_ connection: Reference.Connection, _ set: PolicySet, _ reference: Reference) -> Bool {
        func holds(_ party: Party, _ end: Reference.End) -> Bool {
            let owner = reference.owner(of: end.address, zone: end.zone)
            if let owner, party.workloads.contains(owner.name.description) { return true }
            let isInZone = party.zones.isEmpty || party.zones.contains(end.zone)
            return isInZone
                && party.addresses.contains { text in
                    let ends = text.split(separator: "-").compactMap { Address(String($0)) }
                    guard ends.count == 2 else { return Prefix(text)?.contains(end.address) ?? false }
                    return ends[0].isIPv4 == end.address.isIPv4 && !(end.address < ends[0]) && !(ends[1] < end.address)
                }
        }
        return holds(sources, connection.source) && holds(destinations, connection.destination)
            && services.contains { span in
                span.first <= connection.service.rawValue && connection.service.rawValue <= span.last
                    && span.sourcePorts.contains(connection.sourcePort)
            }
    }
}

extension Reference.Connection {
    /// A connection in one line, for a failing test.
    var line: String {
        "\(source.address)@\(source.zone) -> \(destination.address)@\(destination.zone) "
            + "\(service.rawValue >> 16)/\(service.rawValue & 0xffff) at \(time)"
    }
}
