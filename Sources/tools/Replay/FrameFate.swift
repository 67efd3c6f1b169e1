// SPDX-License-Identifier: Apache-2.0
public import Net

/// What became of a frame of the capture.
public struct FrameFate: Sendable, Equatable {
    /// The frame's place in the file, from 1.
    public var frame: Int
    /// `forward`, `drop`, `reject`, or `hold` where it still waited at the end.
    public var verdict: Verdict
    /// The flow that it belongs to, as `protocol initiator > responder`, if it belongs to one.
    public var flow: String?
    /// How far that flow has come behind the frame.
    public var state: String?
    /// The frame whose arrival released it, where it was held.
    public var releasedBy: Int?

    /// The fate on one line of JSON: `{"frame", "verdict", "reason", "flow", "state", "released_by"}`, what does not apply left out.
    public var json: String {
        var fields = ["\"frame\": \(frame)", "\"verdict\": \"\(verdict.name)\""]
        if let reason = verdict.reason { fields.append("\"reason\": \"\(reason.name)\"") }
        // Names and addresses of ours: nothing in them needs to be escaped.
        if let flow { fields.append("\"flow\": \"\(flow)\"") }
        if let state { fields.append("\"state\": \"\(state)\"") }
        if let releasedBy { fields.append("\"released_by\": \(releasedBy)") }
        return "{" + fields.joined(separator: ", ") + "}"
    }

    /// The fate on one line for people.
    public var text: String {
        let head = "\(frame)\t\(verdict.name)"
        let reason = verdict.reason.map { " (\($0.name))" } ?? ""
        let place = flow.map { "\t\($0)" } ?? ""
        let stage = state.map { " \($0)" } ?? ""
        return head + reason + place + stage + (releasedBy.map { "\treleased by \($0)" } ?? "")
    }
}

/// A capture in figures.
public struct ReplaySummary: Sendable, Equatable {
    /// Frames read.
    public internal(set) var frames = 0
    /// Frames that left.
    public internal(set) var forwarded = 0
    /// Frames that ended, by reason; rejected ones among them.
    public internal(set) var dropped: [DropReason: Int] = [:]
    /// Frames that ended and whose sender was told, if a reply could be written.
    public internal(set) var rejected = 0
    /// Frames that still waited at the end.
    public internal(set) var held = 0
    /// Frames of which the capture holds only the beginning.
    public internal(set) var shortened = 0
    /// Flows that were live at the end.
    public internal(set) var flows = 0

    /// One object: `{"summary": {…}}`.
    public var json: String {
        let reasons = dropped.sorted { $0.key.number < $1.key.number }.map { "\"\($0.key.name)\": \($0.value)" }
        let counts = [
            "\"frames\": \(frames)", "\"forwarded\": \(forwarded)", "\"dropped\": {\(reasons.joined(separator: ", "))}",
            "\"rejected\": \(rejected)", "\"held\": \(held)", "\"shortened\": \(shortened)", "\"flows\": \(flows)",
        ]
        return "{\"summary\": {\(counts.joined(separator: ", "))}}"
    }

    /// A few lines for people.
    public var text: String {
        let ended = dropped.values.reduce(0, +)
        let often = dropped.sorted { ($1.value, $0.key.number) < ($0.value, $1.key.number) }
        let reasons = often.map { "\($0.key.name) \($0.value)" }
        var lines = ["\(frames) frames: \(forwarded) forwarded, \(ended) dropped, \(held) held; \(flows) flows live at the end"]
        if !reasons.isEmpty { lines.append("dropped: " + reasons.joined(separator: ", ")) }
        if shortened > 0 { lines.append("\(shortened) frames are recorded in part only and read as truncated") }
        return lines.joined(separator: "\n")
    }
}
