// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// Whole frames by hand (Tests/Traffic/frames.py): what no socket of this kernel would send.
enum Frames {
    private static let program = Requirement.traffic.appending(path: "frames.py").path

    /// Sends frames from a workload's interface, in order.
    static func send(_ packets: [Packet], _ lab: Lab, from workload: Lab.Workload, rate: Int = 0) throws {
        let file = lab.folder.appending(path: "frames-\(UInt32.random(in: .min ... .max)).txt")
        let lines = packets.map { hexadecimal($0.bytes) + "\n" }
        try lines.joined().write(to: file, atomically: true, encoding: .utf8)
        let line = "\(program) send \(workload.interface.name) \(rate > 0 ? "\(rate)" : "") < \(file.path)"
        try Command.run(workload.namespace.command(["sh", "-c", line]))
    }

    /// Watches whole frames at a workload's interface.
    final class Watch {
        private let process: Companion
        private let file: URL

        /// Watches from now on.
        init(_ lab: Lab, at workload: Lab.Workload) throws {
            let name = "watch-\(UInt32.random(in: .min ... .max))"
            file = lab.folder.appending(path: name + ".txt")
            process = try Companion(
                workload.namespace.command([Frames.program, "watch", workload.interface.name, file.path]), in: lab.folder,
                name: name)
            try process.waitForLine("listening", within: 10)
        }

        /// Waits until what is on its way must have arrived, ends, and tells the frames that came, in hexadecimal. What the kernel at the
        /// other end says of its IPv6 memberships (to ff02::16) comes at its own time, and is left out.
        func finish() throws -> [String] {
            pause(0.3)
            try process.end()
            return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init).filter {
                !$0.hasPrefix("333300000016")
            }
        }
    }

    /// What came of frames that were sent from one end: those that reached the other, in hexadecimal, and the counters' changes.
    struct Outcome {
        let arrived: [String]
        let before: Status
        let after: Status

        /// How much more was dropped for a reason, over all ports.
        func dropped(_ reason: String) -> UInt64 { after.dropped(reason) - before.dropped(reason) }

        /// Everything that was dropped in between, by reason.
        var drops: [String: UInt64] {
            let reasons = Set(after.ports.flatMap { $0.queues.flatMap(\.dropped.keys) })
            return reasons.reduce(into: [:]) { result, reason in
                if dropped(reason) > 0 { result[reason] = dropped(reason) }
            }
        }

        /// Whether exactly these packets arrived, byte for byte and in order.
        func isExactly(_ packets: [Packet]) -> Bool { arrived == packets.map { hexadecimal($0.bytes) } }
    }

    /// Sends frames from one end and watches the other. Every queue's books must balance afterwards. A worker that the machine held up
    /// drops what waited for it, as it should (`stale`): then it is tried again.
    static func cross(
        _ packets: [Packet], _ lab: Lab, from source: Lab.Workload, to destination: Lab.Workload, rate: Int = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        // Without a listener the other end's kernel would answer datagrams with ICMP errors.
        let listener = try Transfer.listen(lab, at: destination, port: Lab.allowedPort)
        for _ in 0..<5 {
            let before = try lab.status()
            let watch = try Watch(lab, at: destination)
            try send(packets, lab, from: source, rate: rate)
            let arrived = try watch.finish()
            let after = try lab.quietStatus()
            after.expectBalance(sourceLocation)
            let outcome = Outcome(arrived: arrived, before: before, after: after)
            if outcome.dropped("stale") == 0 {
                _ = try Transfer.heard(listener)
                return outcome
            }
        }
        throw Trouble("the machine holds the workers up all the time")
    }
}

extension Status {
    /// On each queue: received = forwarded + dropped + held.
    func expectBalance(_ sourceLocation: SourceLocation = #_sourceLocation) {
        for port in ports {
            for queue in port.queues {
                #expect(
                    queue.received == queue.forwarded + queue.allDropped + queue.held, "\(port.name) \(queue.queue)",
                    sourceLocation: sourceLocation)
            }
        }
    }
}
