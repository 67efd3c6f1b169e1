// SPDX-License-Identifier: Apache-2.0
import Analysis
import Classifier
import Compiler
import Flow
import Net
import Policy
import PolicyText
import Record
import Telemetry
import Testing
import Trace

/// What the next frames of a live connection get.
@Suite("Next frames") struct NextFrameTests {
    /// What the policy in force says of web and db.
    private enum Policy: String { case allow, deny, reject }

    private func tracer(_ action: Policy, generation: UInt32 = 2) throws -> Tracer {
        let text = TracerTests.documents.replacing("action: allow, from: {}", with: "action: \(action.rawValue), from: {}")
        var surroundings = try TracerTests.surroundings()
        surroundings.set = try PolicySet(try decode(text, file: "policy.yaml"))
        surroundings.generation = generation
        return try Tracer(surroundings)
    }

    /// A connection from web to db as its worker told it.
    private func report(
        _ number: IPProtocol = .tcp, state: FlowState = .established, generation: UInt32 = 2, change: String = "reevaluate",
        marks: UInt8 = 0, _ edit: (inout LiveConnection) -> Void = { _ in }
    ) -> (TracedConnection, TraceReport) {
        var record = FlowRecord()
        record.event = FlowRecord.Event.update.rawValue
        (record.source, record.destination) = (Address(v4: 0x0a09_000b), Address(v4: 0x0a09_0015))
        (record.sourcePort, record.destinationPort) = (40_000, number.isICMP ? 8 << 8 : number == .sctp ? 36_412 : 443)
        record.protocolNumber = number.rawValue
        (record.generation, record.epoch) = (generation, 1)
        let decoder = FlowDecoder(pairs: [PairNames(name: "wire", ports: ["lan0", "wan0"])])
        var live = LiveConnection(FlowReport(decoder.decode(record, wallOffset: 0)), worker: 0)
        (live.state, live.change, live.marks, live.timeout) = (state.name, change, marks, 1000)
        if number == .tcp {
            let known = TCPWindow.known | TCPWindow.acknowledges
            live.forward = .init(end: 1001, acknowledged: 5001, maximum: 64_240, scale: 0, marks: known, flags: 0x1a)
            live.reverse = .init(end: 5001, acknowledged: 1001, maximum: 65_160, scale: 0, marks: known, flags: 0x12)
        }
        edit(&live)
        let connection = TracedConnection(number, from: record.source, 40_000, to: record.destination, record.destinationPort)
        let terms = TraceReport.Terms(
            pickUp: "restart", grace: 0, windows: "strict", isAsymmetric: false, verifiesChecksums: true)
        return (
            connection,
            TraceReport(
                generation: 2, epoch: 1, answers: [.init(worker: 0, pair: "wire", queue: 0, found: true, microseconds: 12_345)],
                silent: [], live: live, terms: terms)
        )
    }

    private func verdicts(_ tracer: Tracer, _ asked: (TracedConnection, TraceReport)) throws -> [Verdict] {
        try tracer.next(asked.0, in: asked.1, at: TracerTests.time).map(\.verdict)
    }

    @Test(arguments: [IPProtocol.tcp, .sctp, .icmp, IPProtocol(rawValue: 47)])
    func `both ends of a connection that policy allows go on`(number: IPProtocol) throws {
        let isOld = try verdicts(tracer(.allow), report(number, generation: 1))
        #expect(try verdicts(tracer(.allow), report(number)) == [.forward, .forward] && isOld == [.forward, .forward])
    }

    @Test func `a connection that waits for its answer gets it, and its SYN may come again`() throws {
        let waiting = report(state: .synSent) { live in
            live.forward = .init(end: 1001, acknowledged: 0, maximum: 64_240, scale: 7, marks: TCPWindow.known, flags: 2)
            live.reverse = .init(end: 0, acknowledged: 1001, maximum: 0, scale: 255, marks: 0, flags: 0)
        }
        let next = try tracer(.allow).next(waiting.0, in: waiting.1, at: TracerTests.time)
        #expect(next.map(\.verdict) == [.forward, .forward] && next.map(\.state) == ["synSent", "synReceived"])
        #expect(next[0].frame.hasSuffix("SYN") && next[1].frame.hasSuffix("SYN ACK"))
        // Without an answer the initiator's next packet passes, and the responder's is the answer; behind it the initiator's counts.
        for (state, states) in [(.oneSided, ["oneSided", "answered"]), (.answered, ["established", "answered"])]
            as [(FlowState, [String])]
        {
            let flow = report(.sctp, state: state)
            #expect(try tracer(.allow).next(flow.0, in: flow.1, at: TracerTests.time).map(\.state) == states)
        }
    }

    @Test(arguments: [
        ("reevaluate", Policy.deny, Verdict.drop(.denied)), ("reevaluate", .reject, .reject(.denied)), ("keep", .deny, .forward),
        ("drain", .deny, .forward), ("reset", .deny, .drop(.denied)),
    ]) private func `a connection that the new policy refuses goes the way of its change mode`(
        row: (change: String, policy: Policy, verdict: Verdict)
    ) throws {
        let old = report(generation: 1, change: row.change) { $0.drainSeconds = 60 }
        #expect(try verdicts(tracer(row.policy), old) == [row.verdict, row.verdict])
        // Judged by the generation in force it is not asked again.
        #expect(try verdicts(tracer(row.policy), report(change: row.change)) == [.forward, .forward])
    }

    @Test func `a drain that is over, and a verdict that has lapsed, end it`() throws {
        let outlived = FlowMarks.outlived.rawValue
        let drained = report(change: "drain", marks: outlived) { $0.lapse = .init(isGranted: true, seconds: 0) }
        #expect(try verdicts(tracer(.deny), drained) == [.drop(.denied), .drop(.denied)])
        let draining = report(change: "drain", marks: outlived) { $0.lapse = .init(isGranted: true, seconds: 30) }
        #expect(try verdicts(tracer(.deny), draining) == [.forward, .forward])
        let lapsed = report { $0.lapse = .init(isGranted: false, seconds: 0) }
        #expect(try verdicts(tracer(.deny), lapsed) == [.drop(.denied), .drop(.denied)])
        #expect(try verdicts(tracer(.allow), lapsed) == [.forward, .forward])
    }

    @Test func `whose tunnel is not made up gets no prophecy, and another version's state is an error`() throws {
        var (connection, report) = report()
        report.live?.state = "daydreaming"
        #expect(throws: TraceError.self) { try tracer(.allow).next(connection, in: report, at: TracerTests.time) }
        connection.tunnel = Tunnel(.vxlan, identifier: 1, depth: 1)
        #expect(try tracer(.allow).next(connection, in: report, at: TracerTests.time).isEmpty)
    }

    @Test func `a live connection is told so that one can read it at night`() throws {
        let asked = report(generation: 1, change: "drain", marks: FlowMarks.pickedUp.rawValue) { live in
            (live.drainSeconds, live.quiet, live.age, live.timeout) = (60, 1200, 7_300_000, 7_440_000)
            live.lapse = .init(isGranted: true, seconds: 25)
        }
        let live = LiveTrace(asked.1, next: try tracer(.allow).next(asked.0, in: asked.1, at: TracerTests.time))
        let text = live.lines(Style(width: 300)).joined(separator: "\n")
        for part in [
            "worker      0, queue 0 of wire; answered after 12 ms", "10.9.0.11:40000", "in by lan0", "established (picked up)",
            "2 h 1 min ago", "1200 ms ago; ends after 2 h 4 min of silence, in 2 h 3 min",
            "next 1001, expects 5001, window 64240",
            "by generation 1 (2 is in force), epoch 1 (in force); its next frame is judged again", "its verdict holds for 25 s",
            "drain for 60 s", "from the initiator, tcp 10.9.0.11:40000 > 10.9.0.21:443, ACK: forward; flow established",
        ] { #expect(text.contains(part), "\(part)\nis not in\n\(text)") }
        #expect(!text.contains("\u{1b}"))
        #expect(live.lines(Style(isColoured: true)).joined().contains("\u{1b}[32mforward"))
        var missing = asked.1
        (missing.live, missing.silent) = (nil, [1, 2])
        let none = LiveTrace(missing, next: []).lines(Style(width: 300)).joined(separator: "\n")
        #expect(none.contains("not found: 1 worker answered, none has it") && none.contains("from worker 1, 2"))
    }
}
