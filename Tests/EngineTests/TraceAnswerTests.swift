// SPDX-License-Identifier: Apache-2.0
import Layout
import Net
import Record
import TestSupport
import Testing

@testable import Engine

/// A worker that is asked for a connection while it runs.
@Suite("Answers of workers", .serialized) struct TraceAnswerTests {
    let bench: WorkerBench

    init() throws {
        bench = try WorkerBench()
        try bench.publish()
    }

    private func question(_ number: UInt64, port: UInt16, pair: UInt8 = TraceQuestion.everyPair) -> TraceQuestion {
        var question = TraceQuestion()
        question.number = number
        (question.firstHigh, question.firstLow, question.firstPort) = (stranger.high, stranger.low, port)
        (question.secondHigh, question.secondLow, question.secondPort) = (otherStranger.high, otherStranger.low, 443)
        question.context = 6 << 24 | UInt32(pair) << 16
        return question
    }

    private var answer: TraceAnswer { bench.inquiries.answer(ofWorker: 0).read() ?? TraceAnswer() }

    @Test func `it answers in the turn behind the question, and once`() throws {
        var worker = try bench.worker()
        try bench.pair.receive(WorkerTests.frames(1))
        worker.step()
        bench.inquiries.question.write(question(5, port: 1000))
        worker.step()
        #expect(answer.number == 5 && answer.isFound == 1 && answer.flow.record.sourcePort == 1000)
        #expect(answer.generation == 1)
        let sequence = bench.inquiries.answer(ofWorker: 0).sequence
        for _ in 0..<10 { worker.step() }
        #expect(bench.inquiries.answer(ofWorker: 0).sequence == sequence)
        bench.inquiries.question.write(question(6, port: 1001))
        worker.step()
        #expect(answer.number == 6 && answer.isFound == 0)
        #expect(bench.pair.fault == nil)
    }

    @Test func `what was asked before it began, of another pair, or by nobody stays unanswered`() throws {
        bench.inquiries.question.write(question(5, port: 1000))
        var worker = try bench.worker()
        worker.step()
        bench.inquiries.question.write(question(6, port: 1000, pair: 3))
        worker.step()
        bench.inquiries.question.write(question(0, port: 1000))
        worker.step()
        #expect(answer.number == 0)
        bench.inquiries.question.write(question(7, port: 1000))
        worker.step()
        #expect(answer.number == 7)
    }

    @Test func `a question whose writer died in the middle holds nothing up`() throws {
        var worker = try bench.worker()
        // An odd sequence, for ever.
        unsafe (bench.inquiries.memory.base + InquiriesLayout.question).storeBytes(of: 9, as: UInt64.self)
        try bench.pair.receive(WorkerTests.frames(3))
        for _ in 0..<3 { worker.step() }
        #expect(bench.pair.worker.counters.ports[0].forwarded == 3 && answer.number == 0)
        bench.inquiries.question.write(question(8, port: 1000))
        worker.step()
        #expect(answer.number == 8 && answer.isFound == 1)
    }

    @Test func `a question in every turn costs no frame`() throws {
        var worker = try bench.worker()
        for number in 1...200 as ClosedRange<UInt64> {
            bench.inquiries.question.write(question(number, port: UInt16(truncatingIfNeeded: number)))
            try bench.pair.receive(WorkerTests.frames(1, from: UInt16(number) + 2000))
            worker.step()
            #expect(answer.number == number)
            _ = bench.pair.worker.ports[1].send()
        }
        #expect(bench.pair.worker.counters.ports[0].forwarded == 200)
    }
}
