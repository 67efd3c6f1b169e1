// SPDX-License-Identifier: Apache-2.0

/// A value spelled out field by field, so that two values of types without `==` can be compared and their difference read. Sets and
/// dictionaries are in the order of their spelling; fields whose names are left out do not count.
public func spelled(_ value: Any, without fields: Set<String> = []) -> String {
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
        return mirror.children.first.map { spelled($0.value, without: fields) } ?? "nil"
    case .set, .dictionary:
        return "{" + mirror.children.map { spelled($0.value, without: fields) }.sorted().joined(separator: ", ") + "}"
    case .collection:
        return "[" + mirror.children.map { spelled($0.value, without: fields) }.joined(separator: ", ") + "]"
    case .enum where mirror.children.isEmpty: return "\(value)"
    case nil: return String(reflecting: value)
    default:
        let parts = mirror.children.filter { !fields.contains($0.label ?? "") }
            .map { "\($0.label ?? ""): \(spelled($0.value, without: fields))" }
        return "\(mirror.subjectType)(\(parts.joined(separator: ", ")))"
    }
}
