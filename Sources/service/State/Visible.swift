// SPDX-License-Identifier: Apache-2.0

/// Text from outside (names, reasons, origins) as it may be stored and printed: on one line, with nothing that moves a cursor, hides or
/// turns what stands beside it, and no longer than somebody wants to read.
public enum Visible {
    /// The text with control characters, line and paragraph separators and marks of direction written as `\u{…}`, and with `…` in the
    /// place of what is more than `limit` bytes of UTF-8 (at least 16).
    public static func text(_ text: String, atMost limit: Int) -> String {
        let room = max(limit, 16) - 3
        var result = ""
        var count = 0
        // Where the ellipsis goes if it must: behind the last scalar that leaves room for it.
        var short = result.unicodeScalars.endIndex
        for scalar in text.unicodeScalars {
            let piece = isPlain(scalar) ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
            count += piece.utf8.count
            if count > room + 3 {
                return String(result.unicodeScalars[..<short]) + "…"
            }
            result.unicodeScalars.append(contentsOf: piece.unicodeScalars)
            if count <= room { short = result.unicodeScalars.endIndex }
        }
        return result
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: false
        default: true
        }
    }
}
