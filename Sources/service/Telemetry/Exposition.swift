// SPDX-License-Identifier: Apache-2.0

/// Metrics in Prometheus' text format, version 0.0.4: each family once, with its help and type before its samples.
struct Exposition {
    /// What a family's numbers do.
    enum Kind: String {
        /// Only grows; its name ends in `_total`.
        case counter
        /// Goes up and down.
        case gauge
    }

    /// One number and the labels that tell it from its siblings, in their order.
    typealias Sample = (labels: [(String, String)], value: UInt64)

    /// The content type that the text has.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// Adds a family; nothing where it has no samples.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        add(name, kind, help, samples) { String($0) }
    }

    /// Adds a family of times, whose samples are nanoseconds; the text has seconds, which is what Prometheus counts in, to the last digit.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, nanoseconds samples: [Sample]) {
        add(name, kind, help, samples) { value in
            let rest = String(value % 1_000_000_000)
            return "\(value / 1_000_000_000).\(String(repeating: "0", count: 9 - rest.count))\(rest)"
        }
    }

    private mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample], text number: (UInt64) -> String)
    {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            text += name
            if !sample.labels.isEmpty {
                text += "{" + sample.labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",") + "}"
            }
            text += " \(number(sample.value))\n"
        }
    }

    /// Adds a family of one number without labels.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: UInt64) { add(name, kind, help, [([], value)]) }

    /// A label's value: names come from documents and may hold anything.
    private static func escaped(_ value: String) -> String {
        TerminalText.escaped(value).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }
}
