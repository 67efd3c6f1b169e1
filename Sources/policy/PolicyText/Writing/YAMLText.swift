// SPDX-License-Identifier: Apache-2.0
internal import Policy

extension YAMLValue {
    /// The value as YAML that reads back as the same value, and the same for the same value: mappings a line a key, in their order;
    /// lists of plain words, and mappings of plain words inside lists, on one line; texts in quotes wherever a reader, of YAML 1.1 or 1.2,
    /// could take them for anything else.
    public var yaml: String {
        var lines: [String] = []
        Self.block(self, indent: 0, lead: "", &lines)
        return lines.joined(separator: "\n") + "\n"
    }

    /// Whether it fits on a line: a word, or a list of words.
    private var isShort: Bool {
        switch content {
        case .list(let items): items.allSatisfy(\.isWord) && inline.utf8.count <= 100
        case .mapping(let entries): entries.isEmpty
        default: true
        }
    }

    private var isWord: Bool {
        switch content {
        case .list, .mapping: false
        default: true
        }
    }

    /// Writes lines behind `lead`, which holds what stands before the value on its first line.
    private static func block(_ value: YAMLValue, indent: Int, lead: String, _ lines: inout [String]) {
        let margin = String(repeating: " ", count: indent)
        switch value.content {
        case _ where value.isShort: lines.append(lead + value.inline)
        case .mapping(let entries):
            for (index, entry) in entries.enumerated() {
                let head = (index == 0 ? lead : margin) + Self.word(entry.key) + ":"
                if entry.value.isShort {
                    lines.append(head + " " + entry.value.inline)
                } else {
                    lines.append(head)
                    block(entry.value, indent: indent + 2, lead: margin + "  ", &lines)
                }
            }
        case .list(let items):
            for (index, item) in items.enumerated() {
                block(item, indent: indent + 2, lead: (index == 0 ? lead : margin) + "- ", &lines)
            }
        default: break
        }
    }

    /// The value on one line.
    private var inline: String {
        switch content {
        case .null: "null"
        case .text(let text): Self.word(text)
        case .integer(_, let text), .fraction(_, let text): text
        case .truth(let truth): "\(truth)"
        case .list(let items): "[" + items.map(\.inline).joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{" + entries.map { "\(Self.word($0.key)): \($0.value.inline)" }.joined(separator: ", ") + "}"
        }
    }

    /// Words that some reader of YAML takes for something else than a text.
    private static let taken: Set<String> = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]

    /// A text as a plain word where it can be one, else in quotes: single ones, which know no escapes, where nothing needs one.
    private static func word(_ text: String) -> String {
        let bytes = text.utf8
        let isLetter: (UInt8) -> Bool = { (97...122).contains($0) || (65...90).contains($0) }
        let isPlain: (UInt8) -> Bool = { isLetter($0) || (48...57).contains($0) || "-_./".utf8.contains($0) }
        if let first = bytes.first, isLetter(first), bytes.allSatisfy(isPlain), !taken.contains(text.lowercased()) { return text }
        let scalars = text.unicodeScalars
        if scalars.allSatisfy({ $0.value >= 0x20 && $0.value < 0x7f && $0 != "'" }) { return "'\(text)'" }
        var quoted = "\""
        for scalar in scalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20 || (0x7f...0xa0).contains(scalar.value) || isSpecial(scalar):
                let digits = String(scalar.value, radix: 16)
                quoted += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Line separators, marks of byte order, and what YAML does not count as printable.
    private static func isSpecial(_ scalar: Unicode.Scalar) -> Bool {
        [0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff].contains(scalar.value)
    }
}
