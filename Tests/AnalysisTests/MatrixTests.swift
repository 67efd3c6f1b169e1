// SPDX-License-Identifier: Apache-2.0
import Analysis
import Compiler
import Foundation
import Net
import Policy
import PolicyText
import TestSupport
import Testing

@Suite struct Matrices {
    @Test func `a table says who may talk to whom`() throws {
        #expect(
            try Matrix(try view(sample), at: 0).text() == """
                            shop/db-1  shop/web-1  outside
                shop/db-1   .          -           -
                shop/web-1  tcp/5432   .           -
                outside     -          -           -

                rows open connections to columns; - nothing, . no such connection, ~ not for all, * not seen and so
                  not enforced here
                """)
    }

    @Test func `labels stand for workloads, and what is not the same for all is mixed`() throws {
        let two =
            sample + "\n---\napiVersion: bulkhead/v1\nkind: Workload\n"
            + "metadata: {name: db-2, namespace: shop, labels: {app: db}}\nspec: {addresses: [10.9.0.22]}\n"
        let matrix = try Matrix(try view(two), by: "app", at: 0)
        #expect(matrix.names == ["db", "web", "outside"])
        let entry = matrix.entries[1][0]
        #expect(entry.extent == .mixed && entry.services.map(\.text) == ["tcp/5432"])
        #expect(matrix.csv.split(separator: "\n")[4] == "web,db,mixed,tcp/5432,yes")
    }

    @Test func `what the appliance never sees is marked`() throws {
        let matrix = try Matrix(
            try view(
                sample.replacing("spec: {addresses: [10.9.0.21]", with: "spec: {zones: [lan], addresses: [10.9.0.21]"),
                zones: [ZonePlacement(zone: "lan", pair: 0, port: 0)]), at: 0)
        let (web, db) = (
            try #require(matrix.names.firstIndex(of: "shop/web-1")), try #require(matrix.names.firstIndex(of: "shop/db-1"))
        )
        #expect(matrix.entries[web][db].isUnseen)
        #expect(matrix.text().contains("tcp/5432*") && matrix.csv.contains("shop/web-1,shop/db-1,some,tcp/5432,no"))
    }

    @Test func `the picture is XML, and no name leaves its place`() throws {
        let long = String(repeating: "w", count: 60)
        let text = sample.replacing("name: web-1", with: "name: \(long)")
        let svg = try Matrix(try view(text), at: 0).svg
        #expect(XMLReader.isWellFormed(svg))
        // Every sign is at most 8 wide, so that the longest name ends before the squares begin and begins inside the picture.
        let first = try #require(svg.firstMatch(of: /<rect x="(\d+)" y="(\d+)" width="24"/))
        #expect(Int(first.1) == (long.count + "shop/".count) * 8 + 24 && first.1 == first.2)
        #expect(svg.contains("<title>shop/\(long) -&gt; shop/db-1: some: tcp/5432</title>"))
    }

    @Test func `a cell agrees with every connection behind it`() throws {
        var sets = RandomSets(seed: Seeded.seed())
        for _ in 0..<30 {
            guard let set = try? PolicySet(sets.documents()) else { continue }
            let view = try PolicyView(set: set)
            let (matrix, reference) = (try Matrix(view, at: 0), Reference(view.set))
            for _ in 0..<60 {
                var connection = sets.connection()
                connection.time = 0
                if !set.hasZones { (connection.source.zone, connection.destination.zone) = ("default", "default") }
                let ends = [connection.source, connection.destination]
                guard ends[0].address.isIPv4 == ends[1].address.isIPv4, ends[0].address != ends[1].address else { continue }
                // Who would be spoofed is in no row and no column.
                guard !ends.contains(where: reference.isElsewhere) else { continue }
                let names = ends.map { reference.owner(of: $0.address, zone: $0.zone)?.name.description ?? "outside" }
                guard names[0] != names[1] || names[0] == "outside", let row = matrix.names.firstIndex(of: names[0]),
                    let column = matrix.names.firstIndex(of: names[1])
                else { continue }
                let (entry, decision) = (matrix.entries[row][column], reference.judge(connection).decision)
                let isNamed = entry.services.contains {
                    $0.first <= connection.service.rawValue && connection.service.rawValue <= $0.last
                        && $0.sourcePorts.contains(connection.sourcePort)
                }
                switch entry.extent {
                case .all: #expect(decision == .allow, "\(connection.line)")
                case .none: #expect(decision != .allow, "\(connection.line)")
                case .some: #expect((decision == .allow) == isNamed, "\(connection.line)")
                case .mixed: #expect(decision != .allow || isNamed, "\(connection.line)")
                case .itself: Issue.record("\(connection.line) is told not to exist")
                }
            }
        }
    }
}

/// Reads XML as far as a test must: every tag is closed, in order.
enum XMLReader {
    static func isWellFormed(_ text: String) -> Bool {
        var open: [Substring] = []
        for tag in text.matches(of: /<(\/?)([a-z]+)([^<>]*?)(\/?)>/) {
            if !tag.1.isEmpty {
                guard open.popLast() == tag.2 else { return false }
            } else if tag.4.isEmpty {
                open.append(tag.2)
            }
        }
        return open.isEmpty && !text.replacing(/<[^<>]*>/, with: "").contains { $0 == "<" || $0 == ">" }
    }
}
