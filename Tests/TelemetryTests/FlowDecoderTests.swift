// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import Telemetry
import Testing

private final class NoRules: NamedValues {
    func listed() -> [ListedRule] { [] }
    func held(of rule: Hits.Rule, in event: FlowEvent) -> HeldValues { HeldValues(values: nil) }
}

@Suite struct FlowDecoders {
    @Test func `numbers become names, and the monotonic clock the wall clock`() {
        let event = decoder().decode(
            record {
                $0.time = 2_000_000_000
                $0.firstSeen = 1_000_000_000
                $0.destinationZone = 1
                $0.port = 1
            }, wallOffset: 5_000_000_000)
        #expect(event.time.nanoseconds == 7_000_000_000)
        #expect(event.firstSeen.nanoseconds == 6_000_000_000)
        #expect(event.source == .init(workload: "shop/web-1", labels: ["app": "web", "tier": "front"], zone: "default"))
        #expect(event.destination == .init(workload: "shop/db-1", labels: ["app": "db"], zone: "lan"))
        #expect(event.pair == "edge" && event.port == "right")
    }

    @Test func `the cause is that of the first side that does not allow`() {
        #expect(event().cause?.side == .ingress)
        #expect(event().cause?.decision == .deny)
        #expect(event { $0.ingressRecord = 2 }.cause?.side == .ingress)
        #expect(event { $0.ingressRecord = FlowRecord.none32 }.cause?.side == .egress)
        #expect(event { ($0.egressRecord, $0.ingressRecord) = (FlowRecord.none32, FlowRecord.none32) }.cause == nil)
    }

    @Test func `what audit would have said is found beside the record`() {
        #expect(event { $0.ingressRecord = 2 }.audit?.decision == .deny)
        #expect(event().audit == nil)
    }

    @Test func `causes of the last eight generations can be resolved, older ones stay numbers`() {
        var decoder = FlowDecoder(pairs: [])
        for generation in UInt32(1)...9 { decoder.learn(names(generation: generation, epoch: generation)) }
        for generation in UInt32(2)...9 {
            let event = decoder.decode(record { ($0.generation, $0.epoch) = (generation, generation) }, wallOffset: 0)
            #expect(event.isGenerationKnown && event.cause != nil)
        }
        let old = decoder.decode(record { ($0.generation, $0.epoch) = (1, 1) }, wallOffset: 0)
        #expect(!old.isGenerationKnown && old.cause == nil)
        #expect(old.source == .init(workload: nil, zone: "0"))
    }

    @Test func `what the rules in force name is known as long as they are, whatever was refused behind them`() {
        var decoder = FlowDecoder(pairs: [])
        for generation in UInt32(1)...12 {
            var learned = names(generation: generation, epoch: generation)
            learned.named = NoRules()
            decoder.learn(learned)
            if generation == 1 { decoder.enter(generation) }
        }
        #expect((UInt32(1)...12).filter { decoder.named($0) != nil } == [1, 11, 12])
        #expect(decoder.decode(record { ($0.generation, $0.epoch) = (1, 1) }, wallOffset: 0).isGenerationKnown)
        decoder.enter(12)
        decoder.learn(names(generation: 13, epoch: 13))
        #expect(decoder.named(1) == nil)
    }

    @Test func `numbers beyond every table are shown as they are`() {
        let event = event {
            ($0.pair, $0.port, $0.sourceZone, $0.sourceWorkload, $0.ingressRecord) = (9, 8, 77, 1000, 1000)
            ($0.decision, $0.reason, $0.event) = (200, 63, 99)
        }
        #expect(event.pair == "9" && event.port == "8")
        #expect(event.source == .init(workload: nil, zone: "77"))
        #expect(event.decision == nil && event.reason == nil)
        #expect(FlowReport(event).event == "99" && FlowReport(event).decision == "200")
    }
}
