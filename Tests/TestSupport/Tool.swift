// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A program that runs beside a test, each of its three streams a file. Whoever starts it sees its end.
///
/// Not Foundation's `Process`, which lists the files that this process has open and copies 256 bytes of each entry's name, also of
/// the last one in its buffer: with some 1,360 open files, as the tests of a room at once have, it reads beyond the end and dies.
@safe public final class Tool {
    /// The number of its process.
    public let pid: Int32
    private let output: Spool
    private let errors: Spool
    /// As `waitpid` tells it; `nil` while it runs.
    private var status: Int32?

    /// Starts the program at a path with words behind its name. It reads `input` and its end. Signals are open to it: threads of the
    /// concurrency runtime block them, and a child has the mask of the thread that starts it.
    public init(_ path: String, _ words: [String], input: String = "") throws(ToolFailure) {
        let reading = try Spool()
        try reading.write(input)
        output = try Spool()
        errors = try Spool()
        var actions = unsafe posix_spawn_file_actions_t()
        var (attributes, open) = (posix_spawnattr_t(), sigset_t())
        // What the pointers point to lives until the end of this function, and the array of words until behind the call.
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (stream, file) in [reading, output, errors].enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, file.descriptor, Int32(stream))
        }
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe sigemptyset(&open)
        unsafe posix_spawnattr_setsigmask(&attributes, &open)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = unsafe ([path] + words).map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let result = unsafe posix_spawn(&pid, path, &actions, &attributes, &arguments, environ)
        guard result == 0 else { throw ToolFailure("\(path) does not start: \(unsafe String(cString: strerror(result)))") }
        self.pid = pid
    }

    deinit {
        // Nobody may wait for it any more.
        guard isRunning else { return }
        kill(pid, SIGKILL)
        _ = wait()
    }

    /// Whether it has not ended.
    public var isRunning: Bool {
        if status == nil { note(WNOHANG) }
        return status == nil
    }

    /// Waits for its end: what it said, and how it ended.
    public func wait() -> Outcome {
        while status == nil { note(0) }
        let status = status ?? 0
        let signal = status & 0x7f
        return Outcome(code: signal == 0 ? status >> 8 & 0xff : -signal, output: output.text, errors: errors.text)
    }

    private func note(_ options: Int32) {
        var status: Int32 = 0
        let ended = unsafe waitpid(pid, &status, options)
        // An error means that somebody else has waited for it: it has ended, nobody knows how.
        if ended == pid { self.status = status } else if ended < 0, errno != EINTR { self.status = 0xff00 }
    }

    /// The path of a program that is built beside the tests.
    public static func built(_ name: String) -> String {
        let tests = CommandLine.arguments[0]
        return tests.prefix(through: tests.lastIndex(of: "/") ?? tests.startIndex) + name
    }

    /// Whether `bulkhead` lies beside the tests.
    public static var hasBulkhead: Bool { unsafe access(built("bulkhead"), X_OK) == 0 }

    /// Runs the built `bulkhead` to its end, as people run it.
    public static func bulkhead(_ words: String..., input: String = "") throws(ToolFailure) -> Outcome {
        try bulkhead(words, input: input)
    }

    /// Runs the built `bulkhead` to its end, as people run it.
    public static func bulkhead(_ words: [String], input: String = "") throws(ToolFailure) -> Outcome {
        try run(built("bulkhead"), words, input: input)
    }

    /// Runs a program to its end.
    public static func run(_ path: String, _ words: [String], input: String = "") throws(ToolFailure) -> Outcome {
        try Tool(path, words, input: input).wait()
    }

    /// What a program said, and how it ended.
    public struct Outcome: Sendable {
        /// Exit code; negative for the signal that ended it.
        public let code: Int32
        /// Standard output.
        public let output: String
        /// Standard error.
        public let errors: String

        /// The output of a program that must succeed.
        public func succeeded() throws(ToolFailure) -> String {
            guard code == 0 else { throw ToolFailure("ended with \(code): \(errors.suffix(2000))") }
            return output
        }
    }
}

/// Why a program that a test needs did not do what it should.
public struct ToolFailure: Error, CustomStringConvertible {
    /// In words.
    public let description: String

    /// A failure in words.
    public init(_ description: String) { self.description = description }
}

/// A file without a name, in which a stream of a program lies: unlike a pipe it never makes the program wait for who reads.
@safe private final class Spool {
    private let file: UnsafeMutablePointer<FILE>

    init() throws(ToolFailure) {
        guard let file = unsafe tmpfile() else { throw ToolFailure("no file without a name: error \(errno)") }
        unsafe self.file = file
    }

    deinit { unsafe fclose(file) }

    var descriptor: Int32 { unsafe fileno(file) }

    /// Writes, and stands at the beginning again.
    func write(_ text: String) throws(ToolFailure) {
        let bytes = Array(text.utf8)
        guard unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw ToolFailure("cannot write: error \(errno)") }
        unsafe rewind(file)
    }

    /// Everything so far. The place in the file is the program's, too, and stays. What is no UTF-8 is shown as U+FFFD.
    var text: String {
        var (bytes, piece) = ([UInt8](), [UInt8](repeating: 0, count: 64 << 10))
        while case let count = unsafe pread(descriptor, &piece, piece.count, bytes.count), count > 0 { bytes += piece[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
