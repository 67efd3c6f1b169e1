// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Lab {
    /// Starts `bulkhead run` in the appliance and waits until policy is in force.
    @discardableResult
    func start(_ options: String..., within seconds: Double = 30) throws -> Companion {
        let run = try launch(options)
        try run.waitForLine("ready", within: seconds)
        return run
    }

    /// Starts `bulkhead run` in the appliance and waits for nothing.
    func launch(_ options: [String] = []) throws -> Companion {
        let arguments = settings.launcher + [Requirement.binary, "run", "--config", configurationFile.path] + options
        let run = try Companion(
            appliance.command(arguments), in: folder, name: "run-\(runs.count + 1)",
            // A process that is killed, or dies, must be gone at once.
            environment: ["SWIFT_BACKTRACE": "enable=no"])
        remember(run)
        return run
    }

    /// What the daemon says about itself.
    func status() throws -> Status {
        let text = try Command.run(Requirement.binary, "status", "--json", "--socket", socket)
        return try JSONDecoder().decode(Status.self, from: Data(text.utf8))
    }

    /// The counters once nothing moves any more: what is on its way has arrived, and control has read it.
    func quietStatus() throws -> Status {
        var last = try status()
        try eventually("counters at rest", within: 10, every: 0.3) {
            let next = try status()
            defer { last = next }
            return next.ports.map(\.frames) == last.ports.map(\.frames)
        }
        return last
    }

    /// Waits until a process was started again after it had this number, and its sockets answer.
    @discardableResult
    func waitForRestart(of name: String, after pid: Int32, within seconds: Double) throws -> Double {
        try eventually("a new \(name) process", within: seconds, every: 0.01) {
            // While control is away nobody answers.
            guard let found = try? status().process(name) else { return false }
            return found.pid != pid && found.pid > 0
        }
    }
}

/// `bulkhead status --json`, as far as tests read it.
struct Status: Decodable {
    struct Process: Decodable {
        let name: String
        let pid: Int32
        let restarts: Int
    }
    struct Pair: Decodable {
        let name: String
        let mode: String
    }
    struct Queue: Decodable, Equatable {
        let queue: Int
        let received: UInt64
        let forwarded: UInt64
        let generated: UInt64
        let held: UInt64
        let dropped: [String: UInt64]
        let kernel: [String: UInt64]

        /// Frames that ended here, for whatever reason.
        var allDropped: UInt64 { dropped.values.reduce(0, +) }
    }
    struct Port: Decodable, Equatable {
        let name: String
        let pair: String
        let link: String
        let xdp: String
        let copy: String
        let queues: [Queue]

        /// Over all queues.
        var received: UInt64 { queues.reduce(0) { $0 + $1.received } }
        /// Over all queues.
        var forwarded: UInt64 { queues.reduce(0) { $0 + $1.forwarded } }
        /// Over all queues.
        var generated: UInt64 { queues.reduce(0) { $0 + $1.generated } }
        /// What was counted of frames, by queue. The kernel's statistics are left out: it counts each look into an empty ring,
        /// and an idle worker looks ten times a second.
        var frames: [[UInt64]] { queues.map { [$0.received, $0.forwarded, $0.generated, $0.held, $0.allDropped] } }
        /// Over all queues, for one reason.
        func dropped(_ reason: String) -> UInt64 { queues.reduce(0) { $0 + ($1.dropped[reason] ?? 0) } }
    }
    struct Flows: Decodable {
        let capacity: UInt64
        let used: UInt64
        let waiting: UInt64?
        let evicted: UInt64?
        let grace: UInt64
        let replaced: UInt64
        let admitted: UInt64
        let refused: UInt64
    }

    struct Records: Decodable {
        struct Loss: Decodable {
            let place: String
            let records: UInt64
            let admitted: UInt64
            let refused: UInt64
        }
        let taken: UInt64
        let lost: [Loss]
        let unlogged: UInt64
    }

    struct Checksums: Decodable {
        let completed: UInt64
    }

    struct Policy: Decodable {
        let revision: Int?
        let outcome: String
        let filesDiffer: Bool
        let registrations: Int

        enum CodingKeys: String, CodingKey {
            case revision, outcome, registrations
            case filesDiffer = "files_differ"
        }
    }

    struct Condition: Decodable {
        let name: String
        let detail: String
    }

    let generation: Int
    let epoch: Int
    let processes: [Process]
    let pairs: [Pair]
    let ports: [Port]
    let flows: Flows
    let checksums: Checksums
    let policy: Policy?
    let conditions: [Condition]?
    let records: Records?

    /// keeper, data or control.
    func process(_ name: String) throws -> Process {
        guard let found = processes.first(where: { $0.name == name }) else { throw Trouble("status shows no \(name)") }
        return found
    }

    /// A port by its name.
    func port(_ name: String) throws -> Port {
        guard let found = ports.first(where: { $0.name == name }) else { throw Trouble("status shows no port \(name)") }
        return found
    }

    /// Over all ports and queues, for one reason.
    func dropped(_ reason: String) -> UInt64 { ports.reduce(0) { $0 + $1.dropped(reason) } }
}

/// Whether a process is there and not a corpse that its parent has not buried.
func isAlive(_ pid: Int32) -> Bool {
    guard let line = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let state = line.split(separator: ")").last?.split(separator: " ").first
    else { return false }
    return state != "Z" && state != "X"
}
