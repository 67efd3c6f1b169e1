// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// A text of an inventory, and where it stands: a cell, a variable's value.
struct InventoryField {
    /// What it says.
    var text: String
    /// Where its text begins.
    var place: Place
    /// Whether each character of the text is one of the file on the same line, so that columns can be counted.
    var isLiteral = true

    /// The place of the character at an offset.
    func place(at offset: Int) -> Place {
        guard isLiteral else { return place }
        return Place(file: place.file, line: place.line, column: place.column + offset)
    }

    /// The parts between semicolons without the blanks around them, each with its place; an empty field has none.
    func parts(_ separator: Unicode.Scalar = ";", most: Int = .max) -> [InventoryField] {
        var parts: [InventoryField] = []
        var offset = 0
        let isBlank: (Unicode.Scalar) -> Bool = { $0 == " " || $0 == "\t" }
        for part in text.unicodeScalars.split(separator: separator, maxSplits: most - 1, omittingEmptySubsequences: false) {
            let blanks = part.prefix(while: isBlank).count
            var trimmed = part.dropFirst(blanks)
            while let last = trimmed.last, isBlank(last) { trimmed.removeLast() }
            parts.append(InventoryField(text: String(trimmed), place: place(at: offset + blanks), isLiteral: isLiteral))
            offset += part.count + 1
        }
        return parts.count == 1 && parts[0].text.isEmpty ? [] : parts
    }

    /// The pairs of `key=value;key=value`.
    func pairs() throws(PolicyError) -> [(key: InventoryField, value: InventoryField)] {
        var pairs: [(key: InventoryField, value: InventoryField)] = []
        for part in parts() {
            let sides = part.parts("=", most: 2)
            guard sides.count == 2, !sides[0].text.isEmpty else {
                throw PolicyError(part.place, "\"\(part.text)\" is no key with a value", remedy: "write key=value;key=value")
            }
            pairs.append((sides[0], sides[1]))
        }
        return pairs
    }
}
