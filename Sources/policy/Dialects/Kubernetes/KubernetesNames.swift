// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// The names that the API server accepts (RFC 1123 labels and subdomains, qualified names, label values, IANA service names), each
/// refused at its place.
enum KubernetesNames {
    /// A name of at most 63 lower-case letters, digits and `-`.
    static func label(_ value: YAMLValue, _ what: String) throws(PolicyError) -> String {
        let text = try value.text(what)
        guard isLabel(text[...]) else {
            throw value.error(
                "\(what) \"\(text)\" is no name", remedy: "use lower-case letters, digits and \"-\" between them, 63 at most")
        }
        return text
    }

    /// Labels joined by `.`, at most 253 characters.
    static func subdomain(_ value: YAMLValue, _ what: String) throws(PolicyError) -> String {
        let text = try value.text(what)
        guard isSubdomain(text) else {
            throw value.error(
                "\(what) \"\(text)\" is no name",
                remedy: "use lower-case letters, digits, and \"-\" and \".\" between them, 253 at most")
        }
        return text
    }

    /// A name for a port: at most 15 lower-case letters, digits and `-`, with a letter in it.
    static func isPortName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...15).contains(bytes.count), bytes.allSatisfy({ isLower($0) || isDigit($0) || $0 == hyphen }) else {
            return false
        }
        return bytes.first != hyphen && bytes.last != hyphen && bytes.contains(where: isLower)
            && !zip(bytes, bytes.dropFirst()).contains { $0 == hyphen && $1 == hyphen }
    }

    /// The native name for a port's name: the same, unless it begins with a digit or is a word that means a service by itself. No port's
    /// name has a dot, so that no two become one.
    static func service(_ name: String) -> String {
        let isDigit = name.utf8.first.map(isDigit) ?? false
        return isDigit || ServiceWords.reserved.contains(name) ? "port.\(name)" : name
    }

    /// Checks a label's key: `name`, or `prefix/name` with a subdomain as prefix.
    static func checkKey(_ text: String, _ place: Place) throws(PolicyError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isKey = parts.count <= 2 && isWord(parts[parts.count - 1].utf8) && (parts.count == 1 || isSubdomain(String(parts[0])))
        guard isKey else {
            throw PolicyError(
                place, "\"\(text)\" is no key of a label",
                remedy: "write a name of 63 letters, digits, \"-\", \"_\" and \".\" at most, after a domain and \"/\" if need be")
        }
    }

    /// Checks a label's value, which may be empty.
    static func checkValue(_ text: String, _ place: Place) throws(PolicyError) {
        guard text.isEmpty || isWord(text.utf8) else {
            throw PolicyError(
                place, "\"\(text)\" is no value of a label",
                remedy: "write 63 letters, digits, \"-\", \"_\" and \".\" at most, beginning and ending with a letter or a digit")
        }
    }

    /// A mapping of labels. A null value is the empty text, as it is to the API server.
    static func labels(_ value: YAMLValue, _ what: String) throws(PolicyError) -> [String: String] {
        var labels: [String: String] = [:]
        for entry in try value.dictionary(what) {
            try checkKey(entry.key, entry.place)
            if case .null = entry.value.content {
                labels[entry.key] = ""
                continue
            }
            let text = try entry.value.text("the label \"\(entry.key)\"")
            try checkValue(text, entry.value.place)
            labels[entry.key] = text
        }
        return labels
    }

    private static let hyphen = UInt8(ascii: "-")
    private static func isLower(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    private static func isLetterOrDigit(_ byte: UInt8) -> Bool { isLower(byte) || isDigit(byte) || (65...90).contains(byte) }

    private static func isLabel(_ text: Substring) -> Bool {
        let bytes = Array(text.utf8)
        return (1...63).contains(bytes.count) && bytes.allSatisfy { isLower($0) || isDigit($0) || $0 == hyphen }
            && bytes.first != hyphen && bytes.last != hyphen
    }

    private static func isSubdomain(_ text: String) -> Bool {
        // Parts of a subdomain are not held to 63: the API server does not either.
        (1...253).contains(text.utf8.count)
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
                let bytes = Array(part.utf8)
                return !bytes.isEmpty && bytes.allSatisfy { isLower($0) || isDigit($0) || $0 == hyphen }
                    && bytes.first != hyphen && bytes.last != hyphen
            }
    }

    private static func isWord(_ text: some Collection<UInt8>) -> Bool {
        let bytes = Array(text)
        return (1...63).contains(bytes.count) && bytes.allSatisfy { isLetterOrDigit($0) || "-_.".utf8.contains($0) }
            && isLetterOrDigit(bytes[0]) && isLetterOrDigit(bytes[bytes.count - 1])
    }
}

extension YAMLMapping {
    /// The value of a key; `nil` where it is absent or null, which the API server does not tell apart.
    func given(_ key: String) -> YAMLValue? {
        guard let value = self[key] else { return nil }
        if case .null = value.content { return nil }
        return value
    }
}
