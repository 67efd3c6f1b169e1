// SPDX-License-Identifier: Apache-2.0
internal import Net

extension Matrix {
    /// Sizes of the picture, in pixels. A sign is taken to be as wide as the widest of its font, so that no text leaves its place.
    private enum Size {
        static let cell = 24
        static let line = 24
        static let sign = 8
        static let gap = 12
    }

    /// A picture (SVG 1.1): names of rows on the left, of columns upright above, a square for each pair, and its services when the
    /// pointer rests on it. Names have a line and a column of their own and cannot overlap.
    public var svg: String {
        let longest = names.map(\.count).max() ?? 0
        let label = longest * Size.sign + 2 * Size.gap
        let side = names.count * Size.cell
        let width = max(label + side + Size.gap, 5 * 130 + Size.gap)
        let height = label + side + 2 * Size.line
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\" "
                + "font-family=\"monospace\" font-size=\"12\">",
            "<title>Who may talk to whom: rows open connections to columns</title>",
            "<rect width=\"\(width)\" height=\"\(height)\" fill=\"#ffffff\"/>",
        ]
        for (index, name) in names.enumerated() {
            let place = label + index * Size.cell + Size.cell / 2 + 4
            let text = XMLText.escaped(name)
            lines.append("<text x=\"\(label - Size.gap)\" y=\"\(place)\" text-anchor=\"end\">\(text)</text>")
            lines.append("<text transform=\"translate(\(place) \(label - Size.gap)) rotate(-90)\">\(text)</text>")
        }
        for (row, name) in names.enumerated() {
            for (column, other) in names.enumerated() {
                lines.append(
                    square(entries[row][column], label + column * Size.cell, label + row * Size.cell, "\(name) -> \(other)"))
            }
        }
        lines += legend(y: label + side + Size.line)
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private func square(_ entry: Entry, _ x: Int, _ y: Int, _ pair: String) -> String {
        let services = entry.services.isEmpty ? "" : ": " + entry.services.map(\.text).joined(separator: ", ")
        let title = "\(pair): \(entry.extent.rawValue)\(services)\(entry.isUnseen ? " (not enforced here)" : "")"
        let mark =
            entry.isUnseen
            ? "<path d=\"M\(x + 3) \(y + 3)L\(x + Size.cell - 3) \(y + Size.cell - 3)\" stroke=\"#000000\" stroke-width=\"2\"/>"
            : ""
        return
            "<g><title>\(XMLText.escaped(title))</title><rect x=\"\(x)\" y=\"\(y)\" width=\"\(Size.cell)\" height=\"\(Size.cell)\" "
            + "fill=\"\(entry.extent.colour)\" stroke=\"#ffffff\"/>\(mark)</g>"
    }

    private func legend(y: Int) -> [String] {
        let parts: [(String, Extent)] = [
            ("all", .all), ("some services", .some), ("not for all", .mixed), ("nothing", .none), ("no connection", .itself),
        ]
        return parts.enumerated().flatMap { index, part in
            [
                "<rect x=\"\(Size.gap + index * 130)\" y=\"\(y - 11)\" width=\"12\" height=\"12\" fill=\"\(part.1.colour)\"/>",
                "<text x=\"\(Size.gap + index * 130 + 18)\" y=\"\(y)\">\(part.0)</text>",
            ]
        }
    }
}

extension Matrix.Extent {
    /// Colours that are told apart without red and green.
    fileprivate var colour: String {
        switch self {
        case .all: "#d55e00"
        case .some: "#56b4e9"
        case .mixed: "#f0e442"
        case .none: "#e5e5e5"
        case .itself: "#fafafa"
        }
    }
}
