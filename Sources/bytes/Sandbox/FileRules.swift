// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Glibc

/// Which files a process may reach from now on, whatever its user may (Landlock). What is open already stays open.
///
/// The kernel's version decides how much of it there is: files since Linux 5.13, truncation since 6.2, devices since 6.10, signals
/// and abstract sockets since 6.12. `install` asks for all that this kernel knows.
public struct FileRules: Sendable, Equatable {
    /// Paths to read, each with everything beneath.
    public var readable: [String]
    /// Paths to read and change, each with everything beneath.
    public var writable: [String]

    /// Rules by their paths; one without anything there says nothing.
    public init(readable: [String] = [], writable: [String] = []) {
        self.readable = readable
        self.writable = writable
    }

    /// The version of Landlock that this kernel has, 0 for none.
    public static var version: Int { Int(cxdp_landlock_version()) }

    /// Puts the rules over the calling thread and those that it starts, in `enforce`. Does nothing on a kernel without Landlock,
    /// and in `log`, which Landlock has not. Needs no_new_privs.
    public func install(_ mode: SandboxMode) throws(SandboxError) {
        let version = FileRules.version
        guard mode == .enforce, version > 0 else { return }
        let known = Access.all(version)
        let rules = cxdp_landlock_create(known, 0, version >= 6 ? Access.reachingOut : 0)
        guard rules >= 0 else { throw .refused("rules for files", errno: -rules) }
        defer { close(rules) }
        for path in readable { try allow(rules, path, Access.read & known) }
        for path in writable { try allow(rules, path, known & ~Access.execute) }
        let result = cxdp_landlock_enforce(rules)
        guard result == 0 else { throw .refused("rules for files", errno: -result) }
    }

    private func allow(_ rules: Int32, _ path: String, _ access: UInt64) throws(SandboxError) {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return }
        // What only folders have is refused for a file.
        let isFolder = facts.st_mode & S_IFMT == S_IFDIR
        let result = unsafe cxdp_landlock_allow(rules, path, isFolder ? access : access & Access.ofFiles)
        // Whoever cannot open a path needs no rule that keeps him from it.
        guard result == 0 || result == -ENOENT || result == -EACCES else { throw .refused("a rule for \(path)", errno: -result) }
    }

    /// Rights by their bits (LANDLOCK_ACCESS_FS_…, linux/landlock.h).
    private enum Access {
        static let execute: UInt64 = 1 << 0
        static let writeFile: UInt64 = 1 << 1
        static let readFile: UInt64 = 1 << 2
        static let readFolder: UInt64 = 1 << 3
        static let truncate: UInt64 = 1 << 14
        static let device: UInt64 = 1 << 15
        static let read = readFile | readFolder
        static let ofFiles = execute | writeFile | readFile | truncate | device
        /// LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and LANDLOCK_SCOPE_SIGNAL.
        static let reachingOut: UInt64 = 3

        /// All rights that a version knows: 13 in the first, then `refer`, `truncate`, none in the fourth, `device`.
        static func all(_ version: Int) -> UInt64 {
            switch version {
            case 1: (1 << 13) - 1
            case 2: (1 << 14) - 1
            case 3, 4: (1 << 15) - 1
            default: (1 << 16) - 1
            }
        }
    }
}
