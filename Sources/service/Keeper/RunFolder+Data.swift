// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout

// Which process is the data process, in a file that only keeper's user can write: neither the board, which data itself writes, nor
// the credentials at its socket, which are those of the keeper that made it, can tell the next keeper whom to watch, and to kill.

extension RunFolder {
    private var dataFile: String { "\(keepersPath)/data.pid" }

    /// Writes down the data process: its number and its start, because a number alone may be another process's by and by. One that has
    /// ended is not worth it. False when it cannot be written.
    func note(data pid: Int32) -> Bool {
        guard let start = RunFolder.start(of: pid) else { return true }
        return write("\(pid) \(start)\n", to: dataFile)
    }

    /// The data process that was written down last, if it has not ended.
    func notedData() -> ChildProcess? {
        let words = RunFolder.text(of: dataFile).split(whereSeparator: \.isWhitespace)
        // Held by a descriptor first, then compared: so it cannot become another one in between.
        guard words.count == 2, let pid = Int32(words[0]), pid > 1, let process = try? ChildProcess(watching: pid),
            RunFolder.start(of: pid) == String(words[1])
        else { return nil }
        return process
    }

    /// When a process was started, in ticks since the machine was: field 22 of its `stat` (proc(5)).
    private static func start(of pid: Int32) -> String? {
        // The second field is a name in brackets that may hold anything.
        let fields = text(of: "/proc/\(pid)/stat").split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 19 ? String(fields[19]) : nil
    }

    /// The beginning of a small file, empty when it cannot be read.
    static func text(of path: String) -> String {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
