// SPDX-License-Identifier: Apache-2.0
import Foundation

/// As much of JSON Schema (2020-12) as the description uses, and of the ways to break it.
struct Schema {
    private let root: [String: Any]

    init(_ document: [String: Any]) { root = document }

    /// The schema of a body of a media type.
    func content(_ place: [String: Any], _ media: String) -> [String: Any] {
        ((place["content"] as? [String: [String: Any]])?[media]?["schema"] as? [String: Any]) ?? [:]
    }

    /// The schema that a reference means.
    func resolved(_ schema: [String: Any]) -> [String: Any] {
        guard let reference = schema["$ref"] as? String else { return schema }
        var place: Any? = root
        for key in reference.dropFirst(2).split(separator: "/") { place = (place as? [String: Any])?[String(key)] }
        return (place as? [String: Any]) ?? ["not": "there"]
    }

    /// What does not fit, each with its path.
    func faults(of value: Any, in schema: [String: Any], at path: String = "") -> [String] {
        let schema = resolved(schema)
        guard schema["not"] == nil else { return ["\(path): the schema is missing"] }
        let types = (schema["type"] as? [String]) ?? (schema["type"] as? String).map { [$0] } ?? []
        guard types.isEmpty || types.contains(where: { fits(value, $0) }) else { return ["\(path): \(value) is no \(types)"] }
        var faults: [String] = []
        if let words = schema["enum"] as? [String], let text = value as? String, !words.contains(text) {
            faults.append("\(path): \(text) is none of \(words)")
        }
        if let number = value as? NSNumber, fits(value, "integer") {
            if let least = schema["minimum"] as? Int, number.intValue < least {
                faults.append("\(path): \(number) is below \(least)")
            }
            if let most = schema["maximum"] as? Int, number.intValue > most {
                faults.append("\(path): \(number) is above \(most)")
            }
        }
        if schema["format"] as? String == "date-time", let text = value as? String,
            text.range(of: #"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"#, options: .regularExpression) == nil
        {
            faults.append("\(path): \(text) is no time")
        }
        if let items = schema["items"] as? [String: Any], let list = value as? [Any] {
            for (index, item) in list.enumerated() { faults += self.faults(of: item, in: items, at: "\(path)[\(index)]") }
        }
        if let object = value as? [String: Any] { faults += faultsOfFields(object, schema, path) }
        return faults
    }

    private func faultsOfFields(_ object: [String: Any], _ schema: [String: Any], _ path: String) -> [String] {
        let fields = schema["properties"] as? [String: [String: Any]] ?? [:]
        var faults = (schema["required"] as? [String] ?? []).filter { object[$0] == nil }.map { "\(path).\($0) is missing" }
        for (key, value) in object {
            if let field = fields[key] {
                faults += self.faults(of: value, in: field, at: "\(path).\(key)")
            } else if let others = schema["additionalProperties"] as? [String: Any] {
                faults += self.faults(of: value, in: others, at: "\(path).\(key)")
            } else if !fields.isEmpty {
                // Answers may grow, and then their description has to.
                faults.append("\(path).\(key) is not described")
            }
        }
        return faults
    }

    private func fits(_ value: Any, _ type: String) -> Bool {
        switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "boolean": isTruth(value)
        case "null": value is NSNull
        case "integer": (value as? NSNumber).map { !isTruth(value) && $0.doubleValue == $0.doubleValue.rounded() } ?? false
        default: false
        }
    }

    private func isTruth(_ value: Any) -> Bool {
        (value as? NSNumber).map { unsafe String(cString: $0.objCType) == "c" } ?? false
    }

    /// Values that break a schema.
    func wrongValues(_ schema: [String: Any]) -> [Any] {
        let schema = resolved(schema)
        switch schema["type"] as? String {
        case "string": return [3, [Any](), ["a": 1]] + ((schema["minLength"] as? Int).map { $0 > 0 ? [" "] : [] } ?? [])
        case "boolean": return ["true", 3]
        case "integer":
            var wrong: [Any] = ["x", -1, 1.5, 1e30]
            if let most = schema["maximum"] as? Int { wrong.append(most + 1) }
            return wrong
        case "array": return ["x", [3], [["unknown": 1]]]
        case "object": return ["x", 3, [1]]
        default: return []
        }
    }

    /// Texts of parameters that break a schema.
    func wrongTexts(_ schema: [String: Any]) -> [String] {
        switch schema["type"] as? String {
        case "integer": ["x", "-1", "1.5", "99999999999999999999"]
        case "boolean": ["yes"]
        case "string": schema["enum"] != nil ? ["nonsense"] : schema["minLength"] != nil ? ["%FF", "%4"] : []
        default: []
        }
    }
}
