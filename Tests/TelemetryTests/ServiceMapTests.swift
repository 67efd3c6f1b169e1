// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Net
import Record
@testable import Telemetry
import Testing

/// A table of random connections among so many workloads.
private func table(workloads: Int, connections: Int, seed: UInt64) -> EdgeTable {
    let causes = CauseTable(generation: 1, causes: [], records: [])
    var decoder = FlowDecoder(pairs: [PairNames(name: "edge", ports: ["left", "right"])])
    decoder.learn(
        PublishedNames(
            generation: 1, epoch: 1, causes: causes, zones: ["default"],
            workloads: (0..<workloads).map { "shop/a-rather-long-name-of-a-workload-\($0)" },
            labels: (0..<workloads).map { ["app": "app-\($0 % 7)", "env": $0 % 2 == 0 ? "prod" : "test"] }))
    var (table, state) = (EdgeTable(), seed)
    func next(_ limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % limit
    }
    for _ in 0..<connections {
        var record = record()
        (record.generation, record.epoch) = (1, 1)
        (record.sourceWorkload, record.destinationWorkload) = (UInt32(next(workloads)), UInt32(next(workloads)))
        record.destinationPort = UInt16(next(3))
        record.decision = next(5) == 0 ? Decision.deny.rawValue : Decision.allow.rawValue
        table.add(decoder.decode(record, wallOffset: 0))
    }
    return table
}

@Suite struct ServiceMaps {
    @Test(arguments: [(1, 3), (50, 120), (50, 2000), (200, 400), (200, 5000)])
    func `no box touches another, each holds its name, and all lie in the picture`(workloads: Int, connections: Int) {
        let map = ServiceMap(table(workloads: workloads, connections: connections, seed: UInt64(workloads + connections)))
        let layout = ServiceMap.Layout(map)
        #expect(layout.boxes.count == map.nodes.count)
        for (number, box) in layout.boxes.enumerated() {
            #expect(box.width >= map.nodes[number].title.count * ServiceMap.Layout.sign)
            #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= layout.width && box.y + box.height <= layout.height)
            for other in layout.boxes[(number + 1)...] {
                let isApart =
                    box.x + box.width <= other.x || other.x + other.width <= box.x || box.y + box.height <= other.y
                    || other.y + other.height <= box.y
                #expect(isApart)
            }
        }
    }

    @Test func `a chain goes from left to right`() {
        var map = ServiceMap(EdgeTable())
        map.nodes = ["c", "a", "b"].map { .init(name: $0, kind: "workload", members: 1) }
        map.links = [.init(source: "a", destination: "b", services: []), .init(source: "b", destination: "c", services: [])]
        let boxes = ServiceMap.Layout(map).boxes
        #expect(boxes[1].x < boxes[2].x && boxes[2].x < boxes[0].x)
    }

    @Test func `a ring has a picture too`() {
        var map = ServiceMap(EdgeTable())
        map.nodes = ["a", "b", "c"].map { .init(name: $0, kind: "workload", members: 1) }
        map.links = [("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")].map { .init(source: $0, destination: $1, services: []) }
        #expect(Set(ServiceMap.Layout(map).boxes.map(\.x)).count == 3)
    }

    @Test func `groups take together what has the same labels, and keep every connection`() {
        let table = table(workloads: 50, connections: 1000, seed: 7)
        let map = ServiceMap(table, by: ["env"])
        #expect(map.nodes.map(\.name) == ["env=prod", "env=test"])
        #expect(map.nodes.map(\.members) == [25, 25])
        #expect(map.links.reduce(0) { $0 + $1.connections } == 1000)
        let each = ServiceMap(table)
        #expect(each.nodes.count == 50)
        #expect(each.links.reduce(0) { $0 + $1.connections } == 1000)
    }

    @Test func `names cannot leave their place in the picture or in DOT`() {
        var map = ServiceMap(EdgeTable())
        map.nodes = [.init(name: "a\"]; x -> y [label=\"<b>&\u{1b}[31m", kind: "workload", members: 1)]
        #expect(!map.svg.contains("<b>") && !map.svg.contains("\u{1b}"))
        #expect(map.svg.contains("&lt;b&gt;&amp;"))
        #expect(map.dot.contains(#"\"]; x -> y [label=\"<b>"#))
    }

    @Test func `the map survives JSON`() throws {
        let map = ServiceMap(table(workloads: 20, connections: 60, seed: 3))
        #expect(try JSONDecoder().decode(ServiceMap.self, from: JSONEncoder().encode(map)) == map)
    }
}
