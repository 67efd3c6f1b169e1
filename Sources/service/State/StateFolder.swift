// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The state folder: 0700, its files 0600, one process at a time. What is written here is on the disk when the call returns.
///
/// Whole files are replaced and never changed in place: written under another name, synced, renamed, and the folder synced. After a
/// power loss there is the old one or the new one.
final class StateFolder: Sendable {
    /// Its path, without a slash at its end.
    let path: String
    /// Held for the lock's sake: the kernel lets go of it when the process ends, however it ends.
    private let descriptor: Int32

    /// Opens the folder, makes it where it is missing (its parent must be there), and waits so many milliseconds for a process that
    /// is about to end to let go of it.
    init(_ path: String, waiting milliseconds: Int) throws(StateError) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        if unsafe mkdir(self.path, 0o700) != 0, errno != EEXIST { throw Self.error(self.path, "cannot be made") }
        if let fault = Self.strangeness(of: self.path) { throw fault }
        descriptor = unsafe open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.error(self.path, "cannot be opened as a folder") }
        var waited = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK, waited < milliseconds else {
                let fault =
                    errno == EWOULDBLOCK
                    ? StateError("\(self.path) is in use by another process: stop it, or name another folder as `state`")
                    : Self.error(self.path, "cannot be locked")
                close(descriptor)
                throw fault
            }
            usleep(20_000)
            waited += 20
        }
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0, facts.st_mode & 0o077 == 0 || fchmod(descriptor, 0o700) == 0 else {
            let fault = Self.error(self.path, "must be its user's alone, and cannot be made so")
            close(descriptor)
            throw fault
        }
    }

    deinit { close(descriptor) }

    /// The path of a file in it.
    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Whether there is something of that name.
    func holds(_ name: String) -> Bool { unsafe access(file(name), F_OK) == 0 }

    /// Makes an empty file that only its user may read, where there is none. SQLite gives its journal the same mode.
    func make(_ name: String) throws(StateError) {
        let opened = unsafe open(file(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if opened < 0 {
            guard errno == EEXIST else { throw Self.error(file(name), "cannot be made") }
            return
        }
        close(opened)
        try sync()
    }

    /// Puts a whole file into the place of another, or where there was none.
    func replace(_ name: String, by bytes: some Sequence<UInt8>) throws(StateError) {
        let fresh = file(name + ".new")
        let opened = unsafe open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard opened >= 0 else { throw Self.error(fresh, "cannot be made") }
        let isWritten = Self.write(Array(bytes), to: opened) && fsync(opened) == 0
        let fault = isWritten ? nil : Self.error(fresh, "cannot be written")
        close(opened)
        if let fault { throw fault }
        guard unsafe Glibc.rename(fresh, file(name)) == 0 else { throw Self.error(fresh, "cannot be renamed") }
        try sync()
    }

    /// Gives a file another name.
    func rename(_ old: String, to new: String) throws(StateError) {
        guard unsafe Glibc.rename(file(old), file(new)) == 0 else { throw Self.error(file(old), "cannot be renamed") }
        try sync()
    }

    /// Removes files; those that are not there are no error.
    func remove(_ names: [String]) throws(StateError) {
        for name in names {
            guard unsafe unlink(file(name)) == 0 || errno == ENOENT else { throw Self.error(file(name), "cannot be removed") }
        }
        if !names.isEmpty { try sync() }
    }

    /// That a folder belongs to another user than this process runs as: what an earlier control left there, as somebody else, cannot be read
    /// or kept from others. Root has no rights over it either, because control gives them up.
    private static func strangeness(of path: String) -> StateError? {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid != geteuid() else { return nil }
        return StateError(
            "\(path) belongs to user \(facts.st_uid), and control runs as user \(geteuid()): let control run as that user (`users` in the "
                + "configuration), or stop bulkhead and give the folder away with `chown -R \(geteuid()):\(getegid()) \(path)`")
    }

    private func sync() throws(StateError) {
        guard fsync(descriptor) == 0 else { throw Self.error(path, "cannot be synced") }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                return false
            }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func error(_ path: String, _ what: String) -> StateError {
        StateError("\(path) \(what): \(unsafe String(cString: strerror(errno)))")
    }
}

extension StateFolder {
    /// The names in a folder that begin and end with something, sorted.
    static func names(in path: String, from prefix: String, to suffix: String) throws(StateError) -> [String] {
        guard let folder = unsafe opendir(path) else { throw error(path, "cannot be listed") }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            // The kernel ends the name with a zero inside of the record.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name.hasPrefix(prefix), name.hasSuffix(suffix), name.utf8.count >= prefix.utf8.count + suffix.utf8.count {
                names.append(name)
            }
        }
        return names.sorted()
    }

    /// All bytes of a file; `nil` where there is none. One that is longer than `limit` is an error.
    static func read(_ path: String, atMost limit: Int) throws(StateError) -> [UInt8]? {
        let opened = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard opened >= 0 else {
            if errno == ENOENT { return nil }
            throw error(path, "cannot be opened")
        }
        defer { close(opened) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: min(limit + 1, 1 << 16))
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe Glibc.read(opened, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw error(path, "cannot be read") }
            if count == 0 { return bytes }
            bytes += piece[..<count]
            guard bytes.count <= limit else {
                throw StateError("\(path) is longer than \(limit) bytes: it is none of Bulkhead's")
            }
        }
    }
}
