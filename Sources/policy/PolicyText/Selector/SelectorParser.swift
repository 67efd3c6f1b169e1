// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// Reads a selector expression:
///
///     expr  := and ('||' and)*        and := unary ('&&' unary)*
///     unary := '!'* ( '(' expr ')' | has(K) | all() | global() | K op )
///     op    := ('==' | '!=' | 'contains' | 'starts with' | 'ends with') STR
///            | ('in' | 'not in' | 'notin') '{' [STR (',' STR)* [',']] '}'
///     K     := [A-Za-z0-9_./-]{1,512}        STR := '…' or "…", without escapes
///
/// An empty text is `all()`. Blanks are spaces and tabs. At most 1,024 bytes and 64 levels of parentheses.
struct SelectorParser {
    /// What is wrong, and at which byte of the text, from 0.
    struct Problem: Error {
        var message: String
        var offset: Int
    }

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    /// The selector of a text.
    static func parse(_ text: String) throws(Problem) -> Selector {
        guard text.utf8.count <= 1_024 else { throw Problem(message: "the selector is longer than 1,024 bytes", offset: 1_024) }
        var parser = SelectorParser(bytes: Array(text.utf8))
        parser.skipBlanks()
        if parser.position == parser.bytes.count { return Selector(.all, text: "all()") }
        let expression = try parser.either()
        guard parser.position == parser.bytes.count else { throw parser.problem("the selector goes on where it should end") }
        return Selector(expression, text: text)
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func problem(_ message: String) -> Problem { Problem(message: message, offset: position) }

    private mutating func either() throws(Problem) -> Selector.Expression {
        var parts = [try both()]
        while take("||") { parts.append(try both()) }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func both() throws(Problem) -> Selector.Expression {
        var parts = [try unary()]
        while take("&&") { parts.append(try unary()) }
        return parts.count == 1 ? parts[0] : .and(parts)
    }

    private mutating func unary() throws(Problem) -> Selector.Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 64 else { throw problem("the selector is nested deeper than 64 levels") }
        // "!=" cannot begin an expression, so a "!" here always negates.
        if take("!") { return .not(try unary()) }
        if take("(") {
            let inner = try either()
            guard take(")") else { throw problem("a \")\" is missing") }
            return inner
        }
        let start = position
        let key = try key()
        if take("(") {
            switch key {
            case "all", "global":
                guard take(")") else { throw problem("\(key)() takes nothing") }
                return key == "all" ? .all : .global
            case "has":
                let label = try self.key()
                guard take(")") else { throw problem("a \")\" is missing behind has(\(label)") }
                return .has(label)
            default: throw Problem(message: "there is no function \(key)(); there are has(), all() and global()", offset: start)
            }
        }
        return try comparison(key)
    }

    private mutating func comparison(_ key: String) throws(Problem) -> Selector.Expression {
        if take("==") { return .equals(key, try string()) }
        if take("!=") { return .notEquals(key, try string()) }
        if take("contains") { return .contains(key, try string()) }
        if take("starts") {
            guard take("with") else { throw problem("\"with\" is missing behind \"starts\"") }
            return .startsWith(key, try string())
        }
        if take("ends") {
            guard take("with") else { throw problem("\"with\" is missing behind \"ends\"") }
            return .endsWith(key, try string())
        }
        if take("notin") { return .notIn(key, try strings()) }
        if take("not") {
            guard take("in") else { throw problem("\"in\" is missing behind \"not\"") }
            return .notIn(key, try strings())
        }
        if take("in") { return .isIn(key, try strings()) }
        throw problem("behind \"\(key)\" must come ==, !=, in, not in, contains, starts with or ends with")
    }

    private mutating func strings() throws(Problem) -> [String] {
        guard take("{") else { throw problem("a \"{\" is missing") }
        var values: [String] = []
        while !take("}") {
            values.append(try string())
            if take("}") { break }
            guard take(",") else { throw problem("a \",\" or a \"}\" is missing") }
        }
        return values
    }

    private mutating func string() throws(Problem) -> String {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") || bytes[position] == UInt8(ascii: "'") else {
            throw problem("a value in quotes is missing")
        }
        guard let end = bytes[(position + 1)...].firstIndex(of: bytes[position]) else { throw problem("the quote has no end") }
        let text = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
        position = end + 1
        skipBlanks()
        return text
    }

    private mutating func key() throws(Problem) -> String {
        let start = position
        while position < bytes.count, Self.isKey(bytes[position]) { position += 1 }
        guard position > start else { throw problem("a label's name is missing") }
        guard position - start <= 512 else { throw Problem(message: "a label's name is longer than 512 bytes", offset: start) }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        skipBlanks()
        return text
    }

    private static func isKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "_./-".utf8.contains(byte)
        }
    }

    /// Takes a sign or a word if it comes next; a word must end where it ends.
    private mutating func take(_ token: String) -> Bool {
        let wanted = Array(token.utf8)
        guard bytes.count - position >= wanted.count, bytes[position..<position + wanted.count].elementsEqual(wanted) else {
            return false
        }
        let end = position + wanted.count
        if Self.isKey(wanted[0]), end < bytes.count, Self.isKey(bytes[end]) { return false }
        position = end
        skipBlanks()
        return true
    }

    private mutating func skipBlanks() {
        while position < bytes.count, " \t".utf8.contains(bytes[position]) { position += 1 }
    }
}
