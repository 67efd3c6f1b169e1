// SPDX-License-Identifier: Apache-2.0

/// A JSON value that keeps the order of its keys, so that what is made twice is the same text (RFC 8259).
indirect enum JSONNode: Sendable {
    case text(String)
    case number(Int)
    case truth(Bool)
    case list([JSONNode])
    case object([(String, JSONNode)])

    /// The text with two blanks for a level; short lists of plain values stay in one line.
    func text(indent: String = "") -> String {
        let inner = indent + "  "
        switch self {
        case .text(let text): return Self.quoted(text)
        case .number(let number): return String(number)
        case .truth(let truth): return truth ? "true" : "false"
        case .list(let items):
            let plain = items.allSatisfy(\.isPlain) ? "[" + items.map { $0.text() }.joined(separator: ", ") + "]" : nil
            if let plain, plain.utf8.count <= 100 { return plain }
            return "[\n" + items.map { inner + $0.text(indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let fields):
            guard !fields.isEmpty else { return "{}" }
            let lines = fields.map { key, value in inner + Self.quoted(key) + ": " + value.text(indent: inner) }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        }
    }

    private var isPlain: Bool {
        switch self {
        case .text, .number, .truth: true
        case .list, .object: false
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default:
                if scalar.value < 0x20 {
                    result += "\\u" + String(repeating: "0", count: scalar.value < 0x10 ? 3 : 2) + String(scalar.value, radix: 16)
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
