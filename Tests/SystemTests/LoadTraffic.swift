// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// Frames of many active flows from web's port to db's, made and counted in the kernel by `bulkhead lab`, and what the worker spends
/// on them.
struct LoadTraffic {
    /// The laboratory, whose daemon runs.
    let lab: Lab

    /// Flows at a time; each frame is of a random one.
    static let flows = 10_000

    /// Lets everything pass between the blocks of addresses that `bulkhead lab` uses, and knows a label set for those that move.
    static let policy = """
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: senders, namespace: shop, labels: {app: load}}
        spec: {addresses: [198.18.0.0/16]}
        ---
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: receivers, namespace: shop, labels: {app: load}}
        spec: {addresses: [198.19.0.0/16]}
        ---
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: first, namespace: shop, labels: {app: web}}
        spec: {addresses: [10.97.0.1]}
        ---
        apiVersion: bulkhead/v1
        kind: Policy
        metadata: {name: load, namespace: shop}
        spec:
          subject: {selector: 'app == "load"'}
          rules:
            - {action: allow, from: {selector: 'app == "load"'}, services: [any]}
            - {action: allow, to: {selector: 'app == "load"'}, services: [any]}

        """

    /// The generator keeps one processor busy whatever the rate: the first. The daemon has all others, and its worker the last of
    /// them. Clients, the sink and the test itself would be on other machines: they stay off both where there are more.
    static var processors: String { last > 1 ? "1-\(last)" : "\(last)" }
    /// Where clients run.
    static var clientProcessors: String { last > 1 ? "1-\(last - 1)" : "\(last)" }

    /// Has this process, all its threads and what they start, stay where clients run, until `body` is over.
    static func beside<Result>(_ body: () throws -> Result) throws -> Result {
        func hold(_ list: String) throws { try Command.run("taskset", "-a", "-p", "-c", list, "\(getpid())") }
        try hold(clientProcessors)
        defer { try? hold("0-\(last)") }
        return try body()
    }
    /// Where the worker runs.
    static var last: Int { ProcessInfo.processInfo.activeProcessorCount - 1 }

    /// What became of the frames of one sending.
    struct Outcome {
        /// Frames that were handed to web's port, and in how many seconds.
        let sent: Int
        let seconds: Double
        /// Those that did not reach db's.
        let lost: Int

        /// The share that was lost.
        var loss: Double { Double(max(0, lost)) / Double(max(1, sent)) }
        /// Frames a second that were sent.
        var offered: Double { Double(sent) / max(0.001, seconds) }
        /// Frames a second that arrived.
        var passed: Double { Double(sent - lost) / max(0.001, seconds) }
    }

    /// Sends for so many seconds; as fast as the generator can without a rate. Both ports have addresses, and are taken all the same.
    /// Of the flows a share is renewed each second.
    func send(rate: Int? = nil, seconds: Int, newShare: Double = 0) throws -> Outcome {
        struct Sent: Decodable {
            let frames: Int
            let seconds: Double
        }
        struct Counted: Decodable { let frames: Int }
        let sink = try Companion(
            lab.db.namespace.command([
                "taskset", "-c", Self.clientProcessors, Requirement.binary, "lab", "sink", "eth0", "--force", "--json",
            ]), in: lab.folder, name: "sink-\(UInt32.random(in: .min ... .max))")
        try sink.waitForLine(#"{"state":"listening"}"#, within: 10)
        let words = [
            "taskset", "-c", "0", Requirement.binary, "lab", "send", "eth0", "--force", "--to", "02:00:00:00:00:15",
            "--flows", "\(Self.flows)", "--new-share", "\(newShare)", "--duration", "\(seconds)", "--json",
        ]
        let said = try Command.run(lab.web.namespace.command(words + (rate.map { ["--rate", "\($0)"] } ?? [])))
        pause(0.5)
        let sent: Sent = try lastObject(in: said)
        let counted: Counted = try lastObject(in: try sink.end())
        return Outcome(sent: sent.frames, seconds: sent.seconds, lost: sent.frames - counted.frames)
    }

    /// The highest rate at which at most a thousandth is lost, to 2 % of what passes when more is offered than can; as
    /// `scripts/perf sustained` finds it.
    func sustainedRate() throws -> Int {
        let top = try send(seconds: 2).passed
        var (low, high, best) = (top * 0.3, top * 1.1, 0.0)
        while high - low > 0.02 * top {
            let rate = (low + high) / 2
            let outcome = try send(rate: Int(rate), seconds: 2)
            if outcome.loss <= 0.001 {
                low = rate
                // What was sent, where the generator could not keep the rate.
                best = max(best, min(rate, outcome.offered))
            } else {
                high = rate
            }
        }
        return Int(best > 0 ? best : low)
    }

    /// The rate that comparisons offer, and say: half of what is sustained. A search in which other programs had the worker's processor for
    /// a hundredth of the time has found too little, and is made again, five times at most.
    func halfOfSustained() throws -> Int {
        for search in 1... {
            let (before, began) = (try WorkerTimes(lab), Moment.now)
            let sustained = try sustainedRate()
            let waited = Double(try WorkerTimes(lab).waited - before.waited) / 1e6
            figure(
                "sustained",
                "\(sustained) frames a second of \(Self.flows) flows; the worker waited \(waited.short) ms for its processor")
            if waited <= Moment.now.milliseconds(since: began) / 100 || search == 5 { return sustained / 2 }
        }
        throw Trouble("there was no search")
    }

    /// A number from the environment.
    static func number(_ name: String, otherwise usual: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? usual
    }

    /// The last line of JSON, decoded.
    private func lastObject<Value: Decodable>(in text: String) throws -> Value {
        for line in text.split(separator: "\n").reversed() {
            if let found = try? JSONDecoder().decode(Value.self, from: Data(line.utf8)) { return found }
        }
        throw Trouble("there is no report in \(text)")
    }
}
