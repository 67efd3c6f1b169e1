// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Net
import Record
import Synchronization
import Telemetry
import Testing

/// How much the API alone can take: the answers are as large as those of an appliance of five pairs with four queues, and cost what
/// writing them costs. Measured, not judged: `BULKHEAD_LOAD=1 swift test -c release --filter Load`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["BULKHEAD_LOAD"] != nil, "BULKHEAD_LOAD is not set")) struct Load {
    private var report: StatusReport {
        var report = FixedStatus().report
        for pair in 0..<5 {
            report.pairs.append(.init(name: "pair-\(pair)", mode: "closed", owner: "queue"))
            for port in 0..<2 {
                let queues = (0..<4).map { StatusReport.Queue(queue: $0, counters: QueueCounters(), kernel: KernelStatistics()) }
                report.ports.append(
                    .init(
                        name: "port-\(pair)-\(port)", pair: "pair-\(pair)", link: "up", xdp: "native", copy: "copy",
                        queues: queues))
            }
        }
        return report
    }

    @Test func `a thousand questions for status and a hundred updates of workloads a second`() async throws {
        try await withServer(plane: FakePlane(status: report)) { path in
            let status = Counted()
            let group = DispatchGroup()
            for _ in 0..<2 {
                group.enter()
                Thread.detachNewThread {
                    status.run(path, pause: 0) { $0.send("GET", "/v1/status", headers: []) }
                    group.leave()
                }
            }
            let body = #"{"labels":{"app":"web"}}"#
            let updates = Counted()
            updates.run(path, pause: 0.01) {
                $0.send(
                    "PATCH", "/v1/workloads/shop%2Fweb-1",
                    headers: ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"])
                $0.write(body)
            }
            group.wait()
            print("status: \(status), updates: \(updates)")
        }
    }
}

/// Answers of clients that ask again and again over one connection.
private final class Counted: Sendable, CustomStringConvertible {
    private static let seconds = 5.0
    private let state = Mutex((answers: 0, slowest: 0.0))

    /// Asks for five seconds, with so much time between two questions at least.
    func run(_ path: String, pause: Double, _ ask: (UnixClient) -> Void) {
        guard let client = UnixClient(path) else { return }
        let end = Date().addingTimeInterval(Self.seconds)
        while Date() < end {
            let began = Date()
            ask(client)
            guard client.answer().status == 200 else { return }
            let took = Date().timeIntervalSince(began)
            state.withLock { $0 = ($0.answers + 1, max($0.slowest, took)) }
            if pause > took { Thread.sleep(forTimeInterval: pause - took) }
        }
    }

    var description: String {
        let (answers, slowest) = state.withLock { $0 }
        return "\(Int(Double(answers) / Self.seconds)) a second, the slowest after \(Int(slowest * 1e6)) µs"
    }
}
