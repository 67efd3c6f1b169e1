// SPDX-License-Identifier: Apache-2.0

/// A DNS name, or a pattern of names: in a label `*` stands for any number of characters, and a label `**` for one or more labels.
/// `**` alone is every name. Case does not matter, nor does a dot at the end (RFC 4343, RFC 1034 3.1).
public struct DNSPattern: Hashable, Sendable, CustomStringConvertible {
    /// Its labels in lower case.
    public let labels: [String]

    /// A pattern from its text; `nil` for what can be no name: an empty label, more than 63 bytes in one or 253 in all, another
    /// character than letters, digits, `-`, `_` and `*`.
    public init?(_ text: String) {
        let name = text.hasSuffix(".") ? text.dropLast() : text[...]
        let parts = name.lowercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let isCharacter: (UInt8) -> Bool = {
            (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                || $0 == UInt8(ascii: "*")
        }
        guard name.utf8.count <= 253, parts.allSatisfy({ (1...63).contains($0.utf8.count) && $0.utf8.allSatisfy(isCharacter) }),
            parts.allSatisfy({ $0 == "**" || !$0.contains("**") })
        else { return nil }
        labels = parts
    }

    /// Whether it is one name and no pattern.
    public var isExact: Bool { !labels.contains { $0.contains("*") } }

    /// The labels with dots between.
    public var description: String { labels.joined(separator: ".") }

    /// Whether a name looks so.
    public func matches(_ name: String) -> Bool {
        let plain = name.hasSuffix(".") ? name.dropLast() : name[...]
        let wanted = plain.lowercased().split(separator: ".", omittingEmptySubsequences: false).map { Array($0.utf8) }
        let pattern = labels.map { Array($0.utf8) }
        // Which beginnings of the name the labels so far can stand for.
        var reached = [true] + [Bool](repeating: false, count: wanted.count)
        for label in pattern {
            var next = [Bool](repeating: false, count: wanted.count + 1)
            for index in wanted.indices {
                let isMany = label == Array("**".utf8)
                if reached[index], isMany || Self.matches(label[...], wanted[index][...]) { next[index + 1] = true }
                if isMany, next[index] { next[index + 1] = true }
            }
            reached = next
        }
        return reached[wanted.count]
    }

    /// Whether a label looks like a pattern in which `*` stands for any characters.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ label: ArraySlice<UInt8>) -> Bool {
        var reached = [true] + [Bool](repeating: false, count: label.count)
        for character in pattern {
            var next = [Bool](repeating: false, count: label.count + 1)
            if character == UInt8(ascii: "*") {
                next[0] = reached[0]
                for index in 0..<label.count { next[index + 1] = reached[index + 1] || next[index] }
            } else {
                for (index, byte) in label.enumerated() where byte == character { next[index + 1] = reached[index] }
            }
            reached = next
        }
        return reached[label.count]
    }
}
