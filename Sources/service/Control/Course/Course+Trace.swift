// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Layout
internal import Net
internal import Record
internal import Telemetry

extension Course {
    /// One live connection as its worker has it now.
    nonisolated func trace(_ connection: TracedConnection) async throws -> TraceReport {
        let (answers, asked) = try await around.tracing.ask(connection)
        guard let first = answers.first else {
            throw Refusal(
                .unavailable,
                "no worker answered within a second: `bulkhead status` says whether the data process runs and a policy is in force"
            )
        }
        let (names, plan) = (around.names.now, around.board.files.plan)
        // A tunnel's flow stands in the table of each worker that has flows inside of it: the busiest one tells most.
        let found = answers.filter { $0.answer.isFound == 1 }.max { $0.answer.flow.quiet > $1.answer.flow.quiet }
        let told = answers.map { answer in
            let (pair, queue) = Self.place(of: answer.worker, plan)
            return TraceReport.Answer(
                worker: answer.worker, pair: pair, queue: queue, found: answer.answer.isFound == 1,
                microseconds: answer.answer.time > asked ? (answer.answer.time - asked) / 1000 : 0)
        }
        return TraceReport(
            generation: (found ?? first).answer.generation, epoch: (found ?? first).answer.epoch, answers: told,
            silent: (0..<plan.workers).filter { worker in !answers.contains { $0.worker == worker } },
            live: found.map { LiveConnection($0, names: names, wallOffset: EventDrain.wallOffset) }, terms: await terms())
    }

    /// A worker's pair and queue.
    private static func place(of worker: Int, _ plan: Plan) -> (pair: String, queue: Int) {
        var queue = worker
        for pair in 0..<Int(plan.pairCount) {
            if queue < Int(plan.pairs[pair].queues) { return (plan.pairs[pair].name.description, queue) }
            queue -= Int(plan.pairs[pair].queues)
        }
        return ("", queue)
    }

    /// What the configuration says of connections where no rule does.
    private func terms() -> TraceReport.Terms {
        let flows = configuration.flows
        return TraceReport.Terms(
            pickUp: FlowSettings.PickUp(rawValue: flows.pickUp).map { "\($0)" } ?? "",
            grace: around.board.status().flows.grace ?? 0,
            windows: FlowSettings.Windows(rawValue: flows.windows).map { "\($0)" } ?? "", isAsymmetric: flows.isAsymmetric == 1,
            verifiesChecksums: flows.verifiesChecksums == 1)
    }
}
