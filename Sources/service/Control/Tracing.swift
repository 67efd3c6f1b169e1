// SPDX-License-Identifier: Apache-2.0
internal import CoreFoundation  // owns struct timespec where the compiler meets it before Glibc
internal import API
internal import Glibc
internal import Layout
internal import Net
internal import Record
internal import Synchronization
internal import Telemetry

/// Asks the workers about one connection at a time: the question lies in the inquiries' file, each worker looks at its sequence once a turn
/// and writes its answer beside it.
///
/// Nobody wakes a worker for it. One that sleeps takes a turn ten times a second by itself, so that an answer takes a tenth of a second at
/// most; one that has not answered after a second hangs, is parked, or has no policy yet, and is told as silent.
final class Tracing: Sendable {
    /// How long answers are waited for, in nanoseconds.
    static let patience: UInt64 = 1_000_000_000
    /// How many may ask at the same time: one is answered and the others wait, each on a thread.
    static let most = 8

    /// What a worker said.
    struct Answer {
        var worker: Int
        var answer: TraceAnswer
    }

    private let files: KeeperFiles
    private let patience: UInt64
    private let waiting = Atomic<Int>(0)
    private let turn = Mutex(())

    /// Workers of these files, whose answers are waited for so many nanoseconds.
    init(_ files: KeeperFiles, patience: UInt64 = Tracing.patience) {
        self.files = files
        self.patience = patience
    }

    /// What every worker keeps of a connection, by number; those that did not answer in time are missing. Throws where too many ask.
    func ask(_ connection: TracedConnection) async throws -> (answers: [Answer], asked: UInt64) {
        let count = waiting.add(1, ordering: .relaxed).newValue
        defer { waiting.subtract(1, ordering: .relaxed) }
        guard count <= Self.most else {
            throw Refusal(.unavailable, "\(Self.most) traces are asked for at this moment; try again in a second")
        }
        return try await offload { [self] in turn.withLock { _ in answers(to: connection) } }
    }

    private func answers(to connection: TracedConnection) -> (answers: [Answer], asked: UInt64) {
        let asked = Self.now
        // Greater than every number that an earlier control has given, and never 0.
        files.inquiries.question.write(TraceQuestion(connection, number: max(1, asked)))
        var answers: [Answer] = []
        var missing = Array(0..<files.plan.workers)
        while !missing.isEmpty, Self.now < asked + patience {
            missing.removeAll { worker in
                guard let answer = files.inquiries.answer(ofWorker: worker).read(), answer.number == max(1, asked) else {
                    return false
                }
                answers.append(Answer(worker: worker, answer: answer))
                return true
            }
            if !missing.isEmpty { usleep(500) }
        }
        return (answers.sorted { $0.worker < $1.worker }, asked)
    }

    /// The monotonic clock, in nanoseconds.
    private static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

extension TraceQuestion {
    /// The words of the key of a connection on every pair.
    init(_ connection: TracedConnection, number: UInt64) {
        self.init()
        self.number = number
        (firstHigh, firstLow) = (connection.source.high, connection.source.low)
        (secondHigh, secondLow) = (connection.destination.high, connection.destination.low)
        (firstPort, secondPort) = (connection.sourcePort, connection.destinationPort)
        vlans = connection.vlans.word
        tunnel = connection.tunnel.identifier
        context = UInt32(connection.number.rawValue) << 24 | UInt32(Self.everyPair) << 16
        context |= UInt32(connection.tunnel.kind.number) << 8 | UInt32(connection.tunnel.depth)
    }
}
