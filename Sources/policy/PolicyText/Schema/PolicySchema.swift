// SPDX-License-Identifier: Apache-2.0

/// The JSON Schema (draft 2020-12) of one document, for editors: made from the forms that the decoders ask, so that it knows the same
/// keys. It says less than the decoders do: what one key means for another, and what documents mean for each other, they alone know.
public enum PolicySchema {
    /// The file that holds it, below `docs/schema`.
    public static let fileName = "bulkhead-v1.schema.json"

    /// The schema's text.
    public static var text: String { schema.text() }

    private static var schema: JSONNode {
        let kinds = Forms.kinds
        let branches = kinds.map { kind, _, _ -> JSONNode in
            .object([
                ("if", .object([("properties", .object([("kind", .object([("const", .text(kind))]))]))])),
                ("then", reference("\(kind)Document")),
            ])
        }
        let documents = kinds.map { kind, spec, isNamespaced in
            ("\(kind)Document", document(kind, spec, isNamespaced))
        }
        let forms = [Forms.metadata(isNamespaced: false), Forms.metadata(isNamespaced: true)] + kinds.map(\.spec) + Forms.inner
        return .object([
            ("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
            ("$id", .text(fileName)),
            ("title", .text("A document of a Bulkhead policy set")),
            ("type", .text("object")),
            (
                "properties",
                .object([
                    ("apiVersion", .object([("const", .text(DocumentDecoder.version))])),
                    ("kind", .object([("enum", .list(kinds.map { .text($0.kind) }))])),
                ])
            ),
            ("required", .list([.text("apiVersion"), .text("kind"), .text("metadata")])),
            ("allOf", .list(branches)),
            ("$defs", .object(documents + forms.map { ($0.name, object($0)) })),
        ])
    }

    private static func document(_ kind: String, _ spec: Form, _ isNamespaced: Bool) -> JSONNode {
        let form = Forms.document(spec)
        let properties = form.keys.map { key -> (String, JSONNode) in
            switch key.name {
            case "kind": (key.name, described(.object([("const", .text(kind))]), key))
            case "metadata": (key.name, described(reference(isNamespaced ? "NamespacedMetadata" : "Metadata"), key))
            default: (key.name, described(node(key.shape), key))
            }
        }
        return object(form, spec.meaning, properties)
    }

    private static func object(_ form: Form) -> JSONNode {
        object(form, form.meaning, form.keys.map { ($0.name, described(node($0.shape), $0)) })
    }

    private static func object(_ form: Form, _ meaning: String, _ properties: [(String, JSONNode)]) -> JSONNode {
        let required = form.keys.filter { $0.absent == nil }.map { JSONNode.text($0.name) }
        let choices = form.exactlyOne + form.atLeastOne
        return .object(
            [
                ("description", .text(meaning + ".")), ("type", .text("object")), ("properties", .object(properties)),
                ("additionalProperties", .truth(false)),
            ]
                + (required.isEmpty ? [] : [("required", .list(required))])
                + (choices.isEmpty
                    ? []
                    : [
                        (
                            form.exactlyOne.isEmpty ? "anyOf" : "oneOf",
                            .list(choices.map { .object([("required", .list([.text($0)]))]) })
                        )
                    ]))
    }

    private static func described(_ node: JSONNode, _ key: Key) -> JSONNode {
        guard case .object(let fields) = node else { return node }
        return .object([("description", .text(key.text))] + fields)
    }

    private static func reference(_ name: String) -> JSONNode { .object([("$ref", .text("#/$defs/\(name)"))]) }

    /// The schema of what may stand in a place.
    private static func node(_ shape: Shape) -> JSONNode {
        switch shape {
        case .text(let pattern):
            .object([("type", .text("string"))] + (pattern.map { [("pattern", .text($0))] } ?? []))
        case .truth: .object([("type", .text("boolean"))])
        case .yes: .object([("const", .truth(true))])
        case .number: .object([("type", .text("number"))])
        case .integer(let range):
            .object([
                ("type", .text("integer")), ("minimum", .number(range.lowerBound)), ("maximum", .number(range.upperBound)),
            ])
        case .word(let words): .object([("enum", .list(words.map { .text($0) }))])
        case .list(let item, let least):
            .object(
                [("type", .text("array")), ("items", node(item))] + (least > 0 ? [("minItems", .number(least))] : []))
        case .dictionary(let value):
            .object([("type", .text("object")), ("additionalProperties", node(value))])
        case .form(let name): reference(name)
        case .either(let shapes): .object([("anyOf", .list(shapes.map(node)))])
        }
    }
}
