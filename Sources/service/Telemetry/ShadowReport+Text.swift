// SPDX-License-Identifier: Apache-2.0

extension ShadowReport {
    /// The run for people: how it stands, what it has seen, and what it has not.
    public var summary: [String] {
        let safe = TerminalText.escaped
        let whose = namespace.map { "policies of namespace \(safe($0))" } ?? "a whole set"
        let standing =
            switch state {
            case "running": "runs until \(safe(until))" + (behind ? ", and is being compiled again for what has changed" : "")
            default: "has ended: \(safe(end ?? state))"
            }
        var lines = [
            "the candidate, \(whose) with \(rules) \(rules == 1 ? "rule" : "rules"), \(standing)",
            "begun \(safe(since)) by \(safe(actor))" + (reason.map { ": \(safe($0))" } ?? ""),
            "\(counts.judged) connections judged, \(counts.closes + counts.opens + counts.changes) decided otherwise: "
                + "\(counts.closes) closed, \(counts.opens) opened, \(counts.changes) denied in another way",
        ]
        if counts.unjudged + counts.untold > 0 {
            lines.append(
                "not judged: \(counts.unjudged) that policy alone does not decide, \(counts.untold) refusals told as a number only"
            )
        }
        let losses = [("worker", lost.worker), ("queue", lost.queue), ("table", lost.table), ("reader", lost.reader)].filter {
            $0.1 > 0
        }
        lines.append(
            losses.isEmpty ? "nothing was lost" : "lost: " + losses.map { "\($0.1) (\($0.0))" }.joined(separator: ", "))
        return lines
    }
}
