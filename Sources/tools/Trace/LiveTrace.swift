// SPDX-License-Identifier: Apache-2.0
package import Analysis
internal import Flow
internal import Foundation
internal import Net
package import Telemetry

/// A live connection as its worker has it, and what its next frames get.
package struct LiveTrace: Sendable {
    /// What the workers answered.
    package var report: TraceReport
    /// What both ends send next, and what becomes of it.
    package var next: [NextFrame]

    /// What was answered and foretold.
    package init(_ report: TraceReport, next: [NextFrame]) {
        self.report = report
        self.next = next
    }

    /// The trace for people.
    package func lines(_ style: Style) -> [String] {
        var lines: [String] = []
        if let live = report.live {
            lines += told(live, style)
        } else {
            let count = report.answers.count
            lines.append(
                "  " + style.paint("not found", .warning) + ": \(count) worker\(count == 1 ? "" : "s") answered, none has it")
        }
        if !report.silent.isEmpty {
            let numbers = report.silent.map(String.init).joined(separator: ", ")
            lines.append(style.paint("  no answer within a second from worker \(numbers): it may be one of theirs", .warning))
        }
        return lines
    }

    private func told(_ live: LiveConnection, _ style: Style) -> [String] {
        let answer = report.answers.first { $0.worker == live.worker }
        var lines: [(String, String)] = []
        lines.append(
            (
                "worker",
                "\(live.worker), queue \(live.flow.queue) of \(live.flow.pair)"
                    + (answer.map { "; answered after \(Self.text(milliseconds: $0.microseconds / 1000))" } ?? "")
            ))
        lines.append(("opened", "\(Self.text(live.flow.source)) -> \(Self.text(live.flow.destination)), in by \(live.flow.port)"))
        if !live.flow.vlans.isEmpty {
            lines.append(("VLANs", live.flow.vlans.map(String.init).joined(separator: " in ")))
        }
        lines.append(("state", live.state + (marks(live).isEmpty ? "" : " (\(marks(live).joined(separator: ", ")))")))
        lines.append(("first seen", "\(live.flow.firstSeen), \(Self.text(milliseconds: live.age)) ago"))
        lines.append(("last seen", "\(Self.text(milliseconds: live.quiet)) ago; \(expiry(live))"))
        lines.append(("there", Self.text(live.flow.forward, live.forward)))
        lines.append(("back", Self.text(live.flow.reverse, live.reverse)))
        lines.append(("judged", stamps(live)))
        for (name, side) in [("egress", live.flow.egress), ("ingress", live.flow.ingress)] {
            lines.append((name, side.map(Self.text) ?? "no side judges it"))
        }
        lines.append(
            ("change", live.change + (live.change == "drain" ? " for \(live.drainSeconds) s" : "") + ", when policy ends it"))
        for next in next {
            let verdict = style.paint(next.verdict.words, next.verdict == .forward ? .good : .bad)
            lines.append(
                ("next", "from the \(next.from), \(next.frame): \(verdict)" + (next.state.map { "; flow \($0)" } ?? "; no flow")))
        }
        let width = lines.map(\.0.count).max() ?? 0
        return lines.map { name, words in
            let padded = name + String(repeating: " ", count: width - name.count)
            return style.fold("  \(style.paint(padded, .strong))  \(words)", indent: String(repeating: " ", count: width + 4))
        }
    }

    /// Generation and epoch that judged it, against those in force.
    private func stamps(_ live: LiveConnection) -> String {
        let (generation, epoch) = (live.flow.generation, live.flow.epoch)
        var words =
            "by generation \(generation)"
            + (generation == report.generation ? " (in force)" : " (\(report.generation) is in force)")
        words += ", epoch \(epoch)" + (epoch == report.epoch ? " (in force)" : " (\(report.epoch) is in force)")
        if !isCurrent(live) { words += "; its next frame is judged again" }
        if let lapse = live.lapse {
            words +=
                lapse.seconds == 0
                ? "; its verdict has lapsed" : "; its verdict holds for \(Self.text(milliseconds: lapse.seconds * 1000))"
        }
        return words
    }

    /// Whether the next frame passes under the verdict that it has.
    package func isCurrent(_ live: LiveConnection) -> Bool {
        live.flow.generation == report.generation && live.flow.epoch == report.epoch && live.lapse?.seconds != 0
    }

    private func expiry(_ live: LiveConnection) -> String {
        let left = live.timeout > live.quiet ? live.timeout - live.quiet : 0
        return "ends after \(Self.text(milliseconds: live.timeout)) of silence"
            + (left == 0 ? ", which are over" : ", in \(Self.text(milliseconds: left))")
    }

    /// The marks of its entry, by name.
    private func marks(_ live: LiveConnection) -> [String] {
        let names: [(FlowMarks, String)] = [
            (.failsafe, "failsafe"), (.expectsReplies, "expects replies"), (.inspected, "inspected"), (.pickedUp, "picked up"),
            (.outlived, "outlives the policy that allowed it"), (.responderElsewhere, "responder's address is of another zone"),
        ]
        return names.filter { FlowMarks(rawValue: live.marks).contains($0.0) }.map(\.1)
    }

    private static func text(_ end: FlowReport.End) -> String {
        let host = end.address.contains(":") && end.port != nil ? "[\(end.address)]" : end.address
        let address = end.port.map { "\(host):\($0)" } ?? host
        return TerminalText.escaped(end.workload.map { "\($0) (\(address))" } ?? address)
            + " in \(TerminalText.escaped(end.zone))"
    }

    private static func text(_ count: FlowReport.Count, _ window: LiveConnection.Window?) -> String {
        var words = "\(count.frames) frames, \(count.bytes) bytes"
        guard let window else { return words }
        words += ", sent \(TCPFlags(rawValue: window.flags).words)"
        guard window.marks & TCPWindow.known != 0 else { return words + ", window not known" }
        words += "; next \(window.end), expects \(window.acknowledged), window \(window.maximum)"
        return words + (window.scale == 255 || window.scale == 0 ? "" : " << \(window.scale)")
    }

    private static func text(_ side: SideReport) -> String {
        guard let end = side.end else {
            return TerminalText.escaped(
                "\(side.decision) by policy \(side.policy ?? "?") rule \(side.rule ?? "?"), tier \(side.tier ?? "?")")
        }
        return TerminalText.escaped("\(side.decision) by the end \(end)" + (side.tier.map { " of tier \($0)" } ?? ""))
    }

    /// A length of time in two of its units.
    static func text(milliseconds: UInt64) -> String {
        if milliseconds < 10_000 { return "\(milliseconds) ms" }
        let seconds = milliseconds / 1000
        if seconds < 600 { return "\(seconds) s" }
        if seconds < 7200 { return "\(seconds / 60) min \(seconds % 60) s" }
        return seconds < 864_000
            ? "\(seconds / 3600) h \(seconds % 3600 / 60) min" : "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
    }

    /// The trace for machines.
    package func json() throws -> JSONText {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let answers = String(decoding: try encoder.encode(report), as: UTF8.self)
        return .object([
            ("answers", .written(answers)), ("current", report.live.map { .truth(isCurrent($0)) } ?? .null),
            (
                "next",
                .list(
                    next.map { next in
                        .object([
                            ("from", .text(next.from)), ("frame", .text(next.frame)), ("verdict", .text(next.verdict.name)),
                            ("reason", .text(next.verdict.reason?.name)), ("state", .text(next.state)),
                        ])
                    })
            ),
        ])
    }
}
