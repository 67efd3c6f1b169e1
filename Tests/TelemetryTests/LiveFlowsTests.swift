// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import Telemetry
import Testing

@Suite struct LiveFlowNames {
    /// What a worker tells of a flow later: addresses only.
    private func later(_ kind: FlowRecord.Event, source: UInt16 = 50_000) -> FlowEvent {
        event { record in
            (record.event, record.sourcePort) = (kind.rawValue, source)
            (record.sourceWorkload, record.destinationWorkload) = (FlowRecord.none32, FlowRecord.none32)
        }
    }

    @Test func `an interval and an end have the names that the flow began with, and then they are forgotten`() {
        var live = LiveFlows()
        _ = live.named(event { $0.sourceZone = 1 })
        for kind in [FlowRecord.Event.update, .end] {
            let named = live.named(later(kind))
            #expect(named.source == .init(workload: "shop/web-1", labels: ["app": "web", "tier": "front"], zone: "lan"))
            #expect(named.destination.workload == "shop/db-1")
        }
        #expect(live.count == 0)
        #expect(live.named(later(.end)).source.workload == nil)
    }

    @Test func `every flow that lives can be listed, also one that began before anybody looked, and a copy stays as it was`() {
        var live = LiveFlows()
        for port in 0..<300 as Range<UInt16> {
            _ = live.named(event { ($0.sourcePort, $0.port, $0.vlans) = (port, 1, VLANTags(12).word) })
        }
        _ = live.named(later(.update, source: 999))
        let copy = live
        for port in 0..<300 as Range<UInt16> {
            _ = live.named(
                event { record in
                    (record.event, record.sourcePort, record.vlans) = (FlowRecord.Event.end.rawValue, port, VLANTags(12).word)
                })
        }
        #expect(live.count == 1 && copy.count == 301)
        var (ports, named): (Set<UInt16>, Int) = ([], 0)
        copy.forEach { flow, record in
            ports.insert(record.sourcePort)
            named += flow.ends == nil ? 0 : 1
            #expect(record.sourcePort == 999 || record.port == 1 && record.vlans == VLANTags(12).word)
            #expect(copy.flow(record)?.ends?.source.workload == (record.sourcePort == 999 ? nil : "shop/web-1"))
        }
        #expect(ports.count == 301 && named == 300)
    }

    @Test func `another flow gets no names of this one`() {
        var live = LiveFlows()
        _ = live.named(event())
        #expect(live.named(later(.update, source: 50_001)).source.workload == nil)
    }

    @Test func `a change of names counts from then on`() {
        var live = LiveFlows()
        _ = live.named(event())
        _ = live.named(event { ($0.event, $0.sourceWorkload) = (FlowRecord.Event.change.rawValue, 1) })
        #expect(live.named(later(.end)).source.workload == "shop/db-1")
    }

    @Test func `no more flows are remembered than there is room for`() {
        var live = LiveFlows(capacity: 2)
        for port in 0..<5 as Range<UInt16> { _ = live.named(event { $0.sourcePort = port }) }
        #expect(live.count == 2)
        #expect(live.named(later(.end, source: 4)).source.workload == nil)
    }
}
