// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// A host as an Ansible inventory names it: a name or an address, perhaps with a port, perhaps with ranges, `web[01:10]`,
/// `db-[a:c].example.org`, `rack[0:40:2]`, ends included, that stand for many hosts.
struct HostPattern {
    let text: String
    let place: Place

    /// The hosts, in the order of the ranges; more than `limit` are an error.
    func hosts(limit: Int) throws(PolicyError) -> [String] {
        if Address(text) != nil { return [text] }
        var rest = try withoutPort()[...]
        var hosts = [""]
        while let opening = rest.firstIndex(of: "[") {
            let head = rest[..<opening]
            guard let closing = rest[opening...].firstIndex(of: "]") else { throw error("a range is not closed") }
            let values = try range(rest[rest.index(after: opening)..<closing])
            guard hosts.count <= limit / max(1, values.count) else { throw error("stands for more than \(limit) hosts") }
            hosts = hosts.flatMap { host in values.map { "\(host)\(head)\($0)" } }
            rest = rest[rest.index(after: closing)...]
        }
        return hosts.map { $0 + rest }
    }

    private func error(_ message: String) -> PolicyError {
        PolicyError(place, "the host \"\(text)\": \(message)", remedy: "write web[01:10] for web01 to web10")
    }

    /// The pattern before a port, which says nothing to policy: `name:22`, `[fd00::1]:22`.
    private func withoutPort() throws(PolicyError) -> String {
        if text.hasPrefix("["), let closing = text.firstIndex(of: "]") {
            let inner = String(text[text.index(after: text.startIndex)..<closing])
            if Address(inner) != nil { return inner }
        }
        let behind = text.lastIndex(of: "]").map { text[text.index(after: $0)...] } ?? text[...]
        guard let colon = behind.firstIndex(of: ":") else { return text }
        let port = behind[behind.index(after: colon)...]
        guard !port.isEmpty, port.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw error("what is behind \":\" is no port")
        }
        return String(text[..<colon])
    }

    /// The values of `first:last` or `first:last:step`, numbers (as wide as the first, where that begins with 0) or letters.
    private func range(_ text: Substring) throws(PolicyError) -> [String] {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, let step = parts.count == 2 ? 1 : number(parts[2]), step > 0 else {
            throw error("[\(text)] is no range")
        }
        let first = parts[0].isEmpty ? "0" : parts[0]
        if let from = number(first), let to = number(parts[1]), from <= to {
            let width = first.hasPrefix("0") ? first.count : 0
            guard width <= 1 || width == parts[1].count else { throw error("the ends of [\(text)] are not equally wide") }
            guard (to - from) / step < 1_000_000 else { throw error("[\(text)] is too large") }
            return stride(from: from, through: to, by: step).map { value in
                String(repeating: "0", count: max(0, width - "\(value)".count)) + "\(value)"
            }
        }
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        guard first.count == 1, parts[1].count == 1, let from = letters.firstIndex(of: first[first.startIndex]),
            let to = letters.firstIndex(of: parts[1][parts[1].startIndex]), from <= to
        else { throw error("[\(text)] is no range") }
        return stride(from: from, through: to, by: step).map { String(letters[$0]) }
    }

    private func number(_ text: Substring) -> Int? {
        !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
    }
}
