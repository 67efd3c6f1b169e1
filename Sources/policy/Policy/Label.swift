// SPDX-License-Identifier: Apache-2.0

/// What a label may be, wherever it comes from: a document, an inventory, a client. Clouds and clusters have many rules of their own, so
/// these are wide: printable, and short enough to be told.
public enum Label {
    /// Bytes of a key at most: a Kubernetes prefix, a slash and a name.
    public static let keyLimit = 317
    /// Bytes of a value at most.
    public static let valueLimit = 1024

    /// What is wrong with a label, and what to do; `nil` where nothing is.
    public static func fault(key: String, value: String) -> String? {
        guard (1...keyLimit).contains(key.utf8.count) else {
            return key.isEmpty ? "a label has an empty key: give it a name" : "a label's key has more than \(keyLimit) bytes"
        }
        guard isPrintable(key) else { return "the label key \(key.debugDescription) holds what cannot be printed" }
        guard value.utf8.count <= valueLimit else {
            return "the value of the label \"\(key)\" has more than \(valueLimit) bytes"
        }
        guard isPrintable(value) else { return "the value of the label \"\(key)\" holds what cannot be printed" }
        return nil
    }

    /// Whether nothing in a text moves a cursor or hides what stands beside it.
    private static func isPrintable(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
            default: true
            }
        }
    }
}
