// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
internal import Net
public import Record

/// One sight of a captured frame as the API writes it and the client reads it.
public struct FrameReport: Codable, Hashable, Sendable {
    /// When the frame was handled, in nanoseconds since 1970: both sights of it have the same time.
    public var time: Int64
    /// before, after or generated.
    public var sight: String
    /// The port at which it was seen: that it came in by, or that it leaves by.
    public var port: String
    /// The frame's number in its worker with the worker's above it (16 bits): both sights of a frame share it, and what was sent because of it.
    public var number: UInt64
    /// Its length on the wire, without the check sequence.
    public var length: UInt32
    /// What became of it: forward, drop or reject.
    public var fate: String
    /// Why it was dropped, by the drop reason's name.
    public var reason: String?
    /// What there is to say of it, a line each: verdict, connection, what each side said, stamps.
    public var comment: [String]
    /// Its first bytes.
    public var bytes: Data

    /// A sight with its flow's event; `worker` is the number among all workers, `port` the name of the port at which it was seen.
    public init(_ frame: CapturedFrame, _ bytes: [UInt8], _ event: FlowEvent, worker: Int, port: String) {
        time = event.time.nanoseconds
        sight = CapturedFrame.Sight(rawValue: frame.sight)?.name ?? String(frame.sight)
        self.port = port
        number = UInt64(worker) << 48 | frame.serial & 0xffff_ffff_ffff
        length = frame.length
        fate = CapturedFrame.Fate(rawValue: frame.fate)?.name ?? String(frame.fate)
        reason = event.reason?.name
        comment = Self.comment(frame, event, worker: worker)
        self.bytes = Data(bytes)
    }

    private static func comment(_ frame: CapturedFrame, _ event: FlowEvent, worker: Int) -> [String] {
        var lines = [verdict(frame, event)]
        if let connection = connection(frame, event) { lines.append(connection) }
        if frame.marks & CapturedFrame.Marks.unread != 0 { lines.append("it could not be read to its end") }
        for cause in [event.explained.egress, event.explained.ingress].compactMap({ $0 }) {
            let report = CauseReport(cause, generation: event.record.generation)
            let tier = report.said.end == nil ? report.said.tier.map { ", tier \($0)" } ?? "" : ""
            lines.append("\(report.side): \(report.said.decision), \(report.text)\(tier)")
        }
        let stamps = event.record.generation > 0 ? "generation \(event.record.generation), epoch \(event.record.epoch), " : ""
        lines.append("\(stamps)worker \(worker), frame \(frame.serial)")
        return lines
    }

    /// What became of it, in words.
    private static func verdict(_ frame: CapturedFrame, _ event: FlowEvent) -> String {
        let reason = event.reason.map { " (\($0.name))" } ?? ""
        let fate = (CapturedFrame.Fate(rawValue: frame.fate)?.name ?? String(frame.fate)) + reason
        let held = frame.marks & CapturedFrame.Marks.held != 0 ? ", held for its first fragment" : ""
        switch CapturedFrame.Sight(rawValue: frame.sight) {
        case .before: return "before verdict: \(fate)\(held)"
        case .after: return "after verdict: \(fate)\(held)"
        case .generated: return "sent by Bulkhead because of a frame with verdict: \(fate)"
        case nil: return fate
        }
    }

    /// Who speaks with whom; `nil` of a frame without addresses.
    private static func connection(_ frame: CapturedFrame, _ event: FlowEvent) -> String? {
        let report = FlowReport(event)
        guard event.record.source.high | event.record.source.low != 0 || event.record.protocolNumber != 0 else { return nil }
        guard event.record.protocolNumber != 0 else { return "\(report.source.address) -> \(report.destination.address)" }
        let direction = frame.marks & CapturedFrame.Marks.reply != 0 ? ", reply" : ""
        let known = frame.marks & CapturedFrame.Marks.knownFlow != 0 ? "connection" : "packet"
        return "\(known) \(report.ends) \(report.service)\(direction)"
    }
}

extension FlowReport {
    /// Both ends with their workloads: `shop/web-1 (10.0.0.1:50000) -> 10.0.0.2:443`.
    public var ends: String { "\(Self.text(source)) -> \(Self.text(destination))" }
}
