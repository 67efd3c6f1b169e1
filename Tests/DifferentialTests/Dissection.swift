// SPDX-License-Identifier: Apache-2.0
import Foundation
import FoundationXML
import TestSupport

/// What tshark made of a frame: its layers in the order in which they stand, with the fields that it names.
struct Dissection {
    /// A protocol's part of the frame.
    struct Layer {
        /// tshark's name of the protocol.
        let name: String
        /// First byte in the frame.
        let position: Int
        /// What each field shows, by its name, in the order of the frame; nested layers' fields are here too.
        var fields: [String: [String]] = [:]

        /// A field's number, decimal or hexadecimal; its first, where it stands there more than once.
        func number(_ field: String) -> Int? {
            guard let text = fields[field]?.first else { return nil }
            return text.hasPrefix("0x") ? Int(text.dropFirst(2), radix: 16) : Int(text)
        }

        /// What the field shows first.
        func text(_ field: String) -> String? { fields[field]?.first }
    }

    /// The layers, outermost first.
    var layers: [Layer] = []

    /// Runs tshark over a capture. Nothing is put together from several frames, and names are not looked up.
    static func ofCapture(_ file: URL) throws -> [Dissection] {
        let preferences = [
            "ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE",
            "tcp.relative_sequence_numbers:FALSE",
            "tcp.analyze_sequence_numbers:FALSE", "sctp.reassembly:FALSE",
        ]
        let arguments = ["-n", "-r", file.path, "-T", "pdml"] + preferences.flatMap { ["-o", $0] }
        let document = Data(try Tool.run("/usr/bin/tshark", arguments).succeeded().utf8)
        // A packet at a time: the parser refuses a document as long as all of them.
        let (start, end) = (Data("<packet>".utf8), Data("</packet>".utf8))
        var result: [Dissection] = []
        var place = document.startIndex
        while let first = document.range(of: start, in: place..<document.endIndex),
            let last = document.range(of: end, in: first.upperBound..<document.endIndex)
        {
            let parser = XMLParser(data: document[first.lowerBound..<last.upperBound])
            let reader = PacketDetails()
            parser.delegate = reader
            guard parser.parse() else {
                throw ToolFailure("tshark's packet \(result.count + 1) is no XML: \(parser.lineNumber)")
            }
            result.append(reader.dissection)
            place = last.upperBound
        }
        return result
    }
}

/// Reads a packet of the packet details markup language: `proto` elements, which hold `field` elements.
private final class PacketDetails: NSObject, XMLParserDelegate {
    var dissection = Dissection()
    /// How many `proto` elements are open.
    private var depth = 0

    func parser(
        _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        switch element {
        case "proto":
            depth += 1
            guard depth == 1, let name = attributes["name"], !["geninfo", "frame", "fake-field-wrapper"].contains(name) else {
                return
            }
            let layer = Dissection.Layer(name: name, position: attributes["pos"].flatMap { Int($0) } ?? 0)
            dissection.layers.append(layer)
        case "field":
            guard depth > 0, let name = attributes["name"], !name.isEmpty, let shown = attributes["show"],
                let last = dissection.layers.indices.last
            else { return }
            dissection.layers[last].fields[name, default: []].append(shown)
        default: return
        }
    }

    func parser(_ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?) {
        if element == "proto" { depth -= 1 }
    }
}
