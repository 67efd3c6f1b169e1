// SPDX-License-Identifier: Apache-2.0
import Foundation

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
    /// them. Clients would be on other machines: they stay off both where there are more.
    static var processors: String { last > 1 ? "1-\(last)" : "\(last)" }
    /// Where clients run.
    static var clientProcessors: String { last > 1 ? "1-\(last - 1)" : "\(last)" }
    private static var last: Int { ProcessInfo.processInfo.activeProcessorCount - 1 }

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
    func send(rate: Int? = nil, seconds: Int) throws -> Outcome {
        struct Sent: Decodable {
            let frames: Int
            let seconds: Double
        }
        struct Counted: Decodable { let frames: Int }
        let sink = try Companion(
            lab.db.namespace.command([Requirement.binary, "lab", "sink", "eth0", "--force", "--json"]), in: lab.folder,
            name: "sink-\(UInt32.random(in: .min ... .max))")
        try sink.waitForLine(#"{"state":"listening"}"#, within: 10)
        let words = [
            "taskset", "-c", "0", Requirement.binary, "lab", "send", "eth0", "--force", "--to", "02:00:00:00:00:15",
            "--flows", "\(Self.flows)", "--duration", "\(seconds)", "--json",
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

    /// Nanoseconds for which the workers of a data process have run: the clock of their threads, which counts what they spend in the
    /// kernel too. The clock ticks of `stat` are too coarse for a comparison.
    static func workerTime(of data: Int32) throws -> UInt64 {
        let threads = "/proc/\(data)/task"
        var (time, workers): (UInt64, Int) = (0, 0)
        for thread in try FileManager.default.contentsOfDirectory(atPath: threads) {
            // Other threads come and go.
            let name = try? String(contentsOfFile: "\(threads)/\(thread)/comm", encoding: .utf8)
            guard let name, name.hasPrefix("worker-") else { continue }
            // proc(5), schedstat: time on a processor, time in the run queue, slices.
            let line = try String(contentsOfFile: "\(threads)/\(thread)/schedstat", encoding: .utf8)
            guard let used = line.split(separator: " ").first.flatMap({ UInt64($0) }) else {
                throw Trouble("the time of \(name) cannot be read: \(line)")
            }
            (time, workers) = (time + used, workers + 1)
        }
        guard workers > 0 else { throw Trouble("data process \(data) has no worker") }
        return time
    }

    /// The last line of JSON, decoded.
    private func lastObject<Value: Decodable>(in text: String) throws -> Value {
        for line in text.split(separator: "\n").reversed() {
            if let found = try? JSONDecoder().decode(Value.self, from: Data(line.utf8)) { return found }
        }
        throw Trouble("there is no report in \(text)")
    }
}
