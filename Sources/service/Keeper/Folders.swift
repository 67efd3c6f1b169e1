// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Sandbox

/// Folders that keeper makes, while it may still give them away, for itself and for control, which may not.
enum Folders {
    /// Makes a folder with all above it. Whether it was missing.
    static func make(_ path: String, mode: UInt32) throws(KeeperError) -> Bool {
        var part = ""
        var isNew = false
        for name in path.split(separator: "/") {
            part += "/" + name
            isNew = unsafe mkdir(part, part == path ? mode : 0o755) == 0
            guard isNew || errno == EEXIST else { throw .runFolder("cannot make \(part)", errno: errno) }
        }
        return isNew
    }

    /// Lets control make its socket in a folder of ours: nobody may rename or remove there what is not his (the sticky bit). One in
    /// which everybody may write, or that is not ours, stays as it is.
    static func share(_ path: String, with control: Identity, isNew: Bool) throws(KeeperError) {
        guard let facts = facts(of: path), isNew || facts.st_uid == getuid() && facts.st_mode & 0o002 == 0 else { return }
        guard unsafe chown(path, getuid(), control.group) == 0, unsafe chmod(path, 0o1775) == 0 else {
            throw .runFolder("cannot share \(path) with control's group", errno: errno)
        }
    }

    /// Makes the folder of what control keeps over a restart, and gives it to control. One that an earlier control filled as root
    /// goes over with the files in it; any other one that is not control's stays as it is, and control says what it cannot do
    /// there.
    static func give(_ path: String, to control: Identity) throws(KeeperError) {
        let isNew = try make(path, mode: 0o750)
        guard control.user != 0, let facts = facts(of: path), facts.st_uid == 0, facts.st_mode & 0o002 == 0 else { return }
        let files = isNew ? [] : names(in: path)
        // Only what can be control's own work: root's plain files, none of them known by a second name.
        let areFiles = files.allSatisfy { name in
            Folders.facts(of: "\(path)/\(name)").map { $0.st_uid == 0 && $0.st_mode & S_IFMT == S_IFREG && $0.st_nlink == 1 }
                ?? false
        }
        guard areFiles else { throw .strangeState(path) }
        for name in files { unsafe lchown("\(path)/\(name)", control.user, control.group) }
        guard unsafe chown(path, control.user, control.group) == 0 else {
            throw .runFolder("cannot give \(path) to control's user", errno: errno)
        }
    }

    /// Whether a path is a folder of this process's user in which nobody else may write.
    static func isOurs(_ path: String) -> Bool {
        guard let facts = facts(of: path) else { return false }
        return facts.st_mode & S_IFMT == S_IFDIR && facts.st_uid == getuid() && facts.st_mode & 0o022 == 0
    }

    private static func facts(of path: String) -> stat? {
        var facts = stat()
        return unsafe lstat(path, &facts) == 0 ? facts : nil
    }

    private static func names(in path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { _ = unsafe closedir(folder) }
        var names: [String] = []
        // The entry is valid until the next call; its name is copied out at once.
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
