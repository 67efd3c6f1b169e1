// SPDX-License-Identifier: Apache-2.0
import Foundation
import PolicyText

/// As much of JSON Schema (draft 2020-12) as the policy schema uses; a word that it does not know is a failure, not a pass.
final class SchemaValidator {
    /// The forms and keys that were met, as `Form.key`.
    private(set) var met: Set<String> = []
    private let root: [String: Any]

    init(_ text: String) throws {
        let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
        root = value as? [String: Any] ?? [:]
    }

    /// The keys of all forms, as `Form.key`.
    var keys: Set<String> {
        let forms = root["$defs"] as? [String: [String: Any]] ?? [:]
        return Set(forms.flatMap { name, form in (form["properties"] as? [String: Any] ?? [:]).keys.map { "\(name).\($0)" } })
    }

    /// Whether every text that speaks of a key says what its absence means, or that it must be there.
    var undocumented: [String] {
        let forms = root["$defs"] as? [String: [String: Any]] ?? [:]
        return forms.flatMap { name, form -> [String] in
            let required = form["required"] as? [String] ?? []
            let properties = form["properties"] as? [String: [String: Any]] ?? [:]
            return properties.compactMap { key, schema in
                let text = schema["description"] as? String ?? ""
                return !text.isEmpty && (required.contains(key) || text.contains("Absent: ")) ? nil : "\(name).\(key)"
            }
        }.sorted()
    }

    /// Whether the schema accepts a document.
    func accepts(_ value: YAMLValue) -> Bool { accepts(value, root, form: nil) }

    private func accepts(_ value: YAMLValue, _ schema: [String: Any], form: String?) -> Bool {
        schema.allSatisfy { word, rule in
            switch word {
            case "$schema", "$id", "title", "description", "$defs", "then", "additionalProperties": true
            case "$ref": follows(value, rule as? String ?? "")
            case "type": isType(value, rule as? String ?? "")
            case "const": isSame(value, rule)
            case "enum": (rule as? [Any] ?? []).contains { isSame(value, $0) }
            case "pattern":
                text(of: value).map { $0.range(of: rule as? String ?? "", options: .regularExpression) != nil } ?? true
            case "minimum": integer(of: value).map { $0 >= rule as? Int ?? 0 } ?? true
            case "maximum": integer(of: value).map { $0 <= rule as? Int ?? 0 } ?? true
            case "items": items(of: value).allSatisfy { accepts($0, rule as? [String: Any] ?? [:], form: nil) }
            case "minItems": !isType(value, "array") || items(of: value).count >= rule as? Int ?? 0
            case "required": !isType(value, "object") || (rule as? [String] ?? []).allSatisfy { field($0, of: value) != nil }
            case "properties": fields(value, rule as? [String: [String: Any]] ?? [:], schema["additionalProperties"], form)
            case "anyOf": count(value, rule) > 0
            case "oneOf": count(value, rule) == 1
            case "allOf": count(value, rule) == (rule as? [Any] ?? []).count
            case "if":
                !accepts(value, rule as? [String: Any] ?? [:], form: nil)
                    || accepts(value, schema["then"] as? [String: Any] ?? [:], form: nil)
            default: false
            }
        } && (schema["properties"] != nil || fields(value, [:], schema["additionalProperties"], form))
    }

    private func follows(_ value: YAMLValue, _ reference: String) -> Bool {
        let name = String(reference.dropFirst("#/$defs/".count))
        guard let schema = (root["$defs"] as? [String: [String: Any]])?[name] else { return false }
        return accepts(value, schema, form: name)
    }

    private func count(_ value: YAMLValue, _ rule: Any) -> Int {
        (rule as? [[String: Any]] ?? []).filter { accepts(value, $0, form: nil) }.count
    }

    private func fields(_ value: YAMLValue, _ properties: [String: [String: Any]], _ others: Any?, _ form: String?) -> Bool {
        guard case .mapping(let entries) = value.content else { return true }
        return entries.allSatisfy { entry in
            if let schema = properties[entry.key] {
                if let form { met.insert("\(form).\(entry.key)") }
                return accepts(entry.value, schema, form: nil)
            }
            if let schema = others as? [String: Any] { return accepts(entry.value, schema, form: nil) }
            return others as? Bool ?? true
        }
    }

    private func isType(_ value: YAMLValue, _ type: String) -> Bool {
        switch (value.content, type) {
        case (.text, "string"), (.integer, "integer"), (.integer, "number"), (.fraction, "number"), (.truth, "boolean"),
            (.list, "array"), (.mapping, "object"):
            true
        default: false
        }
    }

    private func isSame(_ value: YAMLValue, _ other: Any) -> Bool {
        switch value.content {
        case .text(let text): text == other as? String
        case .truth(let truth): truth == other as? Bool
        case .integer(let number, _): number == other as? Int
        default: false
        }
    }

    private func text(of value: YAMLValue) -> String? { if case .text(let text) = value.content { text } else { nil } }
    private func integer(of value: YAMLValue) -> Int? { if case .integer(let number, _) = value.content { number } else { nil } }
    private func items(of value: YAMLValue) -> [YAMLValue] { if case .list(let items) = value.content { items } else { [] } }
    private func field(_ key: String, of value: YAMLValue) -> YAMLValue? {
        if case .mapping(let entries) = value.content { entries.first { $0.key == key }?.value } else { nil }
    }
}
