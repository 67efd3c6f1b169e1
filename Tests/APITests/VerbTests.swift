// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Telemetry
import TestSupport
import Testing

/// The command line as a client: what each verb asks, prints and exits with.
@Suite(.enabled(if: Tool.hasBulkhead, "the binary is not built")) struct Verbs {
    /// Words, what control is asked, and what stands in the output.
    @Test(arguments: [
        (["policy", "apply", "FILE", "--dry-run"], ["apply [\"FILE\"] true"], "+ any -> any, tcp/22: deny -> allow"),
        (
            ["policy", "apply", "FILE", "--confirm", "60s", "--console", "--max-new-denies", "0"], ["apply [\"FILE\"] false"],
            "1 box differs, 1 of"
        ),
        (
            ["policy", "apply", "FILE", "--dry-run"], ["apply [\"FILE\"] true"],
            "cuts shop/web\\u{1b}[2J 10.9.0.11:40000 -> 10.9.0.21:5432, tcp/5432: deny\n… and 1 more\n2 of 3 live flows would be cut\n1 more"
        ),
        (["policy", "apply", "FILE", "--allow-empty"], ["apply [\"FILE\"] false"], "in force with generation 5"),
        (["policy", "confirm", "8"], ["confirm 8 false since then"], "revision 8 is confirmed and stays"),
        (["policy", "confirm", "8", "--console"], ["confirm 8 true since then"], "stays"),
        (["policy", "rollback", "5", "--reason", "it was better"], ["roll back to 5 it was better"], "unless it is confirmed"),
        (["policy", "history", "--limit", "2"], [], "older ones: --before 249"),
        (
            ["policy", "shadow", "start", "FILE", "--for", "2h", "--namespace", "shop"], ["shadow [\"FILE\"] 7200 shop"],
            "and nothing is cut"
        ),
        (["policy", "shadow", "stop"], ["stop shadow"], "2 closed, 1 opened"),
        (["policy", "shadow", "status"], [], "4 connections judged, 3 decided otherwise: 2 closed, 1 opened"),
        (["policy", "shadow", "report"], [], "allow -> deny  outside in 0 -> outside in 0, tcp/443: 2 connections"),
        (["policy", "shadow", "report", "--opens"], [], "deny -> allow  outside in 0 -> outside in 0, tcp/80: 1 connection"),
        (["policy", "shadow", "report", "--flows", "--port", "443", "--last", "1"], [], "[candidate: deny, no side judges it]"),
        (["policy", "get", "--revision", "3"], [], "# revision 3, confirmed\nkind: Policy"),
        (["workload", "list"], [], "shop/w1149"),
        (
            ["workload", "add", "FILE", "--lease", "60s"], ["register [\"FILE\"] 60"],
            "registered, in force with inventory epoch 3"
        ),
        (
            ["workload", "add", "--name", "shop/w", "--address", "10.0.0.9", "--label", "a=b"],
            ["register [\"(command line)\"] 0"], "registered"
        ),
        (["workload", "label", "shop/w", "a=b", "c-"], ["update shop/w [\"a=b\", \"c=gone\"] 0"], "labelled"),
        (["workload", "renew", "shop/w", "--lease", "5m"], ["update shop/w [] 300"], "renewed"),
        (["workload", "remove", "shop/w", "x"], ["unregister shop/w", "unregister x"], "removed"),
        (["bypass", "--for", "15m", "--reason", "vendor"], ["bypass 900 vendor"], "everything passes unjudged until 2026"),
        (["bypass", "--end"], ["end bypass"], "no bypass is on"), (["reload"], ["reload"], "in force with generation 5"),
    ])
    func `a verb asks for what it says, and --json prints what came`(words: [String], asked: [String], told: String) async throws
    {
        let plane = FakePlane()
        try await withServer(plane: plane) { path in
            let file = "\(path).yaml"
            try "kind: Workload\n".write(toFile: file, atomically: true, encoding: .utf8)
            let words = words.map { $0 == "FILE" ? file : $0 } + ["--socket", path]
            let told = told.replacingOccurrences(of: "FILE", with: file)
            let answer = try Tool.bulkhead(words)
            #expect(answer.code == 0 && answer.errors.isEmpty && answer.output.contains(told), "\(answer)")
            #expect(
                plane.asked.map { $0.drop { $0 != ":" }.dropFirst(2) }
                    == asked.map { $0.replacingOccurrences(of: "FILE", with: file)[...] })
            let json = try Tool.bulkhead(words + ["--json"])
            #expect(json.code == 0 && !json.output.isEmpty)
            for line in json.output.split(separator: "\n") { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
        }
    }

    @Test func `a capture's file is its owner's alone, also one that was there, and a device keeps its mode`() async throws {
        try await withServer(plane: FakePlane()) { path in
            let file = "\(path).pcapng"
            let manager = FileManager.default
            _ = manager.createFile(
                atPath: file, contents: Data(repeating: 7, count: 1 << 16), attributes: [.posixPermissions: 0o644])
            let answer = try Tool.bulkhead("capture", "--output", file, "--socket", path)
            #expect(answer.code == 0, "\(answer)")
            let about = try manager.attributesOfItem(atPath: file)
            #expect(about[.posixPermissions] as? Int == 0o600 && about[.size] as? Int ?? 0 < 1 << 16)
            let mode = try manager.attributesOfItem(atPath: "/dev/null")[.posixPermissions] as? Int
            #expect(try Tool.bulkhead("capture", "--output", "/dev/null", "--socket", path).code == 0)
            #expect(try manager.attributesOfItem(atPath: "/dev/null")[.posixPermissions] as? Int == mode)
        }
    }

    @Test func `a capture that finds no more room ends with a whole block`() async throws {
        try await withServer(plane: FakePlane()) { path in
            func capture(_ file: String, _ before: String) throws -> (answer: Tool.Outcome, bytes: [UInt8]) {
                let line = "\(before) exec \"$0\" capture --output '\(file)' --socket '\(path)'"
                let answer = try Tool.run("/bin/bash", ["-c", line, Tool.built("bulkhead")])
                return (answer, [UInt8](try Data(contentsOf: URL(fileURLWithPath: file))))
            }
            let whole = try capture("\(path).whole", "").bytes
            var ends: [Int] = []
            while let start = ends.last ?? 0 as Int?, start + 8 <= whole.count {
                ends.append(start + (0..<4).reduce(0) { $0 | Int(whole[start + 4 + $1]) << (8 * $1) })
            }
            #expect(ends.last == whole.count && whole.count > 1024)
            // The limit is one of whole kilobytes, and falls into a block.
            let (answer, bytes) = try capture("\(path).cut", "trap '' XFSZ; ulimit -f 1;")
            #expect(answer.code == 1 && answer.errors.contains("cannot be written"), "\(answer)")
            #expect(!ends.contains(1024) && bytes.count > 0 && ends.contains(bytes.count), "\(bytes.count) of \(ends)")
        }
    }

    @Test func `who follows a shadow run is told its end, which is no failure`() async throws {
        let (slot, run) = (ShadowSlot(), shadowRun())
        slot.begin(run)
        try await withServer(slot: slot) { path in
            Thread.detachNewThread {
                _ = eventually { run.hub.subscriberCount > 0 }
                run.finish(.over)
            }
            let answer = try Tool.bulkhead("policy", "shadow", "report", "--follow", "--last", "1", "--socket", path)
            #expect(answer.code == 0 && answer.errors == "the run has ended: its time is over\n", "\(answer)")
            #expect(answer.output.contains("[candidate: allow"))
        }
    }

    @Test func `a change that data has not answered is told as that, and the exit code is 1`() async throws {
        let plane = FakePlane()
        plane.answer("unanswered")
        try await withServer(plane: plane) { path in
            let file = "\(path).yaml"
            try "x\n".write(toFile: file, atomically: true, encoding: .utf8)
            let answer = try Tool.bulkhead("policy", "apply", file, "--socket", path)
            #expect(answer.code == 1 && answer.output.contains("the data process has not answered"), "\(answer)")
            #expect(answer.output.contains("generation 5 goes on"))
        }
    }

    @Test func `a reload says what it took up, and the exit code is 1 where policies wait or data has not answered`() async throws
    {
        for (outcome, code, words) in [
            ("reread", 0, "the files of policies say what they said"), ("published", 0, "is in force with generation 5"),
            ("held", 1, "which waits"), ("unanswered", 1, "the data process has not answered"),
        ] {
            let plane = FakePlane()
            plane.answer(outcome)
            try await withServer(plane: plane) { path in
                let answer = try Tool.bulkhead("reload", "--socket", path)
                #expect(answer.code == Int32(code) && answer.output.contains(words), "\(outcome): \(answer)")
            }
        }
    }

    @Test func `a refusal is told with every place, and the exit code is 1`() async throws {
        let plane = FakePlane()
        plane.refuse(
            Refusal(
                .unprocessable, "the documents have faults; nothing was changed",
                faults: ["p.yaml:1:2: no", "p.yaml:3:4: nor this"]))
        try await withServer(plane: plane) { path in
            let file = "\(path).yaml"
            try "x\n".write(toFile: file, atomically: true, encoding: .utf8)
            let answer = try Tool.bulkhead("policy", "apply", file, "--socket", path)
            #expect(answer.code == 1 && answer.output.isEmpty)
            #expect(answer.errors.contains("nothing was changed\np.yaml:1:2: no\np.yaml:3:4: nor this\n"), "\(answer.errors)")
        }
    }

    @Test(arguments: [
        ["bypass"], ["bypass", "--for", "15m"], ["bypass", "--for", "2d", "--reason", "x"], ["bypass", "--end", "--reason", "x"],
        ["policy", "shadow", "start"], ["policy", "shadow", "start", "x", "--for", "0s"],
        ["policy", "shadow", "report", "--flows", "--limit", "5"], ["policy", "shadow", "report", "--last", "5"],
        ["policy", "shadow", "report", "--from", "shop/"],
        ["policy", "apply"], ["policy", "apply", "x", "--console"], ["policy", "apply", "x", "--confirm", "soon"],
        ["policy", "confirm"],
        ["policy", "get", "--revision", "1", "--policies", "x"], ["workload", "add"], ["workload", "add", "x", "--name", "y"],
        ["workload", "add", "--name", "y"], ["workload", "add", "--name", "y", "--address", "nowhere"],
        ["workload", "add", "--name", "y", "--address", "10.0.0.1", "--lease", "1s"], ["workload", "label", "y", "="],
        ["workload", "label", "y", "a=1", "a-"], ["workload", "import", "x", "--from", "latin"],
        ["status", "--server", "http://x"],
        ["status", "--server", "https://x"], ["status", "--socket", "x", "--server", "https://x"],
        ["status", "--certificate", "x"],
    ])
    func `wrong usage is told before anything is sent`(words: [String]) throws {
        let answer = try Tool.bulkhead(words)
        #expect(answer.code == 2 && answer.output.isEmpty && !answer.errors.isEmpty, "\(words): \(answer)")
    }

    @Test func `files of folders are sent by name, and one that cannot be read stops everything`() async throws {
        let plane = FakePlane()
        try await withServer(plane: plane) { path in
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent("set")
            try FileManager.default.createDirectory(at: folder.appendingPathComponent("deep"), withIntermediateDirectories: true)
            for name in ["b.yaml", "a.yml", "deep/c.json", "readme.md"] {
                try "x".write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
            }
            #expect(try Tool.bulkhead("policy", "apply", folder.path, "--socket", path).code == 0)
            let sent = ["a.yml", "b.yaml", "deep/c.json"].map { folder.path + "/" + $0 }
            #expect(plane.asked.last?.hasSuffix("apply \(sent) false") == true, "\(plane.asked)")
            #expect(try Tool.bulkhead("policy", "apply", folder.path, "/nowhere", "--socket", path).code == 1)
            #expect(plane.asked.count == 1)
        }
    }
}
