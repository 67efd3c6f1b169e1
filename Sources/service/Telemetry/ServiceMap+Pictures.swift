// SPDX-License-Identifier: Apache-2.0
internal import Glibc

extension ServiceMap {
    /// A picture (SVG 1.1). Edges are drawn behind the boxes, the thicker the more connections they stand for, dashed where everything
    /// was refused; what they carry is shown when the pointer rests on one.
    public var svg: String {
        let layout = Layout(self)
        let place = Dictionary(uniqueKeysWithValues: zip(nodes.map(\.name), layout.boxes))
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(layout.width)\" height=\"\(layout.height + Self.legend)\" "
                + "viewBox=\"0 0 \(layout.width) \(layout.height + Self.legend)\" font-family=\"monospace\" font-size=\"12\">",
            "<title>Who talks to whom: connections go from left to right unless they bend back</title>",
            "<defs>" + Tone.allCases.map(\.arrow).joined() + "</defs>",
            "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
        ]
        for link in links {
            guard let from = place[link.source], let to = place[link.destination] else { continue }
            lines.append(Self.curve(link, from, to))
        }
        for (node, box) in zip(nodes, layout.boxes) { lines.append(Self.box(node, box)) }
        lines.append(Self.key(y: layout.height))
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    /// The map in DOT, the language of Graphviz.
    public var dot: String {
        var lines = ["digraph bulkhead {", "  rankdir=LR;", "  node [shape=box, fontname=monospace];"]
        lines += nodes.map {
            "  \(Self.quoted($0.name)) [label=\(Self.quoted($0.title)), style=\($0.isOurs ? "solid" : "dashed")];"
        }
        lines += links.map { link in
            let style = link.isRefused ? "dashed" : "solid"
            return "  \(Self.quoted(link.source)) -> \(Self.quoted(link.destination)) "
                + "[label=\(Self.quoted(link.summary)), style=\(style), color=\(Self.quoted(link.tone.rawValue))];"
        }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
    }

    /// Colours that are told apart without red and green (Okabe and Ito).
    enum Tone: String, CaseIterable {
        case allowed = "#0072b2"
        case partly = "#e69f00"
        case refused = "#d55e00"

        var words: String {
            switch self {
            case .allowed: "allowed"
            case .partly: "allowed in part"
            case .refused: "refused"
            }
        }

        fileprivate var arrow: String {
            "<marker id=\"\(words.replacing(" ", with: "-"))\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" "
                + "markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"\(rawValue)\"/>"
                + "</marker>"
        }
    }

    private static let legend = 32

    private static func curve(_ link: Link, _ from: Layout.Box, _ to: Layout.Box) -> String {
        let (x1, y1) = (from.x + from.width, from.y + from.height / 2)
        let (x2, y2) = (to.x, to.y + to.height / 2)
        // Back to a column on the left, or into the own one: around the boxes, not through them.
        let reach = x2 > x1 ? (x2 - x1) / 2 : Layout.aisle / 2
        let width = min(6, 1 + log10(Double(max(1, link.connections))))
        let dash = link.isRefused ? " stroke-dasharray=\"6 4\"" : ""
        let arrow = link.tone.words.replacing(" ", with: "-")
        return "<g><title>\(Markup.escaped("\(link.source) -> \(link.destination): \(link.summary)"))</title>"
            + "<path d=\"M\(x1) \(y1)C\(x1 + reach) \(y1) \(x2 - reach) \(y2) \(x2) \(y2)\" fill=\"none\" "
            + "stroke=\"\(link.tone.rawValue)\" stroke-width=\"\(tenths(width))\"\(dash) marker-end=\"url(#\(arrow))\"/></g>"
    }

    private static func box(_ node: Node, _ box: Layout.Box) -> String {
        let dash = node.isOurs ? "" : " stroke-dasharray=\"3 3\""
        return "<g><title>\(Markup.escaped("\(node.kind) \(node.title)"))</title>"
            + "<rect x=\"\(box.x)\" y=\"\(box.y)\" width=\"\(box.width)\" height=\"\(box.height)\" rx=\"4\" fill=\"#f7f7f7\" "
            + "stroke=\"#333333\"\(dash)/><text x=\"\(box.x + box.width / 2)\" y=\"\(box.y + 16)\" text-anchor=\"middle\">"
            + "\(Markup.escaped(node.title))</text></g>"
    }

    private static func key(y: Int) -> String {
        Tone.allCases.enumerated().map { index, tone in
            let x = Layout.margin + index * 170
            return "<path d=\"M\(x) \(y)h24\" stroke=\"\(tone.rawValue)\" stroke-width=\"3\"/>"
                + "<text x=\"\(x + 32)\" y=\"\(y + 4)\">\(tone.words)</text>"
        }.joined()
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func quoted(_ text: String) -> String {
        "\"" + TerminalText.escaped(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

extension ServiceMap.Node {
    /// Whether it is known by its labels.
    fileprivate var isOurs: Bool { kind == "workload" || kind == "group" }
}

extension ServiceMap.Link {
    fileprivate var tone: ServiceMap.Tone { isRefused ? .refused : isPartlyRefused ? .partly : .allowed }

    /// The busiest services in words.
    fileprivate var summary: String {
        let named = services.prefix(4).map { service in
            "\(service.service)\(service.decision == "allow" ? "" : " \(service.decision)") (\(service.connections))"
        }
        return (named + (services.count > 4 ? ["\(services.count - 4) more"] : [])).joined(separator: ", ")
    }
}

/// Text inside XML.
enum Markup {
    /// With the characters that mean something written out, and those that no document may have as an escape (XML 1.0, 2.2).
    static func escaped(_ text: String) -> String {
        TerminalText.escaped(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
