// SPDX-License-Identifier: Apache-2.0
package import Analysis
internal import Foundation
internal import Net

extension FrameTrace {
    /// Every step on a line of its own with its time, and the tiers that policy went through below.
    package func lines(_ style: Style) -> [String] {
        let width = steps.map(\.name.count).max() ?? 0
        var lines = steps.map { step in
            let name = step.name + String(repeating: " ", count: width - step.name.count)
            let time = step.nanoseconds.map { style.paint("  [\(Self.text($0))]", .faint) } ?? ""
            let words = step.name == "verdict" ? style.paint(step.words, isGood ? .good : .bad) : step.words
            return style.fold("  \(style.paint(name, .strong))  \(words)", indent: String(repeating: " ", count: width + 4))
                + time
        }
        if let explanation {
            lines.append("")
            lines += explanation.text(style).split(separator: "\n", omittingEmptySubsequences: false).map {
                $0.isEmpty ? "" : "  \($0)"
            }
        } else if let unasked {
            lines.append("  policy is not asked: \(unasked)")
        }
        return lines
    }

    private var isGood: Bool { verdict == .forward }

    /// A time as people read it: nanoseconds, and from ten thousand on microseconds.
    private static func text(_ nanoseconds: Double) -> String {
        nanoseconds < 10_000
            ? "\(Int(nanoseconds.rounded())) ns" : "\(Int((nanoseconds / 1000).rounded())) µs"
    }

    /// The trace for machines.
    package var json: JSONText {
        .object([
            ("verdict", .text(verdict.name)), ("reason", .text(verdict.reason?.name)),
            ("frame", .text(frame.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())),
            (
                "steps",
                .list(
                    steps.map { step in
                        .object(
                            [
                                ("step", .text(step.name)), ("words", .text(step.words)),
                                ("nanoseconds", step.nanoseconds.map { .number(Int($0.rounded())) } ?? .null),
                            ] + step.facts)
                    })
            ),
            ("explanation", explanation.map { .written($0.json) } ?? .null), ("unasked", .text(unasked)),
        ])
    }
}
