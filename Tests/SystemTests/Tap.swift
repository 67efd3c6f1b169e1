// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Watches what arrives at a workload's interface, before any checksum is looked at (Tests/Traffic/tap.py).
final class Tap {
    /// A frame that arrived.
    struct Frame: Decodable {
        let time: UInt64
        /// IP protocol number, or the negative EtherType.
        let `protocol`: Int
        let source: String
        let destination: String
        let source_port: Int
        /// Destination port, or ICMP type.
        let port: Int
    }

    private let process: Companion
    private let file: URL

    /// Watches from now on.
    init(_ lab: Lab, at workload: Lab.Workload) throws {
        let program = Requirement.traffic.appending(path: "tap.py").path
        let name = "tap-\(UInt32.random(in: .min ... .max))"
        file = lab.folder.appending(path: name + ".jsonl")
        process = try Companion(
            workload.namespace.command([program, workload.interface.name, file.path]), in: lab.folder, name: name)
        try process.waitForLine("listening", within: 10)
    }

    /// Waits until what is on its way must have arrived, ends, and tells everything that came.
    func finish() throws -> [Frame] {
        pause(0.3)
        try process.end()
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(Frame.self, from: Data($0.utf8))
        }
    }
}

/// The programs of Tests/Traffic/transfer.py.
enum Transfer {
    /// What a checked transfer says.
    struct Outcome: Decodable {
        struct Answer: Decodable {
            let bytes: Int
            let sha256: String
        }
        let bytes: Int
        let sha256: String
        let answer: Answer
        let seconds: Double
    }
    /// What asking for echoes says.
    struct Echoes: Decodable {
        let asked: Int
        let answered: Int
    }
    /// What an attempt to connect says.
    struct Attempt: Decodable {
        let connected: Bool
        let error: String
    }

    /// What became of a datagram that somebody answers with an error.
    struct Refusal: Decodable {
        /// The error's name, as `errno` has it; empty when none came.
        let error: String
    }
    /// What was found out about the way to an echo.
    struct Discovery: Decodable {
        /// Its MTU.
        let mtu: Int
        /// Bytes of the largest datagram that came back.
        let answered: Int
    }
    /// How many datagrams were sent.
    struct Sent: Decodable {
        let sent: Int
    }

    private static let program = Requirement.traffic.appending(path: "transfer.py").path

    /// Starts `serve` or `echo` at a workload and waits until it listens.
    static func serve(_ lab: Lab, _ verb: String, at workload: Lab.Workload, address: String, port: Int) throws -> Companion {
        let server = try Companion(
            workload.namespace.command([program, verb, address, "\(port)"]), in: lab.folder,
            name: "\(verb)-\(port)-\(UInt32.random(in: .min ... .max))")
        try server.waitForLine("listening", within: 10)
        return server
    }

    /// Joins a group at a workload's interface and counts the datagrams to it.
    static func join(_ lab: Lab, at workload: Lab.Workload, group: String, port: Int) throws -> Companion {
        try count(lab, at: workload, ["join", group, "\(port)", workload.interface.name])
    }

    /// Counts the datagrams to a port.
    static func listen(_ lab: Lab, at workload: Lab.Workload, port: Int) throws -> Companion {
        try count(lab, at: workload, ["count", "0.0.0.0", "\(port)"])
    }

    private static func count(_ lab: Lab, at workload: Lab.Workload, _ words: [String]) throws -> Companion {
        let counter = try Companion(
            workload.namespace.command([program] + words), in: lab.folder,
            name: "count-\(UInt32.random(in: .min ... .max))")
        try counter.waitForLine("listening", within: 10)
        return counter
    }

    /// Ends a counter; how many datagrams it heard.
    static func heard(_ counter: Companion) throws -> Int {
        struct Heard: Decodable { let heard: Int }
        let last = try counter.end().split(separator: "\n").last ?? ""
        return try JSONDecoder().decode(Heard.self, from: Data(last.utf8)).heard
    }

    /// Runs `send`, `ask`, `connect`, `refused`, `mtu` or `cast` at a workload to its end.
    static func run<Outcome: Decodable>(
        _ verb: String, at workload: Lab.Workload, address: String, port: Int, _ amount: Int
    ) throws -> Outcome {
        let text = try workload.namespace.run(program, verb, address, "\(port)", "\(amount)")
        return try JSONDecoder().decode(Outcome.self, from: Data(text.utf8))
    }
}
