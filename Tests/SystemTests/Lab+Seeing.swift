// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

extension Lab {
    /// The flows that `bulkhead flows` finds, up to 100,000.
    func flows(_ conditions: String...) throws -> [SeenFlow] { try flows(conditions) }

    /// The flows that `bulkhead flows` finds, up to 100,000.
    func flows(_ conditions: [String]) throws -> [SeenFlow] {
        try bulkhead(["flows", "--json", "--last", "100000"] + conditions).expectSuccess().output.split(separator: "\n").map {
            try JSONDecoder().decode(SeenFlow.self, from: Data($0.utf8))
        }
    }

    /// Has web send a datagram to each of db's ports.
    func scan(ports: Range<Int>, rate: Int = 2000) throws {
        try scan("udp", "\(ports.lowerBound)", "\(ports.upperBound)", "\(rate)")
    }

    /// Has web try connections to a port of db's, one after the other.
    func attempt(port: Int, count: Int = 1) throws { try scan("tcp", "\(port)", "\(count)") }

    private func scan(_ kind: String, _ arguments: String...) throws {
        let program = Requirement.traffic.appending(path: "scan.py").path
        try Command.run(web.namespace.command([program, kind, db.ipv4] + arguments))
    }
}

/// A flow as `bulkhead flows --json` and the log file tell it, as far as tests read it.
struct SeenFlow: Decodable {
    struct End: Decodable {
        let address: String
        let port: Int?
        let workload: String?
    }
    struct Frames: Decodable {
        let frames: UInt64
        let bytes: UInt64
    }
    struct Cause: Decodable {
        struct Near: Decodable { let policy: String }
        let side: String
        let nearest: [Near]
    }
    let event: String
    let decision: String
    let reason: String?
    let audit: String?
    let source: End
    let destination: End
    let forward: Frames
    let reverse: Frames
    let suppressed: UInt64
    let cause: Cause?
}
