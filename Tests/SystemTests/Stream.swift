// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A stream of numbered, time-stamped UDP frames from one workload to another (Tests/Traffic/stream.py).
final class Stream {
    private let sender: Companion
    private let receiver: Companion
    private let file: URL

    /// Starts the receiver, then the sender; the stream runs when this returns.
    init(
        _ lab: Lab, from source: Lab.Workload, to destination: Lab.Workload, port: Int = Lab.allowedPort, rate: Int = 10_000,
        family: Lab.Family = .ipv4
    ) throws {
        let program = Requirement.traffic.appending(path: "stream.py").path
        let name = "stream-\(port)-\(UInt32.random(in: .min ... .max))"
        file = lab.folder.appending(path: name + ".frames")
        let target = destination.address(family)
        receiver = try Companion(
            destination.namespace.command([program, "receive", target, "\(port)", file.path]), in: lab.folder, name: name + "-to")
        try receiver.waitForLine("listening", within: 10)
        sender = try Companion(
            source.namespace.command([program, "send", target, "\(port)", "\(rate)"]), in: lab.folder, name: name + "-from")
        pause(0.3)
    }

    /// Ends the sender, waits until what is on its way must have arrived, and reads what came.
    func finish() throws -> Arrivals {
        struct Sent: Decodable {
            let sent: Int
            let errors: Int
        }
        let said = try sender.end()
        pause(0.5)
        try receiver.end()
        let sent = try JSONDecoder().decode(Sent.self, from: Data(said.utf8))
        return Arrivals(try Data(contentsOf: file), sent: sent.sent, errors: sent.errors)
    }
}

/// What came out of a stream, in order of arrival.
struct Arrivals {
    /// A frame that arrived.
    struct Frame {
        /// Its number, from 0.
        let number: UInt64
        /// When it was sent.
        let sent: Moment
        /// When the kernel received it.
        let arrived: Moment
    }

    let frames: [Frame]
    /// Frames that the sender's kernel took.
    let sent: Int
    /// Frames that it did not take, for want of a link or of room.
    let errors: Int

    init(_ data: Data, sent: Int, errors: Int) {
        let words = data.count / 8
        // Unaligned loads inside the bounds of the data, whose bytes live for this closure.
        let values = unsafe data.withUnsafeBytes { bytes in
            (0..<words).map { unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
        }
        frames = stride(from: 0, to: words - words % 3, by: 3).map {
            Frame(number: values[$0], sent: Moment(nanoseconds: values[$0 + 1]), arrived: Moment(nanoseconds: values[$0 + 2]))
        }
        self.sent = sent
        self.errors = errors
    }

    /// Frames that were sent and never came.
    var lost: Int { sent - Set(frames.map(\.number)).count }

    /// Frames that came twice.
    var duplicated: Int { frames.count - Set(frames.map(\.number)).count }

    /// Frames that came after a later one.
    var outOfOrder: Int { zip(frames, frames.dropFirst()).count { $0.number > $1.number } }

    /// The longest time from sending to arrival, in milliseconds.
    var latest: Double { frames.map { $0.arrived.milliseconds(since: $0.sent) }.max() ?? 0 }

    /// The longest time without service, in milliseconds: from one arrival to the next where frames are missing between them, else from
    /// when a frame was both sent and next in turn. A sender that pauses makes no gap.
    var gap: Double {
        zip(frames, frames.dropFirst()).map { earlier, later in
            let isNext = later.number == earlier.number + 1
            return later.arrived.milliseconds(since: isNext ? max(earlier.arrived, later.sent) : earlier.arrived)
        }.max() ?? .infinity
    }

    /// Frames that were sent before one moment and came after another one.
    func count(sentBefore: Moment, arrivedAfter: Moment) -> Int {
        frames.count { $0.sent < sentBefore && $0.arrived > arrivedAfter }
    }

    /// One line for the log.
    var summary: String {
        "\(sent) sent, \(lost) lost, \(duplicated) twice, \(outOfOrder) out of order, gap \(gap.short) ms, "
            + "latest \(latest.short) ms"
    }
}
