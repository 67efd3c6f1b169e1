// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The built `bulkhead`, run as people run it.
struct Command {
    var code: Int32
    var output: String
    var errors: String

    /// Whether the binary lies beside the tests.
    static var isBuilt: Bool { FileManager.default.isExecutableFile(atPath: path) }

    private static var path: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("bulkhead").path
    }

    /// Runs it with the given words and input until it ends.
    init(_ words: String..., input: String = "") throws { try self.init(words, input: input) }

    /// Runs it with the given words and input until it ends.
    init(_ words: [String], input: String = "") throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.path)
        process.arguments = words
        let (inPipe, outPipe, errorPipe) = (Pipe(), Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (inPipe, outPipe, errorPipe)
        try process.run()
        try inPipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try inPipe.fileHandleForWriting.close()
        output = String(decoding: outPipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        errors = String(decoding: errorPipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        code = process.terminationStatus
    }
}
