// SPDX-License-Identifier: Apache-2.0

extension Selector {
    /// A selector from its expression alone.
    public init(_ expression: Expression) { self.init(expression, text: expression.text) }
}

extension Selector.Expression {
    /// The expression in the selector language. A value that holds both kinds of quotes cannot be written there; its text is for
    /// reports alone.
    public var text: String {
        func quoted(_ value: String) -> String { value.contains("\"") ? "'\(value)'" : "\"\(value)\"" }
        func list(_ values: [String]) -> String { "{" + values.map(quoted).joined(separator: ", ") + "}" }
        func inner(_ part: Selector.Expression) -> String {
            switch part {
            case .and, .or: "(\(part.text))"
            default: part.text
            }
        }
        return switch self {
        case .all: "all()"
        case .global: "global()"
        case .has(let key): "has(\(key))"
        case .equals(let key, let value): "\(key) == \(quoted(value))"
        case .notEquals(let key, let value): "\(key) != \(quoted(value))"
        case .contains(let key, let part): "\(key) contains \(quoted(part))"
        case .startsWith(let key, let part): "\(key) starts with \(quoted(part))"
        case .endsWith(let key, let part): "\(key) ends with \(quoted(part))"
        case .isIn(let key, let values): "\(key) in \(list(values))"
        case .notIn(let key, let values): "\(key) not in \(list(values))"
        case .not(let part): "!\(inner(part))"
        case .and(let parts): parts.map(inner).joined(separator: " && ")
        case .or(let parts): parts.map(inner).joined(separator: " || ")
        }
    }
}
