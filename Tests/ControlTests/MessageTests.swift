// SPDX-License-Identifier: Apache-2.0
import Control
import Foundation
import Policy
import Testing

/// For every key of the manual a value of the wrong type, one beyond its bounds and a key beside it that is none; with the exact words in
/// which `bulkhead check` says so: the place, what may stand there, and what to do. The rows are in `Messages.txt`: the key, the line, the
/// error's lines, a blank line. `BULKHEAD_GOLDEN=write` makes the errors anew: read the difference before you keep it.
@Suite("Messages about the configuration") struct MessageTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    private static let file = folder.appendingPathComponent("Messages.txt")

    /// A row of the file.
    private struct Row {
        var key: String
        var line: String
        var errors: [String]
    }

    private static func rows() throws -> [Row] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n\n").map { text in
            let lines = text.split(separator: "\n").map(String.init)
            return Row(key: lines[0], line: lines[1], errors: Array(lines[2...]))
        }
    }

    /// What is said of a configuration with this line, places without the file's name.
    private static func errors(_ row: Row) -> [String] {
        let pairs = row.key.hasPrefix("pairs") ? "" : "pairs: [{name: edge, ports: [left, right]}]\n"
        let zones = row.key.hasPrefix("zones") ? "" : "zones: {lan: {port: left}}\n"
        do throws(PolicyError) {
            _ = try Configuration.read(row.line + "\n" + pairs + zones, file: "/etc/bulkhead/b.yaml")
            return ["nothing: it was read"]
        } catch {
            return error.all.map { String("\($0)".dropFirst("/etc/bulkhead/b.yaml:".count)) }
        }
    }

    @Test func `every message has its place, its bound and its remedy`() throws {
        let rows = try Self.rows()
        if ProcessInfo.processInfo.environment["BULKHEAD_GOLDEN"] == "write" {
            let text = rows.map { ([$0.key, $0.line] + Self.errors($0)).joined(separator: "\n") }.joined(separator: "\n\n")
            try (text + "\n").write(to: Self.file, atomically: true, encoding: .utf8)
        }
        for row in try Self.rows() {
            let found = Self.errors(row)
            #expect(found == row.errors, "\(row.line): \(found)")
        }
    }

    @Test func `every key of the manual has rows`() throws {
        let manual = try String(
            contentsOf: Self.folder.appendingPathComponent("../../docs/configuration.md"), encoding: .utf8)
        let prefixes = [
            "Keys": "", "A pair": "pairs.", "A zone": "zones.", "Connections": "flows.", "Records": "records.", "Checksums": "",
            "Failsafe": "failsafe.",
        ]
        let known = Set(try Self.rows().map(\.key))
        var (prefix, count): (String?, Int) = (nil, 0)
        for line in manual.split(separator: "\n") {
            if line.hasPrefix("#") {
                prefix = prefixes[String(line.drop { $0 == "#" }.dropFirst())]
            } else if line.hasPrefix("| key of an opening") {
                prefix = "failsafe.opening."
            } else if let prefix, let key = line.firstMatch(of: /^\| `([a-z0-9.-]+)` \|/)?.1, !key.hasPrefix("flows.") {
                count += 1
                #expect(known.contains(prefix + key), "docs/configuration.md has the key \(prefix)\(key); give it rows")
            }
        }
        #expect(count > 50)
    }
}
