// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// Remembers which file a socket was when it was put into its place, so that only our own is removed at the end.
final class Placed: Sendable {
    private let inode = Mutex<UInt64?>(nil)

    /// Gives the file at `own` to a group; false where we may not.
    func give(_ own: String, to group: UInt32) -> Bool { unsafe chown(own, .max, group) == 0 }

    /// Gives `own` its mode and renames it to `path`; what went wrong, or `nil`.
    func place(_ own: String, at path: String) -> String? {
        guard unsafe chmod(own, 0o660) == 0, unsafe rename(own, path) == 0 else {
            let code = errno
            return unsafe "cannot put the socket at \(path): \(String(cString: strerror(code)))"
        }
        inode.withLock { $0 = Self.inode(of: path) }
        return nil
    }

    /// Removes the file at `path` if it is still the one that was put there.
    func remove(_ path: String) {
        let mine = inode.withLock { $0 }
        if mine != nil, Self.inode(of: path) == mine { _ = unsafe unlink(path) }
    }

    private static func inode(of path: String) -> UInt64? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.systemFileNumber] as? UInt64
    }
}
