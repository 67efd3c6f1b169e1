// SPDX-License-Identifier: Apache-2.0
internal import Net

extension Matrix.Entry {
    /// The cell in a few signs: `all`, `-`, services, `~` before services that are not the same for all, `*` behind what is not seen.
    var text: String {
        let some = Naming.few(services.map(\.text), "").map { $0.hasSuffix(" more ") ? "+\($0.dropLast(6))" : $0 }.joined(
            separator: " ")
        let body =
            switch extent {
            case .all: "all"
            case .none: "-"
            case .itself: "."
            case .some: some
            case .mixed: services == [.everything] ? "~any" : "~" + (some.isEmpty ? "?" : some)
            }
        return isUnseen ? "\(body)*" : body
    }
}

extension Matrix {
    /// What the signs mean.
    static let legend =
        "rows open connections to columns; - nothing, . no such connection, ~ not for all, * not seen and so not enforced here"

    /// What is said where addresses are left out.
    static let spoofedLegend =
        "left out: addresses in zones other than their workloads'; what comes from there is dropped as spoofed"

    /// A table for a terminal; where it is wider than a line its columns are told in parts, one under the other.
    public func text(_ style: Style = Style()) -> String {
        let texts = entries.map { $0.map(\.text) }
        let head = names.map(\.count).max() ?? 0
        let widths = names.indices.map { column in max(names[column].count, texts.map { $0[column].count }.max() ?? 0) }
        var parts: [[Int]] = [[]]
        var used = head
        for column in names.indices {
            if used + 2 + widths[column] > style.width, !(parts[parts.count - 1].isEmpty) {
                parts.append([])
                used = head
            }
            parts[parts.count - 1].append(column)
            used += 2 + widths[column]
        }
        func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
        var lines: [String] = []
        for part in parts {
            lines.append(padded("", head) + part.map { "  " + padded(names[$0], widths[$0]) }.joined())
            for row in names.indices {
                let cells = part.map { column in
                    let text = padded(texts[row][column], widths[column])
                    return "  " + style.paint(text, entries[row][column].tone)
                }
                lines.append(padded(names[row], head) + cells.joined())
            }
            lines.append("")
        }
        lines.append(style.fold(Self.legend, indent: "  "))
        if hasSpoofed { lines.append(style.fold(Self.spoofedLegend, indent: "  ")) }
        if !isComplete { lines.append("not everything was looked at: cells that say ~? are not known") }
        return lines.map { $0.isEmpty ? "" : String($0.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
    }

    /// Comma-separated values, quoted as RFC 4180 says: a row for each pair.
    public var csv: String {
        func field(_ text: String) -> String {
            // A leading sign would be taken for a formula by spreadsheets.
            let safe = "=+-@\t".contains(text.first ?? " ") ? "'\(text)" : text
            return safe.contains { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" }
                ? "\"\(safe.replacing("\"", with: "\"\""))\"" : safe
        }
        var lines = ["from,to,extent,services,enforced"]
        for (row, name) in names.enumerated() {
            for (column, other) in names.enumerated() {
                let entry = entries[row][column]
                let services = entry.services.map(\.text).joined(separator: " ")
                lines.append(
                    [name, other, entry.extent.rawValue, services, entry.isUnseen ? "no" : "yes"].map(field).joined(
                        separator: ","))
            }
        }
        return lines.joined(separator: "\n")
    }

    /// One JSON document.
    public var json: String {
        JSONText.object([
            ("complete", .truth(isComplete)), ("spoofed_left_out", .truth(hasSpoofed)), ("names", .list(names.map { .text($0) })),
            (
                "cells",
                .list(
                    names.indices.flatMap { row in
                        names.indices.map { column in
                            let entry = entries[row][column]
                            return .object([
                                ("from", .text(names[row])), ("to", .text(names[column])),
                                ("extent", .text(entry.extent.rawValue)),
                                ("services", .list(entry.services.map { .text($0.text) })), ("enforced", .truth(!entry.isUnseen)),
                            ])
                        }
                    })
            ),
        ]).line
    }
}

extension Matrix.Entry {
    fileprivate var tone: Style.Tone {
        switch extent {
        case .all: .good
        case .some, .mixed: .warning
        case .none, .itself: .faint
        }
    }
}
