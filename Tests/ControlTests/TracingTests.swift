// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Layout
import Net
import Record
import Synchronization
import Telemetry
import Testing

@testable import Control

/// Control asks the workers for a connection; a thread stands for them.
@Suite("Tracing") struct TracingTests {
    /// Workers that answer what their closure says, or nothing.
    private final class Workers: Sendable {
        private let isOver = Atomic<Bool>(false)

        init(_ files: KeeperFiles, _ answer: @escaping @Sendable (_ worker: Int, TraceQuestion) -> TraceAnswer?) {
            let thread = Thread { [self] in
                // Also what was asked before they came.
                var seen: UInt64 = 0
                while !isOver.load(ordering: .relaxed) {
                    let sequence = files.inquiries.question.sequence
                    guard sequence != seen, let question = files.inquiries.question.read() else {
                        Thread.sleep(forTimeInterval: 0.001)
                        continue
                    }
                    seen = sequence
                    for worker in 0..<files.plan.workers {
                        guard var told = answer(worker, question) else { continue }
                        (told.number, told.worker) = (question.number, UInt32(worker))
                        files.inquiries.answer(ofWorker: worker).write(told)
                    }
                }
            }
            thread.start()
        }

        func end() { isOver.store(true, ordering: .relaxed) }
    }

    private static let connection = TracedConnection(
        .tcp, from: Address(v4: 0x0a09_000b), 40_000, to: Address(v4: 0x0a09_0015), 5432)

    private func bench() async throws -> CourseBench { try await CourseBench(BenchFolder()) }

    @Test func `a connection is told as its worker copied it, with names and times`() async throws {
        let bench = try await bench()
        defer { bench.end() }
        let workers = Workers(bench.course.around.board.files) { _, question in
            var answer = TraceAnswer()
            (answer.isFound, answer.generation, answer.epoch) = (1, 4, 9)
            answer.time = UInt64(ProcessInfo.processInfo.systemUptime * 1e9)
            var record = FlowRecord()
            record.event = FlowRecord.Event.update.rawValue
            (record.source, record.destination) = (Self.connection.source, Self.connection.destination)
            (record.sourcePort, record.destinationPort) = (question.firstPort, question.secondPort)
            (record.protocolNumber, record.state, record.forwardFrames) = (6, 3, 12)
            (record.generation, record.epoch) = (3, 9)
            (record.time, record.firstSeen) = (answer.time, answer.time - 5_000_000_000)
            answer.flow.record = record
            (answer.flow.quiet, answer.flow.timeout, answer.flow.marks) = (1000, 2000, 32)
            (answer.flow.change, answer.flow.drainSeconds) = (2 | 4, 60)
            answer.flow.validUntil = UInt32(answer.time / 1_000_000_000) + 30
            (answer.flow.forward.end, answer.flow.forward.marks, answer.flow.reverse.scale) = (77, 9, 7)
            return answer
        }
        defer { workers.end() }
        let report = try await bench.course.trace(Self.connection)
        #expect(report.generation == 4 && report.epoch == 9 && report.silent.isEmpty)
        #expect(report.answers.map(\.found) == [true] && report.answers[0].pair == "edge")
        #expect(report.terms.pickUp == "restart" && report.terms.windows == "strict" && report.terms.verifiesChecksums)
        let live = try #require(report.live)
        #expect(live.flow.source.port == 40_000 && live.flow.destination.port == 5432 && live.flow.forward.frames == 12)
        #expect(live.state == "established" && live.marks == 32 && live.change == "drain" && live.drainSeconds == 60)
        #expect((4990...5000).contains(live.age) && live.quiet == 1048 && live.timeout == 2097)
        #expect(live.lapse?.isGranted == true && (29...30).contains(live.lapse?.seconds ?? 0))
        #expect(live.forward?.end == 77 && live.forward?.marks == 9 && live.reverse?.scale == 7)
    }

    @Test func `what a hostile worker answers is told and traps nobody`() async throws {
        let bench = try await bench()
        defer { bench.end() }
        let workers = Workers(bench.course.around.board.files) { _, _ in
            var answer = TraceAnswer()
            // Every byte that a worker writes is set.
            unsafe withUnsafeMutableBytes(of: &answer) { bytes in
                unsafe bytes.copyBytes(from: [UInt8](repeating: 0xff, count: 224))
            }
            answer.isFound = 1
            return answer
        }
        defer { workers.end() }
        let live = try #require(try await bench.course.trace(Self.connection).live)
        #expect(live.state == "255" && live.lapse == nil)
    }

    @Test func `a worker that does not answer is silent, and where none does nothing is told`() async throws {
        let mute = try await CourseBench(BenchFolder(), patience: 50_000_000)
        defer { mute.end() }
        let error = await #expect(throws: Refusal.self) { _ = try await mute.course.trace(Self.connection) }
        #expect(error?.kind == .unavailable && error?.detail.contains("no worker answered") == true)
        let bench = try await bench()
        defer { bench.end() }
        let workers = Workers(bench.course.around.board.files) { _, _ in TraceAnswer() }
        defer { workers.end() }
        let report = try await bench.course.trace(Self.connection)
        #expect(report.live == nil && report.answers.map(\.found) == [false])
    }

    @Test func `more than can wait are refused at once`() async throws {
        let bench = try await bench()
        defer { bench.end() }
        let (tracing, files) = (bench.course.around.tracing, bench.course.around.board.files)
        let refused = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<(2 * Tracing.most) {
                group.addTask {
                    do {
                        _ = try await tracing.ask(Self.connection)
                        return false
                    } catch { return error is Refusal }
                }
            }
            // The refusals come while the others wait.
            var refused = 0
            while refused < Tracing.most, await group.next() == true { refused += 1 }
            let workers = Workers(files) { _, _ in TraceAnswer() }
            defer { workers.end() }
            for await isRefused in group where isRefused { refused += 1 }
            return refused
        }
        #expect(refused == Tracing.most)
    }
}
