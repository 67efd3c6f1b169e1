// SPDX-License-Identifier: Apache-2.0
import Foundation
import Policy
import PolicyText
import Testing

@Suite struct Loading {
    private func folder(_ files: [String: String]) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-\(UUID().uuidString)").path
        for (name, text) in files {
            let file = URL(fileURLWithPath: path).appendingPathComponent(name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return path
    }

    private func zone(_ name: String) -> String { "{apiVersion: bulkhead/v1, kind: Zone, metadata: {name: \(name)}}" }

    @Test func `folders are read with everything below them, and each file once`() throws {
        let path = try folder(["a.yaml": zone("a"), "deep/er/b.yml": zone("b"), "c.json": zone("\"c\""), "README.md": "# no"])
        defer { try? FileManager.default.removeItem(atPath: path) }
        let set = try Loader.load(paths: [path, "\(path)/a.yaml", "\(path)/deep/../c.json"])
        #expect(set.zones.keys.sorted() == ["a", "b", "c"])
    }

    @Test func `what cannot be read says so`() throws {
        let path = try folder(["a.yaml": zone("a"), "b.yaml": zone("a")])
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect {
            try Loader.load(paths: [path])
        } throws: { error in
            "\(error)".contains("b.yaml:1:1: Zone \"a\" is there twice; the first one is at ")
        }
        #expect {
            try Loader.load(paths: ["\(path)/none"])
        } throws: { error in
            "\(error)" == "\(path)/none:1:1: there is no such file or folder"
        }
        try Data([0xff, 0xfe, 0x41]).write(to: URL(fileURLWithPath: "\(path)/b.yaml"))
        #expect(throws: PolicyError.self) { try Loader.load(paths: [path]) }
    }

    @Test func `what is hidden in a folder is left out, and what is reached twice by links is read once`() throws {
        let path = try folder([
            ".git/a.yaml": zone("a"), ".b.yaml": zone("a"), "..version/c.yaml": zone("a"), "d.yaml": zone("a"),
            "e/f.yaml": zone("b"),
        ])
        defer { try? FileManager.default.removeItem(atPath: path) }
        for (link, target) in [("g.yaml", "d.yaml"), ("h.yaml", "..version/c.yaml")] {
            try FileManager.default.createSymbolicLink(atPath: "\(path)/\(link)", withDestinationPath: target)
        }
        #expect(try Loader.files(under: path).map { $0.dropFirst(path.count + 1) } == ["d.yaml", "e/f.yaml", "g.yaml", "h.yaml"])
        try FileManager.default.removeItem(atPath: "\(path)/h.yaml")
        #expect(try Loader.load(paths: [path]).zones.keys.sorted() == ["a", "b"])
        #expect(try Loader.files(under: "\(path)/.git").count == 1, "the path itself was named")
    }

    @Test func `a link to a folder is read as the folder, and a circle of links once`() throws {
        let path = try folder(["releases/2/a.yaml": zone("a"), "releases/2/deep/b.yaml": zone("b")])
        defer { try? FileManager.default.removeItem(atPath: path) }
        for (link, target) in [("current", "releases/2"), ("releases/2/deep/again", "../../2")] {
            try FileManager.default.createSymbolicLink(atPath: "\(path)/\(link)", withDestinationPath: target)
        }
        #expect(try Loader.load(paths: ["\(path)/current"]).zones.keys.sorted() == ["a", "b"])
        #expect(try Loader.load(paths: ["\(path)/current/"]).zones.keys.sorted() == ["a", "b"])
        #expect(try Loader.load(paths: [path]).zones.keys.sorted() == ["a", "b"])
    }

    @Test(.enabled(if: geteuid() != 0, "root reads every folder"), arguments: [0o000, 0o400, 0o100])
    func `a folder that may not be read or entered is an error and not an empty one`(mode: Int) throws {
        let path = try folder(["a.yaml": zone("a"), "closed/b.yaml": zone("b")])
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(path)/closed")
        defer {
            try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: "\(path)/closed")
            try? FileManager.default.removeItem(atPath: path)
        }
        for (asked, named) in [(path, "\(path)/closed"), ("\(path)/closed", "\(path)/closed")] {
            #expect {
                try Loader.load(paths: [asked])
            } throws: { error in
                "\(error)" == "\(named):1:1: the folder cannot be read"
            }
        }
    }

    @Test func `one look shows what is wrong in all files`() throws {
        let path = try folder([
            "a.yaml": "{apiVersion: bulkhead/v1, kind: Zone, metadata: {nam: a}}", "b.yaml": "a: [", "c.yaml": zone("c"),
            "d.yaml": "{apiVersion: bulkhead/v1, kind: Zoen, metadata: {name: a}}",
        ])
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            _ = try Loader.load(paths: [path])
            Issue.record("it was read")
        } catch {
            #expect(error.all.map { String($0.place.file.suffix(6)) } == ["a.yaml", "b.yaml", "d.yaml"])
        }
    }

    @Test func `a set has limits`() throws {
        let path = try folder(["a.yaml": zone("a") + "\n---\n" + zone("b"), "b.yaml": zone("c")])
        defer { try? FileManager.default.removeItem(atPath: path) }
        func refusal(_ change: (inout Loader.Limits) -> Void) -> String {
            var limits = Loader.Limits()
            change(&limits)
            do throws(PolicyError) { _ = try Loader.load(paths: [path], limits: limits) } catch { return "\(error)" }
            return ""
        }
        #expect(refusal { _ in } == "")
        #expect(
            refusal { $0.files = 1 }
                == "\(path):1:1: the folder has more than 1 files of documents; write several documents into one file")
        #expect(refusal { $0.file.bytes = 70 } == "\(path)/a.yaml:1:1: the file has 121 bytes, 70 is the limit; split it")
        #expect(refusal { $0.bytes = 150 } == "\(path)/b.yaml:1:1: with this file the set has more than 150 bytes")
        #expect(refusal { $0.documents = 2 } == "\(path)/b.yaml:1:1: with this document the set has more than 2")
    }
}

/// Reads `x/v1` documents as zones that are called after them.
private struct Dialect: ForeignDialect {
    func claims(apiVersion: String, kind: String) -> Bool { apiVersion == "x/v1" }

    func read(_ documents: [ForeignDocument]) throws(PolicyError) -> ForeignReading {
        var reading = ForeignReading()
        for document in documents {
            guard document.kind != "Bad" else { throw document.value.error("it is bad") }
            reading.documents.append(.zone(Zone(name: "\(document.kind)-of-\(documents.count)", place: document.place)))
        }
        reading.losses.append(documents[0].value.error("something is lost"))
        return reading
    }
}

@Suite struct ForeignDocuments {
    private let native = "{apiVersion: bulkhead/v1, kind: Zone, metadata: {name: a}}\n---\n"
    private func foreign(_ kind: String) -> String { "{apiVersion: x/v1, kind: \(kind), anything: ~}\n---\n" }

    @Test func `a dialect gets all documents that it claims in one call, items of lists among them`() throws {
        let list =
            "{apiVersion: v1, kind: List, metadata: {}, items: [{apiVersion: x/v1, kind: C}, "
            + "{apiVersion: bulkhead/v1, kind: Zone, metadata: {name: b}}]}"
        let documents = try decode(foreign("A") + native + foreign("B") + list, file: "f", dialects: [Dialect()])
        #expect(documents.map(\.name.name) == ["a", "b", "A-of-3", "B-of-3", "C-of-3"])
        #expect(documents.last?.place == Place(file: "f", line: 7, column: 52))
    }

    @Test func `what no dialect claims is refused, and a dialect's error stands beside the others`() throws {
        for (text, messages) in [
            (native + foreign("A"), ["f:3:14: apiVersion must be bulkhead/v1, not \"x/v1\""]),
            (
                foreign("Bad") + "{apiVersion: y/v1, kind: A}",
                ["f:3:14: apiVersion must be bulkhead/v1, not \"y/v1\"", "f:1:1: it is bad"]
            ),
        ] {
            do {
                _ = try decode(text, file: "f", dialects: messages.count == 1 ? [] : [Dialect()])
                Issue.record("it was read")
            } catch {
                #expect(error.all.map(\.description) == messages)
            }
        }
    }

    @Test func `what was lost is told`() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-\(UUID().uuidString).yaml")
        try Data((native + foreign("A")).utf8).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        let contents = try Loader.contents(paths: [path.path], dialects: [Dialect()])
        #expect(contents.losses.map(\.message) == ["something is lost"] && contents.documents.count == 2)
    }
}
