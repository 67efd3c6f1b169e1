// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import Ring
import TestSupport
import Testing

/// A bench whose workers copy everything, and what they have seen of the frames so far is taken.
private func seeing(
    _ shape: PairShape = PairShape(), _ policy: SmallPolicy = .town(), slots: Int = 256
) throws -> (bench: PairBench, capture: CaptureBench) {
    let bench = try CaptureBench.$slots.withValue(slots) { try PairBench(shape, policy) }
    let capture = try #require(bench.worker.capture)
    _ = capture.take()
    return (bench, capture)
}

/// The order for everything, changed.
private func order(_ change: (inout CaptureOrder) -> Void) -> CaptureOrder {
    var order = CaptureBench.everything
    order.number = 2
    change(&order)
    return order
}

@Suite("Captures in the lane") struct CaptureTests {
    private let rejecting = SmallPolicy.town {
        let (guest, server) = (SmallPolicy.ownClass(clients), SmallPolicy.ownClass(webs))
        $0.ingress(of: server, from: guest, ServiceKey.udp(9), SmallPolicy.rejected)
    }

    @Test func `a frame that passes is seen as it came and as it leaves`() throws {
        let (bench, capture) = try seeing()
        let syn = Connection().syn
        try bench.expectForwarded(syn)
        let sights = capture.take()
        #expect(sights.map(\.kind) == [.before, .after] && sights.map(\.frame.port) == [0, 1])
        #expect(sights.allSatisfy { $0.bytes == syn.bytes && $0.frame.length == UInt32(syn.bytes.count) && $0.fate == .forward })
        #expect(sights[0].frame.serial == sights[1].frame.serial && sights[0].frame.flow.time == bench.clock.nanoseconds)
        #expect(sights.allSatisfy { $0.reason == nil && $0.has(CapturedFrame.Marks.knownFlow) })
        #expect(bench.fault == nil)
    }

    @Test func `a frame of a known flow tells the flow, its grounds and which way it goes`() throws {
        let (bench, capture) = try seeing()
        try bench.establish()
        _ = capture.take()
        try bench.expectForwarded(Connection().request)
        try bench.expectForwarded(Connection().answer, port: 1)
        let sights = capture.take()
        try #require(sights.count == 4)
        let flow = sights[0].frame.flow
        #expect((flow.source, flow.destination, flow.sourcePort, flow.destinationPort) == (client, web, 40000, 443))
        #expect(flow.ingressRecord != FlowRecord.none32 && flow.generation == 1 && flow.decision == Decision.allow.rawValue)
        #expect(flow.sourceClass == SmallPolicy.ownClass(clients) && flow.forwardFrames == 3)
        #expect(sights.map { $0.has(CapturedFrame.Marks.reply) } == [false, false, true, true])
        // The answer tells of the same flow, and not of one from the server.
        #expect(sights[2].frame.flow.source == client && sights[2].frame.port == 1 && sights[3].frame.port == 0)
    }

    @Test func `what policy refuses is seen once, with the record that decided`() throws {
        let (bench, capture) = try seeing()
        // The second is refused without policy being asked, and told with the same record.
        for _ in 0..<2 {
            try bench.expectDropped(Connection(to: db).syn, .denied)
            let sights = capture.take()
            try #require(sights.count == 1)
            #expect(sights[0].kind == .before && sights[0].fate == .drop && sights[0].reason == .denied)
            #expect(sights[0].frame.flow.decision == Decision.deny.rawValue && sights[0].has(CapturedFrame.Marks.judged))
            #expect(sights[0].frame.flow.ingressRecord == SmallPolicy.denied, "\(sights[0].frame.flow)")
            #expect(sights[0].frame.flow.destination == db && !sights[0].has(CapturedFrame.Marks.knownFlow))
        }
    }

    @Test func `a rejected frame and the answer to it share a number`() throws {
        let (bench, capture) = try seeing(PairShape(), rejecting)
        let query = Ethernet() / IPv4() / UDP(from: 40000, to: 9) / Payload(count: 80)
        try bench.expectDropped(query, .denied)
        let answer = bench.worker.ports[0].send()
        let sights = capture.take()
        #expect(sights.map(\.kind) == [.before, .generated] && sights.map(\.fate) == [.reject, .reject])
        #expect(sights.map(\.bytes) == [query.bytes] + answer && sights.map(\.frame.port) == [0, 0])
        #expect(Set(sights.map(\.frame.serial)).count == 1)
    }

    @Test func `a checksum that is completed on the way is seen partial before and right behind`() throws {
        let allowing = SmallPolicy.town { $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients)) }
        let (bench, capture) = try seeing(PairShape(), allowing)
        let partial = Ethernet() / IPv4() / TCP([.syn], checksum: .partial)
        let right = Ethernet() / IPv4() / TCP([.syn], checksum: .right)
        #expect(try bench.fate(of: partial) == .forwarded(right.bytes))
        #expect(capture.take().map(\.bytes) == [partial.bytes, right.bytes])
    }

    @Test func `frames that wait are seen when they go on, once, and marked`() throws {
        let (bench, capture) = try seeing()
        let pieces = question(2992).fragments(of: 1000)
        for piece in [pieces[2], pieces[1]] {
            try bench.receive([piece])
            bench.turn()
        }
        #expect(capture.take().isEmpty)
        try bench.receive([pieces[0]])
        bench.turn()
        let sights = capture.take()
        #expect(sights.map(\.kind) == [.before, .after, .before, .after, .before, .after])
        #expect(sights.map { $0.has(CapturedFrame.Marks.held) } == [false, false, true, true, true, true])
        #expect(sights.allSatisfy { $0.frame.flow.destinationPort == 53 && $0.has(CapturedFrame.Marks.knownFlow) })
        #expect([sights[0], sights[2], sights[4]].map(\.bytes) == [pieces[0], pieces[2], pieces[1]].map(\.bytes))
    }

    @Test func `one whose first fragment never comes is seen when its time is over`() throws {
        let (bench, capture) = try seeing()
        try bench.receive([question(64).fragments(of: 24)[1]])
        bench.turn()
        bench.clock.pass(seconds: 60)
        for _ in 0..<64 { bench.turn() }
        let sights = capture.take()
        #expect(sights.map(\.reason) == [.fragmentTimeout] && sights[0].has(CapturedFrame.Marks.held))
        #expect(sights[0].frame.flow.source == client && bench.fault == nil)
    }

    @Test func `a datagram that dies inside a burst takes no other frame's sights with it`() throws {
        let (bench, capture) = try seeing()
        let datagram = question(64)
        try bench.receive([datagram.fragments(of: 24)[1]])
        bench.turn()
        let burst = [Connection(source: 1).syn, datagram.fragment(16..<32, more: true), Connection(source: 2).syn]
        try bench.receive(burst)
        bench.turn()
        let sights = capture.take()
        #expect(sights.filter { $0.reason == .fragmentOverlap }.map { $0.has(CapturedFrame.Marks.held) } == [true, false])
        #expect(sights.filter { $0.kind == .after }.map(\.bytes) == [burst[0].bytes, burst[2].bytes])
        #expect(sights.count { $0.kind == .before } == 4 && bench.fault == nil)
    }

    @Test func `frames of another worker's flows are seen by their owner alone`() throws {
        var shape = PairShape()
        shape.workers = 3
        let (bench, _) = try seeing(shape)
        let connections = TwoWorkersTests.connections(40)
        try bench.receive(connections.map(\.syn))
        for _ in 0..<3 { bench.turnAll() }
        let sights = try bench.workers.map { try #require($0.capture).take() }
        #expect(sights.joined().filter { $0.kind == .before }.count == 40 && sights.joined().count == 80)
        #expect(Set(sights.joined().map(\.bytes)) == Set(connections.map(\.syn.bytes)))
        for (worker, seen) in sights.enumerated() {
            #expect(UInt64(seen.count) == 2 * bench.workers[worker].counters.ports[0].received)
        }
    }

    @Test func `what is stale is seen with its reason, and nobody is asked about it`() throws {
        let (bench, capture) = try seeing()
        try bench.receive([Connection().syn, Connection(source: 7).syn])
        #expect(bench.worker.dropStale() == 2)
        let sights = capture.take()
        #expect(sights.map(\.reason) == [.stale, .stale] && sights.allSatisfy { !$0.has(CapturedFrame.Marks.judged) })
    }

    @Test func `a capture whose time is over copies nothing, and neither does one that was ended`() throws {
        let (bench, capture) = try seeing()
        capture.arm(CaptureBench.everything, until: bench.clock.nanoseconds)
        try bench.expectForwarded(Connection(source: 1).syn)
        #expect(capture.take().isEmpty)
        capture.arm(CaptureBench.everything, until: bench.clock.nanoseconds + 1)
        try bench.expectForwarded(Connection(source: 2).syn)
        #expect(capture.take().count == 2)
        capture.disarm()
        try bench.expectForwarded(Connection(source: 3).syn)
        #expect(capture.take().isEmpty)
    }

    @Test func `more than a second may have is left out and counted, and the frames pass`() throws {
        let (bench, capture) = try seeing()
        capture.arm(order { $0.framesPerSecond = 10 })
        for source in 0..<30 as Range<UInt16> { try bench.expectForwarded(Connection(source: 1000 + source).syn) }
        #expect(capture.take().count == 20 && capture.suppressed == 20)
        bench.clock.pass(milliseconds: 500)
        for source in 0..<30 as Range<UInt16> { try bench.expectForwarded(Connection(source: 2000 + source).syn) }
        #expect(capture.take().count == 10 && capture.suppressed == 45 && capture.lost == 0)
    }

    @Test func `a ring that nobody empties loses sights, counts their frames, and costs no frame`() throws {
        let (bench, capture) = try seeing(PairShape(), .town(), slots: 4)
        for source in 0..<50 as Range<UInt16> { try bench.expectForwarded(Connection(source: 1000 + source).syn) }
        #expect(capture.lost == 48 && capture.take().count == 4 && bench.fault == nil)
        // One slot is left: the first sight finds room, and the frame counts as lost all the same.
        try bench.expectForwarded(Connection(source: 2000).syn)
        try bench.expectDropped(Connection(to: db).syn, .denied)
        try bench.expectForwarded(Connection(source: 2001).syn)
        #expect(capture.take().count == 4 && capture.lost == 49)
    }
}
