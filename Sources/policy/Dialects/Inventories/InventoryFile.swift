// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// What holds for every file of an inventory that is no YAML.
enum InventoryFile {
    /// Refuses a file that is larger than a file of documents may be, and characters that nobody sees.
    static func check(_ text: String, _ file: String) throws(PolicyError) {
        let most = YAMLReader.Limits().bytes
        var place = Place(file: file, line: 1, column: 1)
        guard text.utf8.count <= most else {
            throw PolicyError(place, "the file has \(text.utf8.count) bytes, \(most) is the limit", remedy: "split it")
        }
        // A mark of byte order may stand before everything else, where it marks the file as UTF-8.
        for scalar in text.unicodeScalars.first == mark ? text.unicodeScalars.dropFirst() : text.unicodeScalars[...] {
            guard !isUnseen(scalar) else {
                throw PolicyError(
                    place, "there is a character that cannot be seen, U+\(String(scalar.value, radix: 16, uppercase: true))",
                    remedy: "remove it")
            }
            place.column += 1
            if scalar == "\n" {
                place.line += 1
                place.column = 1
            }
        }
    }

    private static let mark: Unicode.Scalar = "\u{feff}"

    /// Control characters but tabs and line breaks, and marks of byte order.
    static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
        scalar == mark || scalar.value == 0x7f || (scalar.value < 0x20 && !"\t\n\r".unicodeScalars.contains(scalar))
    }
}
