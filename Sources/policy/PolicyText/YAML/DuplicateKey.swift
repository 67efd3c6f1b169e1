// SPDX-License-Identifier: Apache-2.0

/// Finds where a key stands for the second time. The parser names the place of the first one; the second lies behind it in the same
/// mapping: in block style in the same column of a later line, in flow style behind a comma of the same level.
struct DuplicateKey {
    private let text: String.UnicodeScalarView
    private let key: [Unicode.Scalar]
    private var position: String.Index
    private var line: Int
    private var column: Int

    /// The place of the second `key` of the mapping whose first one stands at line and column, from 1; `nil` where it is not found.
    static func second(_ key: String, in text: String, line: Int, column: Int) -> (line: Int, column: Int)? {
        var scan = DuplicateKey(text: text.unicodeScalars, key: Array(key.unicodeScalars))
        while scan.line < line, scan.advance() != nil {}
        while scan.column < column, scan.advance() != nil {}
        if let first = scan.advance(), first == "\"" || first == "'" { scan.skipQuoted(first) }
        return scan.find(column: column)
    }

    private init(text: String.UnicodeScalarView, key: [Unicode.Scalar]) {
        self.text = text
        self.key = key
        position = text.startIndex
        (line, column) = (1, 1)
    }

    /// Steps over one character.
    private mutating func advance() -> Unicode.Scalar? {
        guard position < text.endIndex else { return nil }
        let scalar = text[position]
        position = text.index(after: position)
        if scalar == "\n" {
            line += 1
            column = 1
        } else {
            column += 1
        }
        return scalar
    }

    private mutating func find(column wanted: Int) -> (line: Int, column: Int)? {
        var depth = 0
        // Whether a key may begin here: at the beginning of a line, or behind a comma.
        var isAtLine = false
        var isBehindComma = false
        var before: Unicode.Scalar = "x"
        while position < text.endIndex {
            if depth == 0, isBehindComma || (isAtLine && column == wanted), isKeyHere { return (line, column) }
            guard let scalar = advance() else { return nil }
            switch scalar {
            case "\n": isAtLine = true
            case " ", "\t", "\r": break
            case "#" where before == " " || before == "\n" || before == "\t":
                while position < text.endIndex, text[position] != "\n" { _ = advance() }
            default:
                (isAtLine, isBehindComma) = (false, scalar == ",")
                if scalar == "\"" || scalar == "'" { skipQuoted(scalar) }
                if scalar == "{" || scalar == "[" { depth += 1 }
                if scalar == "}" || scalar == "]" { depth -= 1 }
                if depth < 0 { return nil }
            }
            before = scalar
        }
        return nil
    }

    private mutating func skipQuoted(_ quote: Unicode.Scalar) {
        while let scalar = advance(), scalar != quote {
            if scalar == "\\" && quote == "\"" { _ = advance() }
        }
    }

    /// Whether the key, in quotes or not, and a colon come next.
    private var isKeyHere: Bool {
        var rest = text[position...]
        let quote = rest.first == "\"" || rest.first == "'" ? rest.popFirst() : nil
        guard rest.starts(with: key) else { return false }
        rest = rest.dropFirst(key.count)
        if let quote {
            guard rest.popFirst() == quote else { return false }
        }
        return rest.drop { $0 == " " }.first == ":"
    }
}
