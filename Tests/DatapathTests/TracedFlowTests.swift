// SPDX-License-Identifier: Apache-2.0
import Classifier
import Flow
import Net
import Record
import TestSupport
import Testing

@testable import Datapath

/// What a worker answers about one connection.
@Suite("Traced flows") struct TracedFlowTests {
    let bench: PairBench
    let connection = Connection()

    init() throws {
        bench = try PairBench()
        try bench.establish(connection)
    }

    /// The question about a TCP connection, its ends in this order.
    private func question(from: Address, _ fromPort: UInt16, to: Address, _ toPort: UInt16, pair: UInt8 = 0) -> TraceQuestion {
        var question = TraceQuestion()
        question.number = 7
        (question.firstHigh, question.firstLow, question.firstPort) = (from.high, from.low, fromPort)
        (question.secondHigh, question.secondLow, question.secondPort) = (to.high, to.low, toPort)
        question.context = 6 << 24 | UInt32(pair) << 16
        return question
    }

    private func ask(_ question: TraceQuestion) -> TraceAnswer {
        bench.worker.lane.answer(question, by: bench.inForce, at: bench.now)
    }

    @Test func `a connection is found by both its ends, in either order, as it stands`() throws {
        bench.clock.pass(milliseconds: 3000)
        for question in [
            question(from: client, connection.source, to: web, 443), question(from: web, 443, to: client, connection.source),
        ] {
            let answer = ask(question)
            #expect(answer.number == 7 && answer.isFound == 1 && answer.time == bench.now.nanoseconds)
            #expect(answer.generation == bench.inForce.snapshot.generation && answer.epoch == bench.inForce.map.epoch)
            let (flow, record) = (answer.flow, answer.flow.record)
            #expect(record.source == client && record.destination == web && record.destinationPort == 443)
            #expect(record.state == FlowState.established.rawValue && record.forwardFrames == 2 && record.reverseFrames == 1)
            #expect(record.sourceWorkload == clientWorkload && record.destinationWorkload == webWorkload)
            #expect(record.generation == answer.generation && record.ingressRecord == SmallPolicy.allowed)
            #expect((2800...3001).contains(UInt64(flow.quiet) * 1_048_576 / 1_000_000))
            #expect(flow.timeout == FlowTimeouts().tcpEstablished && flow.validUntil == .max)
            #expect(flow.forward.marks & TCPWindow.known != 0 && flow.reverse.marks & TCPWindow.known != 0)
            #expect(flow.forward.acknowledged == flow.reverse.end)
        }
    }

    @Test func `what nobody has is not found, whatever differs`() {
        let right = question(from: client, connection.source, to: web, 443)
        var others = [right, right, right, right, right]
        others[0].firstPort &+= 1
        others[1].secondLow ^= 1
        others[2].vlans = VLANTags(10).word
        others[3].tunnel = 1
        others[4].context = 17 << 24
        for other in others { #expect(ask(other).isFound == 0) }
        #expect(ask(right).isFound == 1)
    }

    @Test func `being asked for changes nothing`() throws {
        let question = question(from: client, connection.source, to: web, 443)
        let before = ask(question)
        for _ in 0..<100 { _ = ask(question) }
        bench.clock.pass(milliseconds: 1000)
        let after = ask(question)
        #expect(after.flow.record.forwardFrames == before.flow.record.forwardFrames && after.flow.quiet > before.flow.quiet)
        #expect(bench.worker.takeEvents().allSatisfy { $0.event != FlowRecord.Event.change.rawValue })
        // It ends when it would have ended.
        bench.clock.pass(milliseconds: 7_445_000)
        for _ in 0..<10 {
            bench.turnAll()
            bench.clock.pass(milliseconds: 1000)
        }
        #expect(ask(question).isFound == 0)
    }

    @Test func `a question is for the workers of its pair, or for all`() {
        let lane = bench.worker.lane.pair
        #expect(lane == 0)
        for (pair, isAsked) in [(0, true), (1, false), (TraceQuestion.everyPair, true), (254, false)] as [(UInt8, Bool)] {
            #expect(bench.worker.lane.isAsked(question(from: client, 1, to: web, 1, pair: pair)) == isAsked)
        }
    }

    @Test func `a question of noise is harmless`() {
        let seed: UInt64 = 0x0a5c
        var random = PacketRandom(seed: seed)
        for round in 0..<20_000 {
            var question = question(from: client, connection.source, to: web, 443)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let bits = UInt64.random(in: 0 ... .max, using: &random)
                switch Int.random(in: 0..<9, using: &random) {
                case 0: question.number = bits
                case 1: question.firstHigh = bits
                case 2: question.firstLow = bits
                case 3: question.secondHigh = bits
                case 4: question.secondLow = bits
                case 5: question.firstPort = UInt16(truncatingIfNeeded: bits)
                case 6: question.vlans = UInt32(truncatingIfNeeded: bits)
                case 7: question.tunnel = UInt32(truncatingIfNeeded: bits)
                default: question.context = UInt32(truncatingIfNeeded: bits)
                }
            }
            let answer = ask(question)
            #expect(answer.number == question.number, "seed \(seed), round \(round)")
        }
        #expect(ask(question(from: client, connection.source, to: web, 443)).isFound == 1)
    }

    @Test func `its size is what the memory file says`() {
        #expect(MemoryLayout<TracedFlow>.size == 192 && MemoryLayout<TraceAnswer>.size == 224)
    }
}
