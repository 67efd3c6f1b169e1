// SPDX-License-Identifier: Apache-2.0
import Foundation
import FuzzTargets
import TestSupport
import Testing

/// The stored inputs, through the same functions that libFuzzer calls. What was once found stays found.
@Suite("The corpus") struct CorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fuzz/Corpus")

    /// The files of a target's folder.
    private static func files(of target: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder.appending(path: target), includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }
    }

    @Test(arguments: FuzzTarget.all.map(\.name)) func `no stored input is a finding`(name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        var count = 0
        for file in try Self.files(of: name) {
            let inputs = try #require(Corpus.inputs(of: String(contentsOf: file, encoding: .utf8)), "\(file.path)")
            for input in inputs {
                let flaw = target.flaw(input.bytes)
                #expect(flaw == nil, "\(name), \(input.name): \(hexadecimal(input.bytes))")
                count += 1
            }
        }
        #expect(count > 0, "\(name) has no corpus: scripts/fuzz --write-seeds")
    }

    @Test(arguments: FuzzTarget.all.map(\.name)) func `no seed is a finding, nor what the target makes of it`(name: String) throws
    {
        let target = try #require(FuzzTarget.named(name))
        var random = PacketRandom(seed: 9)
        for seed in target.seeds() {
            #expect(target.flaw(seed.bytes) == nil, "\(seed.name)")
            for _ in 0..<20 {
                guard let mutant = target.mutate?(seed.bytes, &random) else { continue }
                #expect(target.flaw(mutant) == nil, "\(seed.name): \(hexadecimal(mutant))")
            }
        }
    }

    @Test(arguments: FuzzTarget.all.map(\.name)) func `the stored seeds are those that the target makes`(name: String) throws {
        let seeds = try #require(FuzzTarget.named(name)).seeds()
        guard !seeds.isEmpty else { return }
        let file = Self.folder.appending(path: name).appending(path: "seeds.hex")
        let stored = try #require(Corpus.inputs(of: String(contentsOf: file, encoding: .utf8)), "\(file.path)")
        #expect(
            stored.map(\.name) == seeds.map(\.name) && stored.map(\.bytes) == seeds.map(\.bytes),
            "of another build: scripts/fuzz --write-seeds")
    }

    @Test func `each target has a folder, and each folder a target`() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(folders == FuzzTarget.all.map(\.name).sorted())
    }

    @Test func `an empty input and a very long one are no finding`() {
        for target in FuzzTarget.all {
            #expect(target.flaw([]) == nil)
            for byte in 0...8 as ClosedRange<UInt8> { #expect(target.flaw([UInt8](repeating: byte, count: 70_000)) == nil) }
        }
    }

    @Test func `a file is read as it was written, and a broken line is not`() throws {
        let seeds: [FuzzTarget.Seed] = [("a name: with a colon", [0, 255, 16]), ("nothing", [])]
        let text = "# a remark\n\n" + seeds.map(Corpus.line).joined(separator: "\n") + "\n"
        let read = try #require(Corpus.inputs(of: text))
        #expect(read.map(\.name) == seeds.map(\.name))
        #expect(read.map(\.bytes) == seeds.map(\.bytes))
        for broken in ["no colon", "odd: 123", "letters: 0g"] { #expect(Corpus.inputs(of: broken) == nil, "\(broken)") }
    }
}
