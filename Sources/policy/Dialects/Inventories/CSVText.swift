// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// Comma-separated values as RFC 4180 has them: records end with CR LF (LF alone is read as well), fields may stand in double quotes,
/// in which a double quote is doubled, and commas and line breaks are text. A mark of byte order before the first field is left out,
/// and so is an empty line.
struct CSVText {
    private var scalars: String.UnicodeScalarView.SubSequence
    private var place: Place

    init(_ text: Substring, file: String) {
        scalars = text.unicodeScalars
        place = Place(file: file, line: 1, column: 1)
        if scalars.first == "\u{feff}" { scalars.removeFirst() }
    }

    /// The next record, or `nil` at the end.
    mutating func next() throws(PolicyError) -> [InventoryField]? {
        while skipLineBreak() {}
        guard !scalars.isEmpty else { return nil }
        var fields: [InventoryField] = []
        repeat {
            fields.append(try field())
        } while skip(",")
        guard scalars.isEmpty || skipLineBreak() else {
            throw PolicyError(place, "there is text behind the closing quote", remedy: "write two quotes for one in the text")
        }
        return fields
    }

    private mutating func advance() {
        guard let scalar = scalars.popFirst() else { return }
        if scalar == "\n" {
            place.line += 1
            place.column = 1
        } else {
            place.column += 1
        }
    }

    private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        guard scalars.first == scalar else { return false }
        advance()
        return true
    }

    private mutating func skipLineBreak() -> Bool {
        if scalars.first == "\r", scalars.dropFirst().first == "\n" { advance() }
        return skip("\n")
    }

    private mutating func field() throws(PolicyError) -> InventoryField {
        guard scalars.first == "\"" else {
            var field = InventoryField(text: "", place: place)
            while let scalar = scalars.first, scalar != ",", scalar != "\n" {
                if scalar == "\r", scalars.dropFirst().first == "\n" { break }
                guard scalar != "\"" else {
                    throw PolicyError(
                        place, "a quote stands in a field without quotes",
                        remedy: "put the whole field in quotes, and write two quotes for one in it")
                }
                field.text.unicodeScalars.append(scalar)
                advance()
            }
            return field
        }
        let opening = place
        advance()
        var field = InventoryField(text: "", place: place)
        while let scalar = scalars.first {
            advance()
            if scalar == "\"", !skip("\"") { return field }
            if scalar == "\"" || scalar == "\n" { field.isLiteral = false }
            field.text.unicodeScalars.append(scalar)
        }
        throw PolicyError(opening, "the quote is not closed")
    }
}
