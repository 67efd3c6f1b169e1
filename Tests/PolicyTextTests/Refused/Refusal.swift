// SPDX-License-Identifier: Apache-2.0
import Testing

/// A text that must be refused, and how.
struct Refusal: Sendable, CustomTestStringConvertible {
    let text: String
    /// Line, column, message and remedy.
    let error: String

    init(_ text: String, _ error: String) {
        self.text = text
        self.error = error
    }

    var testDescription: String { error }

    /// Whether the text already has the wrong shape: an unknown key or word, a missing key, another kind of value. Then the JSON Schema
    /// must refuse it too; what values mean for each other it cannot know.
    var isStructural: Bool {
        let signs = [
            "has no key", "needs the key", "must be a text", "must be a list", "must be a mapping", "must be a number",
            "must be a protocol with numbers", "must be one of", "says nothing", "there is no kind", "needs \"from\"",
            "both \"from\" and", "needs either", "must be true or false", "must be none, all", "must have one key of",
            "is no hardware address", "is no name", "zones is empty", "mac is empty", "sourcePorts is empty", "must lie between",
        ]
        return signs.contains(where: error.contains)
    }
}

/// Texts of documents, written short.
enum Sample {
    static let head = "apiVersion: bulkhead/v1\n"

    static func object(_ kind: String, _ spec: String) -> String {
        head + "kind: \(kind)\nmetadata: {name: x}\nspec: {\(spec)}"
    }

    static func policy(_ spec: String) -> String { object("Policy", spec) }
    static func rule(_ fields: String) -> String { policy("rules: [{\(fields)}]") }
    static func peer(_ term: String) -> String { rule("action: allow, from: {\(term)}") }
    static func service(_ item: String) -> String { rule("action: allow, to: {}, services: [\(item)]") }
}
