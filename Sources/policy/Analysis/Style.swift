// SPDX-License-Identifier: Apache-2.0

/// How a report is written: with or without colour, for lines of so many columns.
public struct Style: Sendable {
    /// Whether escape sequences for colour may be written.
    public var isColoured: Bool
    /// Columns of a line; reports fold at it where they can.
    public var width: Int

    /// A style; plain text without one.
    public init(isColoured: Bool = false, width: Int = 100) {
        self.isColoured = isColoured
        self.width = max(40, width)
    }

    /// What a piece of text means.
    package enum Tone: String {
        case good = "32"
        case bad = "31"
        case warning = "33"
        case faint = "2"
        case strong = "1"
    }

    /// The text in its tone.
    package func paint(_ text: String, _ tone: Tone) -> String { isColoured ? "\u{1b}[\(tone.rawValue)m\(text)\u{1b}[0m" : text }

    /// Folds a text at blanks: the first line stands as it is, further ones begin with `indent`.
    package func fold(_ text: String, indent: String) -> String {
        var lines: [String] = []
        var line = ""
        var isFirst = true
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            if !line.isEmpty, line.count + 1 + word.count > width, line.contains(where: { $0 != " " }) {
                lines.append(line)
                line = indent + word
            } else {
                line += isFirst ? String(word) : " \(word)"
            }
            isFirst = false
        }
        return (lines + [line]).joined(separator: "\n")
    }
}
