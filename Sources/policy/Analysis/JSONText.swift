// SPDX-License-Identifier: Apache-2.0

/// A JSON value to be written: objects keep the order of their keys, and what is absent is written as null, because the interfaces
/// that tests outside rely on name every key.
package indirect enum JSONText {
    case null
    case text(String?)
    case number(Int)
    case truth(Bool)
    case list([JSONText])
    case object([(String, JSONText)])
    /// What is JSON already.
    case written(String)

    /// The value on one line.
    package var line: String {
        switch self {
        case .null, .text(nil): "null"
        case .text(let text?): Self.quoted(text)
        case .number(let number): String(number)
        case .written(let json): json
        case .truth(let value): value ? "true" : "false"
        case .list(let items): "[" + items.map(\.line).joined(separator: ", ") + "]"
        case .object(let fields):
            "{" + fields.map { "\(Self.quoted($0.0)): \($0.1.line)" }.joined(separator: ", ") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
