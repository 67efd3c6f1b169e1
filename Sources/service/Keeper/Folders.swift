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
    /// which everybody may write, or that is not ours, stays as it is; one of the system's is refused.
    static func share(_ path: String, with control: Identity, isNew: Bool) throws(KeeperError) {
        guard let folder = try open(path) else { return }
        defer { close(folder) }
        let facts = try facts(of: folder, at: path)
        guard isNew || facts.st_uid == getuid() && facts.st_mode & 0o002 == 0 else { return }
        guard fchown(folder, getuid(), control.group) == 0, fchmod(folder, 0o1775) == 0 else {
            throw .runFolder("cannot share \(path) with control's group", errno: errno)
        }
    }

    /// Makes the folder of what control keeps over a restart, and gives it to control. One that an earlier control filled as root
    /// goes over with its files, whose names are known; root's that holds anything else, in which others may write, or that is the
    /// system's, is refused. One that is not root's, or a symbolic link, stays as it is, and control says what it cannot do there.
    static func give(_ path: String, to control: Identity) throws(KeeperError) {
        _ = try make(path, mode: 0o750)
        guard control.user != 0, let folder = try open(path) else { return }
        defer { close(folder) }
        let own = try facts(of: folder, at: path)
        guard own.st_uid == 0 else { return }
        // From here on nobody but root can put another file into the place of one that was looked at.
        guard own.st_mode & 0o022 == 0 else { throw .writableState(path) }
        // A file system's own folder at its root stays where it is: `state` may be a mount.
        let names = try names(in: folder, at: path).filter { $0 != "lost+found" }
        for name in names where !isControls(name, in: folder, control) { throw .strangeState(path, name: name) }
        // The folder goes last: a start that was cut short goes on with it.
        for name in names {
            guard unsafe fchownat(folder, name, control.user, control.group, AT_SYMLINK_NOFOLLOW) == 0 else {
                throw .runFolder("cannot give \(path)/\(name) to control's user", errno: errno)
            }
        }
        guard fchown(folder, control.user, control.group) == 0 else {
            throw .runFolder("cannot give \(path) to control's user", errno: errno)
        }
    }

    /// Whether a file of the state folder has one of the names that control gives (docs/state.md), with what is written before it
    /// takes the place of an earlier one.
    static func isState(_ name: String) -> Bool {
        ["clock", "shadow", "steady"].contains(name)
            || ["state.db", "flows.db", "audit.", ".dat.nosync"].contains { name.hasPrefix($0) }
            || name.hasPrefix("audit-") && (name.hasSuffix(".jsonl") || name.hasSuffix(".jsonl.new"))
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

    /// Whether a name can be control's own work: a plain file of its or root's, known by no second name.
    private static func isControls(_ name: String, in folder: Int32, _ control: Identity) -> Bool {
        var facts = stat()
        guard isState(name), unsafe fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 else { return false }
        return facts.st_mode & S_IFMT == S_IFREG && facts.st_nlink == 1 && (facts.st_uid == 0 || facts.st_uid == control.user)
    }

    /// Opens a folder that is to change hands, so that what is looked at is what is changed; `nil` for what stays as it is: a symbolic
    /// link, and somebody else's folder that keeper, without the capability to pass over permissions, cannot open.
    private static func open(_ path: String) throws(KeeperError) -> Int32? {
        let folder = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else {
            let code = errno
            let facts = facts(of: path)
            if let facts, facts.st_mode & S_IFMT == S_IFLNK { return nil }
            // Behind a hand-over in place, and under the unit from the start, root may not look into a folder that it has given away.
            if code == EACCES, let facts, facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid != getuid() { return nil }
            throw .runFolder("cannot open \(path) as a folder", errno: code)
        }
        var own = stat()
        var other = stat()
        guard unsafe fstat(folder, &own) == 0 else {
            let code = errno
            close(folder)
            throw .runFolder("cannot look at \(path)", errno: code)
        }
        // By what they are, so that neither `..` nor a link in the path makes another name of one.
        for name in systems where unsafe stat(name, &other) == 0 && other.st_dev == own.st_dev && other.st_ino == own.st_ino {
            close(folder)
            throw .systemFolder(path)
        }
        return folder
    }

    /// Folders that are never control's, whatever the configuration says. /tmp is not among them: everybody may write in it.
    private static let systems = [
        "/", "/bin", "/boot", "/dev", "/etc", "/etc/cron.d", "/etc/sudoers.d", "/etc/systemd/system", "/home", "/lib", "/media",
        "/mnt", "/opt", "/proc", "/root", "/run", "/run/lock", "/sbin", "/srv", "/sys", "/usr", "/usr/bin", "/usr/lib",
        "/usr/local", "/usr/local/bin", "/usr/local/lib", "/usr/local/sbin", "/usr/sbin", "/usr/share", "/var", "/var/cache",
        "/var/lib", "/var/log", "/var/spool",
    ]

    private static func facts(of folder: Int32, at path: String) throws(KeeperError) -> stat {
        var facts = stat()
        guard unsafe fstat(folder, &facts) == 0 else { throw .runFolder("cannot look at \(path)", errno: errno) }
        return facts
    }

    private static func names(in folder: Int32, at path: String) throws(KeeperError) -> [String] {
        let again = unsafe openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard again >= 0, let listing = unsafe fdopendir(again) else {
            let code = errno
            if again >= 0 { close(again) }
            throw .runFolder("cannot list \(path)", errno: code)
        }
        defer { _ = unsafe closedir(listing) }
        var names: [String] = []
        // The entry is valid until the next call; its name is copied out at once.
        while let entry = unsafe readdir(listing) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
