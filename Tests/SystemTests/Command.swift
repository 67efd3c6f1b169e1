// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// A command that is run to its end.
enum Command {
    /// Runs it and returns however it ended.
    static func attempt(_ arguments: [String]) throws -> Tool.Outcome { try Tool.run("/usr/bin/env", arguments) }

    /// Runs it and throws what it said when it fails.
    @discardableResult
    static func run(_ arguments: String...) throws -> String { try run(arguments) }

    /// Runs it and throws what it said when it fails.
    @discardableResult
    static func run(_ arguments: [String]) throws -> String {
        let outcome = try attempt(arguments)
        guard outcome.code == 0 else {
            throw Trouble("\(arguments.joined(separator: " ")): exit \(outcome.code): \(outcome.errors)\(outcome.output)")
        }
        return outcome.output
    }
}

/// Runs something on this thread without its signal mask. Threads of the concurrency runtime block signals, a child inherits the mask of the
/// thread that starts it, and then SIGTERM and SIGHUP never reach it.
private func withSignalsOpen<Result>(_ body: () throws -> Result) rethrows -> Result {
    var (none, before) = (sigset_t(), sigset_t())
    // The pointers live for these calls only.
    unsafe sigemptyset(&none)
    unsafe pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    return try body()
}

/// A process that runs beside the test, with its output in files. Ended with its owner.
final class Companion {
    private let process = Process()
    private let outputFile: URL
    private let errorFile: URL

    /// Starts a command whose output goes to `name.out` and `name.err` in a folder.
    init(_ arguments: [String], in folder: URL, name: String, environment: [String: String] = [:]) throws {
        outputFile = folder.appending(path: name + ".out")
        errorFile = folder.appending(path: name + ".err")
        for file in [outputFile, errorFile] { try Data().write(to: file) }
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        try withSignalsOpen { try process.run() }
    }

    deinit { if process.isRunning { kill(pid, SIGKILL) } }

    /// Its process number.
    var pid: Int32 { process.processIdentifier }

    /// Whether it has not ended.
    var isRunning: Bool { process.isRunning }

    /// What it printed so far.
    var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }

    /// What it printed on standard error so far.
    var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }

    /// Waits until it has printed a line.
    func waitForLine(_ line: String, within seconds: Double) throws {
        try eventually("`\(line)` from \(describe)", within: seconds) {
            if output.split(separator: "\n").contains(Substring(line)) { return true }
            guard process.isRunning else { throw Trouble("\(describe) ended with \(process.terminationStatus): \(errors)") }
            return false
        }
    }

    /// Waits until it has ended; its exit code, or the negative signal.
    @discardableResult
    func waitForEnd(within seconds: Double) throws -> Int32 {
        try eventually("the end of \(describe)", within: seconds) { !process.isRunning }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// Asks it to end and waits; everything that it printed.
    @discardableResult
    func end(within seconds: Double = 10) throws -> String {
        kill(pid, SIGTERM)
        try waitForEnd(within: seconds)
        return output
    }

    private var describe: String { (process.arguments ?? []).joined(separator: " ") }
}
