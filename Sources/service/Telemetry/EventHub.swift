// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Where flow events wait for whoever wants them: the most recent ones in a bounded ring, and a bounded queue for each subscriber.
///
/// Publishing never waits. A subscriber that does not keep up loses events; how many is counted and told in its own stream, in the
/// place where they are missing, before the next event that it gets.
public final class EventHub: Sendable {
    /// What a subscriber gets.
    public enum Delivery: Sendable {
        /// An event.
        case event(FlowEvent)
        /// So many events were lost here.
        case lost(UInt64)
        /// Nothing happened for a while; sent by `Subscription.beat`.
        case beat
    }

    private struct Subscriber {
        let continuation: AsyncStream<Delivery>.Continuation
        var lost: UInt64 = 0
    }
    private struct State {
        var ring: [FlowEvent] = []
        var next = 0
        var counts = Counts(published: 0)
        var subscribers: [UInt64: Subscriber] = [:]
        var serial: UInt64 = 0
        var isClosed = false
    }

    private let capacity: Int
    private let queue: Int
    private let subscriberLimit: Int
    private let state = Mutex(State())

    /// A hub that keeps the last `capacity` events and lets each of at most `subscribers` subscribers fall `queue` events behind.
    public init(capacity: Int = 4096, queue: Int = 1024, subscribers: Int = 64) {
        precondition(capacity > 0 && queue > 0, "a hub keeps at least one event")
        self.capacity = capacity
        self.queue = queue
        subscriberLimit = subscribers
    }

    /// Takes events in their order and hands them to everyone.
    public func publish(_ events: [FlowEvent]) {
        guard !events.isEmpty else { return }
        state.withLock { state in
            for event in events {
                if state.ring.count < capacity { state.ring.append(event) } else { state.ring[state.next] = event }
                state.next = (state.next + 1) % capacity
                state.counts.published += 1
                for key in state.subscribers.keys {
                    guard var subscriber = state.subscribers[key] else { continue }
                    state.counts.undelivered &+= Self.hand(event, to: &subscriber)
                    state.subscribers[key] = subscriber
                }
            }
        }
    }

    /// Takes note of events that were lost before they came here: every subscriber misses them. The count is another process's: sums
    /// wrap.
    public func lose(_ count: UInt64) {
        guard count > 0 else { return }
        state.withLock { state in
            state.counts.lost &+= count
            for key in state.subscribers.keys { state.subscribers[key]?.lost &+= count }
        }
    }

    /// The events kept, oldest first; of those that fit `filter` the last `limit`.
    public func recent(limit: Int, where filter: (FlowEvent) -> Bool = { _ in true }) -> [FlowEvent] {
        // The ring is copied (by reference) under the lock and searched outside, so that a question never delays the drain.
        let (ring, next) = state.withLock { ($0.ring, $0.next) }
        let ordered = ring.count < capacity ? ring[...] : ring[next...] + ring[..<next]
        return Array(ordered.filter(filter).suffix(max(0, limit)))
    }

    /// A new subscription; `nil` when the hub is closed or has as many subscribers as it may have.
    public func subscribe() -> Subscription? {
        let (stream, continuation) = AsyncStream.makeStream(of: Delivery.self, bufferingPolicy: .bufferingOldest(queue))
        let key = state.withLock { state -> UInt64? in
            guard !state.isClosed, state.subscribers.count < subscriberLimit else { return nil }
            state.serial += 1
            state.subscribers[state.serial] = Subscriber(continuation: continuation)
            return state.serial
        }
        guard let key else { return nil }
        continuation.onTermination = { [weak self] _ in self?.state.withLock { _ = $0.subscribers.removeValue(forKey: key) } }
        return Subscription(deliveries: stream, continuation: continuation)
    }

    /// Ends every subscription, and refuses new ones.
    public func close() {
        let all = state.withLock { state -> [Subscriber] in
            state.isClosed = true
            return Array(state.subscribers.values)
        }
        // Outside the lock: finishing calls `onTermination`, which takes it.
        for subscriber in all { subscriber.continuation.finish() }
    }

    /// What the hub counts.
    public struct Counts: Sendable, Hashable {
        /// Events published so far.
        public var published: UInt64
        /// Events that were lost before they came here.
        public var lost: UInt64 = 0
        /// Deliveries of published events that a subscriber was too slow for.
        public var undelivered: UInt64 = 0

        /// So many published, and none lost.
        public init(published: UInt64) { self.published = published }
    }

    /// What was counted so far.
    public var counts: Counts { state.withLock { $0.counts } }
    /// Subscribers now.
    public var subscriberCount: Int { state.withLock { $0.subscribers.count } }

    /// Gives an event to a subscriber, or counts it as lost; says how many were.
    private static func hand(_ event: FlowEvent, to subscriber: inout Subscriber) -> UInt64 {
        if subscriber.lost > 0 {
            guard case .enqueued = subscriber.continuation.yield(.lost(subscriber.lost)) else {
                subscriber.lost &+= 1
                return 1
            }
            subscriber.lost = 0
        }
        guard case .dropped = subscriber.continuation.yield(.event(event)) else { return 0 }
        subscriber.lost &+= 1
        return 1
    }
}

/// One subscriber's end of a hub. It ends with its stream's consumer, with the hub, or with `cancel`.
public struct Subscription: Sendable {
    /// What happens from now on.
    public let deliveries: AsyncStream<EventHub.Delivery>
    fileprivate let continuation: AsyncStream<EventHub.Delivery>.Continuation

    /// Puts a sign of life into the stream, so that a consumer that only writes notices a dead peer.
    public func beat() { continuation.yield(.beat) }
    /// Ends the stream behind what is already in it.
    public func cancel() { continuation.finish() }
}
