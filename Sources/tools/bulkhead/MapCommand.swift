// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FoundationEssentials
import Telemetry

/// `bulkhead map`.
struct MapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: "Draw who talks to whom, as it was seen.",
        discussion: """
            Workloads are nodes, or groups of them that have the same values of the labels named by --by; edges are the connections that
            were seen between them, those that were refused dashed.

              bulkhead map --output map.svg
              bulkhead map --by app --by env --since 24h --output map.svg
              bulkhead map --format dot | dot -Tpdf -o map.pdf
              bulkhead map --json | jq '.links[] | select(.services[].decision == "deny")'
            """)

    /// How the map is written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        /// A picture.
        case svg
        /// Graphviz' language.
        case dot
        /// One document.
        case json
    }

    @OptionGroup var daemon: DaemonOptions

    @Option(name: .long, help: "svg, dot or json.")
    var format = Format.svg

    @Flag(name: .long, help: "The same as --format json.")
    var json = false

    @Option(name: .long, help: "A label by whose value workloads are taken together; may be given several times.")
    var by: [String] = []

    @Option(name: .long, help: "Only what was seen since then: a time (RFC 3339), or how long ago (10m, 2h, 3d).")
    var since: String?

    @Option(name: .shortAndLong, help: "The file to write, instead of standard output.")
    var output: String?

    func run() async throws {
        var query = by.map { "by=\(DaemonClient.escaped($0))" }
        if let since { query.append("since=\(try nanoseconds(since, of: "since"))") }
        let body = try await daemon.client.get("/v1/map?" + query.joined(separator: "&"))
        let map = try DaemonClient.decode(ServiceMap.self, body)
        let text =
            switch json ? .json : format {
            case .svg: map.svg
            case .dot: map.dot
            case .json: try DaemonClient.encode(map) + "\n"
            }
        if map.left > 0 { complain("(\(map.left) connections had no room in the daemon's table and are not in the map)") }
        guard let output else {
            say(text)
            return
        }
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
        } catch {
            throw DaemonClient.Failure(
                description: "\(output) cannot be written; see whether its folder is there, and yours to write in")
        }
        complain("wrote \(output): \(map.nodes.count) nodes, \(map.links.count) edges")
    }
}
