// SPDX-License-Identifier: Apache-2.0
import Foundation
import FuzzTargets
import Glibc
import Net
import TestSupport
import Testing

/// Wire's reading of frames that somebody else made, beside the reading of somebody else's reader, tshark.
@Suite("A reading beside tshark's") struct DifferentialTests {
    /// Fields that must have been compared, so that the comparison cannot go quiet.
    static let fields = [
        "destination MAC", "source MAC", "ether type", "VLANs", "row of layer 2", "network offset", "transport offset",
        "payload offset", "end", "source", "destination", "hop limit", "protocol", "do-not-fragment", "more fragments",
        "fragment offset", "identification", "source port", "destination port", "TCP flags", "sequence", "acknowledgement",
        "window",
        "window scale", "maximum segment", "ICMP type", "ICMP code", "ICMP error", "echo identifier", "target", "claimed MAC",
        "kind",
        "tunnel", "tunnel identifier",
    ]

    @Test(arguments: [1, 2]) func `of frames of every protocol both say the same, field by field`(seed: Int) throws {
        try inFolder { folder in
            _ = try Tool.run("/usr/bin/python3", [tool("make-captures.py"), folder.path, String(seed)]).succeeded()
            let rows = try Row.all(of: folder.appending(path: "frames.pcap"), named: folder.appending(path: "frames.txt"))
            try #require(rows.count > 500)
            var comparison = Comparison()
            for row in rows { compare(row, &comparison, "seed \(seed)") }
            for field in Self.fields { #expect(comparison.compared[field, default: 0] >= 8, "\(field) was hardly ever compared") }
            // The comparison can fail: no frame passes for the next one.
            for (row, other) in zip(rows, rows.dropFirst()) where row.reason == nil {
                var swapped = Comparison()
                let level = try #require(Level.levels(of: other.dissection).first)
                swapped.compare(FrameOutcome(of: row.bytes).reading, with: level, isFrame: true)
                #expect(!swapped.differences.isEmpty, "\(row.name) and \(other.name)")
            }
        }
    }

    @Test(.enabled(if: getuid() == 0, "needs root: network namespaces"))
    func `of what two kernels say to each other both say the same`() throws {
        try inFolder { folder in
            let file = folder.appending(path: "traffic.pcap")
            _ = try Tool.run(tool("make-traffic.sh"), [file.path]).succeeded()
            var comparison = Comparison()
            let rows = try Row.all(of: file)
            for row in rows { compare(row, &comparison, "traffic") }
            #expect(rows.count > 100)
            let fields = [
                "tunnel identifier", "fragment offset", "ICMP error", "claimed MAC", "target", "window scale", "echo identifier",
            ]
            for field in fields { #expect(comparison.compared[field, default: 0] > 0, "\(field) was not compared") }
        }
    }

    /// `BULKHEAD_CAPTURE=FILE` adds a capture of your own; what Wire refuses there is printed and is no failure.
    @Test func `of a capture of your own both say the same`() throws {
        guard let path = ProcessInfo.processInfo.environment["BULKHEAD_CAPTURE"] else { return }
        var comparison = Comparison()
        var refused: [String: Int] = [:]
        for var row in try Row.all(of: URL(fileURLWithPath: path)) {
            row.reason = FrameOutcome(of: row.bytes).reason?.name
            if let reason = row.reason { refused[reason, default: 0] += 1 }
            compare(row, &comparison, path)
        }
        print("\(path): \(comparison.compared.values.reduce(0, +)) fields compared, refused: \(refused)")
    }

    /// Compares a frame level by level.
    private func compare(_ row: Row, _ comparison: inout Comparison, _ capture: String) {
        let outcome = FrameOutcome(of: row.bytes)
        let frame = "\(capture), \(row.name): \(hexadecimal(row.bytes))"
        #expect(outcome.reason?.name == row.reason, "\(frame)")
        guard outcome.reason == nil, row.reason == nil else { return }
        let levels = Level.levels(of: row.dissection)
        let readings = [(reason: nil, reading: outcome.reading)] + outcome.inner
        #expect(readings.count == levels.count, "\(readings.count) levels, tshark has \(levels.count): \(frame)")
        for (depth, (step, level)) in zip(readings, levels).enumerated() {
            #expect(step.reason == nil, "depth \(depth): \(frame)")
            guard step.reason == nil else { return }
            let before = comparison.differences.count
            comparison.compare(step.reading, with: level, isFrame: depth == 0)
            for difference in comparison.differences.dropFirst(before) { Issue.record("\(difference), depth \(depth): \(frame)") }
        }
    }

    /// A program of this folder.
    private func tool(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: name).path
    }

    /// Runs a body with a folder that goes away: captures are made anew each time and never kept.
    private func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bulkhead-differential-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }
}

/// A frame of a capture, and what must come of it: a reason, or a reading.
struct Row {
    let name: String
    var reason: String?
    let bytes: [UInt8]
    let dissection: Dissection

    /// The frames of a capture; their names and reasons stand in a file beside it, or are numbers and none.
    static func all(of file: URL, named names: URL? = nil) throws -> [Row] {
        let (capture, dissections) = (try Capture(of: file), try Dissection.ofCapture(file))
        let lines = try names.map { try String(contentsOf: $0, encoding: .utf8).split(separator: "\n") }
        guard capture.frames.count == dissections.count, lines.map({ $0.count == dissections.count }) ?? true else {
            throw ToolFailure("\(file.path): \(capture.frames.count) frames, tshark has \(dissections.count)")
        }
        return zip(capture.frames, dissections).enumerated().map { index, frame in
            let parts = lines.map { $0[index].split(separator: "\t").map(String.init) } ?? ["frame \(index + 1)", "-"]
            return Row(name: parts[0], reason: parts[1] == "-" ? nil : parts[1], bytes: frame.0, dissection: frame.1)
        }
    }
}
