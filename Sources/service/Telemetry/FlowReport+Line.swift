// SPDX-License-Identifier: Apache-2.0

extension FlowReport {
    /// One line for people: time, event, from -> to, protocol and port, decision, cause. `colour` marks the decision for a
    /// terminal. Names come from documents and may hold anything, so what could steer a terminal is written as an escape.
    public func line(colour: Bool) -> String {
        let head = [time, event, ends, service]
        var tail: [String] = []
        if let reason, reason != "denied" { tail.append(reason) }
        if let cause { tail.append(cause.text) } else if reason == nil { tail.append("no side judges it") }
        if let audit { tail.append("[audit: \(audit)]") }
        if event == "end" || event == "update" {
            tail.append("[\(forward.frames)/\(reverse.frames) frames, \(forward.bytes)/\(reverse.bytes) bytes]")
        }
        if suppressed > 0 { tail.append("[+\(suppressed) like this]") }
        return (head.map(TerminalText.escaped) + [marked(colour)] + tail.map(TerminalText.escaped)).joined(separator: " ")
    }

    /// `tcp:5432`, `icmp:8.0`, `gre`.
    public var service: String {
        if let port = destination.port { return "\(self.protocol):\(port)" }
        if let type, let code { return "\(self.protocol):\(type).\(code)" }
        return self.protocol
    }

    private func marked(_ colour: Bool) -> String {
        guard colour else { return TerminalText.escaped(decision) }
        let code = decision == "allow" ? 32 : 31
        return "\u{1b}[\(code)m\(TerminalText.escaped(decision))\u{1b}[0m"
    }

    static func text(_ end: End) -> String {
        let host = end.address.contains(":") && end.port != nil ? "[\(end.address)]" : end.address
        let address = end.port.map { "\(host):\($0)" } ?? host
        return end.workload.map { "\($0) (\(address))" } ?? address
    }
}

/// Text that may be shown on a terminal.
public enum TerminalText {
    /// JSON with everything that could steer a terminal as `\uXXXX`, which reads as the same text.
    static func escapedJSON(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: mustGo) else { return json }
        var result = ""
        for scalar in json.unicodeScalars {
            guard mustGo(scalar) else {
                result.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result
    }

    private static func mustGo(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }

    /// The text with everything that could steer a terminal, reorder a line or hide a part of it as `\u{…}`.
    public static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if mustGo(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
