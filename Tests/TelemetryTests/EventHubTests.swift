// SPDX-License-Identifier: Apache-2.0
import Record
import Telemetry
import Testing

@Suite struct EventHubs {
    private func events(_ ports: Range<UInt16>) -> [FlowEvent] { ports.map { port in event { $0.sourcePort = port } } }

    private func ports(_ events: [FlowEvent]) -> [UInt16] { events.map(\.record.sourcePort) }

    @Test func `the most recent events are kept, oldest first`() {
        let hub = EventHub(capacity: 10)
        hub.publish(events(0..<4))
        #expect(ports(hub.recent(limit: 100)) == [0, 1, 2, 3])
        hub.publish(events(4..<25))
        #expect(ports(hub.recent(limit: 100)) == Array(15..<25))
        #expect(ports(hub.recent(limit: 3)) == [22, 23, 24])
        #expect(ports(hub.recent(limit: 3) { $0.record.sourcePort < 18 }) == [15, 16, 17])
    }

    @Test func `a slow subscriber loses events and is told how many, where they are missing`() async {
        let hub = EventHub(queue: 4)
        let slow = hub.subscribe()!
        hub.publish(events(0..<10))
        var iterator = slow.deliveries.makeAsyncIterator()
        for expected in UInt16(0)..<4 {
            guard case .event(let event) = await iterator.next() else { return #expect(Bool(false), "an event is missing") }
            #expect(event.record.sourcePort == expected)
        }
        hub.publish(events(10..<11))
        guard case .lost(let count) = await iterator.next() else { return #expect(Bool(false), "the loss is not told") }
        #expect(count == 6)
        guard case .event(let event) = await iterator.next() else { return #expect(Bool(false), "the next event is missing") }
        #expect(event.record.sourcePort == 10)
        #expect(hub.counts.published == 11 && hub.counts.undelivered == 6 && hub.counts.lost == 0)
    }

    @Test func `a count of losses that makes no sense stops nobody`() {
        let (hub, observations) = (EventHub(queue: 1), Observations(store: nil))
        let slow = hub.subscribe()
        for _ in 0..<2 {
            hub.lose(.max)
            hub.publish(events(0..<4))
            observations.take([], lost: .max)
        }
        observations.close()
        #expect(hub.counts.published == 8 && slow != nil)
    }

    @Test func `a slow subscriber costs a quick one nothing`() async {
        let hub = EventHub(queue: 8)
        let (slow, quick) = (hub.subscribe()!, hub.subscribe()!)
        var iterator = quick.deliveries.makeAsyncIterator()
        for port in UInt16(0)..<100 {
            hub.publish(events(port..<port + 1))
            guard case .event(let event) = await iterator.next() else { return #expect(Bool(false), "an event is missing") }
            #expect(event.record.sourcePort == port)
        }
        slow.cancel()
    }

    @Test func `closing ends every stream behind its last event, and refuses new ones`() async {
        let hub = EventHub()
        let subscription = hub.subscribe()!
        hub.publish(events(0..<2))
        hub.close()
        var seen = 0
        for await _ in subscription.deliveries { seen += 1 }
        #expect(seen == 2)
        #expect(hub.subscribe() == nil)
        #expect(hub.subscriberCount == 0)
    }

    @Test func `only so many may follow at once, and a cancelled one makes room`() {
        let hub = EventHub(subscribers: 2)
        let first = hub.subscribe()!
        let second = hub.subscribe()!
        #expect(hub.subscribe() == nil)
        first.cancel()
        let third = hub.subscribe()
        #expect(third != nil)
        second.cancel()
    }
}
