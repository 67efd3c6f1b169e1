// SPDX-License-Identifier: Apache-2.0

/// Takes a stream of server-sent events apart: an event is a run of lines up to an empty one.
struct EventLines {
    private var rest = ""
    private var name = ""
    private var data: [String] = []

    /// Takes the next part of the stream; the events that it completes.
    mutating func take(_ part: String) -> [(name: String, data: String)] {
        rest += part
        var events: [(String, String)] = []
        while let end = rest.firstIndex(of: "\n") {
            let line = String(rest[..<end])
            rest = String(rest[rest.index(after: end)...])
            if line.isEmpty {
                if !name.isEmpty || !data.isEmpty { events.append((name, data.joined(separator: "\n"))) }
                (name, data) = ("", [])
            } else if line.hasPrefix("event: ") {
                name = String(line.dropFirst("event: ".count))
            } else if line.hasPrefix("data: ") {
                data.append(String(line.dropFirst("data: ".count)))
            }
        }
        return events
    }
}
