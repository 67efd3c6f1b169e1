// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// The outcome of many tests.
public enum TrialReport {
    /// For people: every sentence that is not true with its place and a connection that shows it, and the counts.
    public static func text(_ trials: [Trial], _ style: Style = Style()) -> String {
        var lines: [String] = []
        for trial in trials {
            lines.append("\(trial.test.name): " + counts([trial], style))
            for finding in trial.findings {
                guard let failure = finding.failure else { continue }
                let word = style.paint(finding.isError ? "error" : "false", .bad)
                lines.append(style.fold("  \(word): \(finding.expectation.text) (\(finding.expectation.place))", indent: "    "))
                lines.append(style.fold("    \(failure)", indent: "      "))
            }
        }
        if trials.count != 1 { lines.append(counts(trials, style)) }
        return lines.joined(separator: "\n")
    }

    private static func counts(_ trials: [Trial], _ style: Style) -> String {
        let all = trials.reduce(0) { $0 + $1.findings.count }
        let failed = trials.reduce(0) { $0 + $1.failures }
        let text = "\(all - failed) of \(all) " + (all == 1 ? "expectation holds" : "expectations hold")
        return style.paint(text, failed == 0 ? .good : .bad)
    }

    /// For machines, as one JSON document.
    public static func json(_ trials: [Trial]) -> String {
        let all = trials.reduce(0) { $0 + $1.findings.count }
        let failed = trials.reduce(0) { $0 + $1.failures }
        return JSONText.object([
            ("passed", .number(all - failed)), ("failed", .number(failed)),
            (
                "tests",
                .list(
                    trials.map { trial in
                        .object([
                            ("name", .text(trial.test.name.description)),
                            ("expectations", .list(trial.findings.map(json))),
                        ])
                    })
            ),
        ]).line
    }

    private static func json(_ finding: Trial.Finding) -> JSONText {
        .object([
            ("text", .text(finding.expectation.text)), ("place", .text(finding.expectation.place.description)),
            ("outcome", .text(finding.failure == nil ? "true" : finding.isError ? "error" : "false")),
            ("failure", .text(finding.failure)),
        ])
    }

    /// For build servers, as JUnit writes it: a suite for each test, a case for each sentence.
    public static func junit(_ trials: [Trial]) -> String {
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
        let all = trials.flatMap(\.findings)
        lines.append("<testsuites name=\"bulkhead policy test\" \(counts(all))>")
        for trial in trials {
            lines.append("  <testsuite name=\"\(XMLText.escaped(trial.test.name.description))\" \(counts(trial.findings))>")
            for finding in trial.findings {
                let head =
                    "    <testcase classname=\"\(XMLText.escaped(trial.test.name.description))\" "
                    + "name=\"\(XMLText.escaped(finding.expectation.text))\" file=\"\(XMLText.escaped(finding.expectation.place.file))\" "
                    + "line=\"\(finding.expectation.place.line)\""
                guard let failure = finding.failure else {
                    lines.append(head + "/>")
                    continue
                }
                let tag = finding.isError ? "error" : "failure"
                lines += [head + ">", "      <\(tag) message=\"\(XMLText.escaped(failure))\"/>", "    </testcase>"]
            }
            lines.append("  </testsuite>")
        }
        return (lines + ["</testsuites>"]).joined(separator: "\n") + "\n"
    }

    private static func counts(_ findings: [Trial.Finding]) -> String {
        let errors = findings.count(where: \.isError)
        return "tests=\"\(findings.count)\" failures=\"\(findings.count { $0.failure != nil } - errors)\" errors=\"\(errors)\""
    }
}

/// Text as XML and SVG hold it.
enum XMLText {
    /// With the five characters that mean something else written out, and without those that no document may have (XML 1.0, 2.2).
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&apos;"
            case "\n", "\t", "\r": escaped += " "
            case _ where scalar.value < 0x20 || scalar.value == 0xfffe || scalar.value == 0xffff: escaped += "?"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
