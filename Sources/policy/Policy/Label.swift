// SPDX-License-Identifier: Apache-2.0

/// What a label may be, wherever it comes from: a document, an inventory, a client. Clouds and clusters have rules of their own, so these are
/// wide: any text that is short enough to be told. Whoever shows one escapes what could steer a terminal.
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
        guard value.utf8.count <= valueLimit else {
            return "the value of the label \(key.debugDescription) has more than \(valueLimit) bytes"
        }
        // Text ends there for whoever keeps or shows it.
        guard !key.utf8.contains(0), !value.utf8.contains(0) else {
            return "the label \(key.debugDescription) holds the character U+0000"
        }
        return nil
    }
}
