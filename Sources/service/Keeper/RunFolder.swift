// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout
internal import Sandbox

/// What went wrong in keeper; each says what to do next.
enum KeeperError: Error, CustomStringConvertible {
    case runFolder(String, errno: Int32)
    case strangeFolder(String)
    case systemFolder(String)
    case strangeState(String, name: String)
    case writableState(String)
    case isRunning(folder: String)
    case nobodyToTakeOver(folder: String)
    case unknownData(folder: String)
    case orders(String)
    case port(String)
    case data(String)

    var description: String {
        switch self {
        case .runFolder(let what, let code):
            unsafe "\(what): \(String(cString: strerror(code))); give `state` and `run` in the configuration folders that can be written"
        case .strangeFolder(let path):
            "\(path) belongs to somebody else, or others may write in it: remove it, or give its owner back with chown"
        case .systemFolder(let path):
            "\(path) is the system's, and not to be control's: give `run` and `state` in the configuration folders of their own"
        case .strangeState(let path, let name):
            "the state folder \(path) is root's and holds \(name.debugDescription), which is no file of control's: move it away, "
                + "or give `state` in the configuration a folder of its own"
        case .writableState(let path):
            "the state folder \(path) is root's, and others may write in it: look at what it holds, then chmod go-w it"
        case .isRunning(let folder):
            "another bulkhead runs with \(folder): stop it, or take over from it with `bulkhead run --take-over`"
        case .nobodyToTakeOver(let folder): "no bulkhead runs with \(folder) to take over from: start without --take-over"
        case .unknownData(let folder):
            "a data process runs, and forwards on, but \(folder)/data.pid does not say which: it cannot be taken back. End it (its "
                + "name is bulkhead-data), then start again"
        case .orders(let what): "control's orders are refused: \(what)"
        case .port(let what): what
        case .data(let what): "the data process \(what)"
        }
    }
}

/// The run folder, and in it keeper's own, which nobody else can enter: with its lock, its notes and the two sockets on which a
/// later keeper comes: `keeper.sock` to this process, `data.sock` to the data process, which outlives it. The run folder itself is
/// for control's socket too: who may make something in it cannot rename or remove what is keeper's.
final class RunFolder {
    /// The run folder.
    let path: String
    /// Keeper's own folder in it.
    let keepersPath: String
    private var lock: Int32 = -1
    /// Where another keeper asks to take over.
    private(set) var keeperListener: Int32 = -1

    /// Makes the folders where they are missing. What control makes in the run folder belongs to `control`; root needs no such
    /// right.
    init(_ path: String, control: Identity = .root) throws(KeeperError) {
        self.path = path
        keepersPath = path + "/keeper"
        let isNew = try Folders.make(path, mode: 0o755)
        // First, so that control never finds the name free.
        _ = try Folders.make(keepersPath, mode: 0o700)
        guard Folders.isOurs(keepersPath) else { throw .strangeFolder(keepersPath) }
        if control.user != 0 { try Folders.share(path, with: control, isNew: isNew) }
    }

    deinit {
        if lock >= 0 { close(lock) }
        if keeperListener >= 0 { close(keeperListener) }
    }

    /// Whether this process holds the folder from now on; false where another one does. Tries for the given time.
    func acquire(milliseconds: Int) throws(KeeperError) -> Bool {
        if lock < 0 {
            lock = unsafe open("\(keepersPath)/keeper.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard lock >= 0 else { throw .runFolder("cannot open \(keepersPath)/keeper.lock", errno: errno) }
        }
        for _ in 0...(milliseconds / 2) {
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { return true }
            usleep(2000)
        }
        return false
    }

    /// Lets go of the folder and removes keeper's own socket.
    func release() {
        if keeperListener >= 0 {
            close(keeperListener)
            keeperListener = -1
            unsafe unlink("\(keepersPath)/keeper.sock")
        }
        if lock >= 0 {
            close(lock)
            lock = -1
        }
    }

    /// Begins to listen for another keeper.
    func listenForKeepers() throws(KeeperError) { keeperListener = try listen("keeper.sock") }

    /// A listening socket of the given name, close-on-exec, for root alone. While a data process takes over from another one both
    /// listen on the same, and whoever comes second to a caller must not wait for the next: it does not block.
    func listen(_ name: String) throws(KeeperError) -> Int32 {
        let kind = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(AF_UNIX, kind, 0)
        guard socket >= 0 else { throw .runFolder("cannot make a socket", errno: errno) }
        unsafe unlink("\(keepersPath)/\(name)")
        // What bind(2) makes has the mode of the socket: so a umask, which is all threads', need not change for it.
        fchmod(socket, 0o600)
        let bound = unsafe withAddress(name) { unsafe bind(socket, $0, $1) }
        guard bound == 0, Glibc.listen(socket, 8) == 0 else {
            let code = errno
            close(socket)
            throw .runFolder("cannot listen on \(keepersPath)/\(name)", errno: code)
        }
        return socket
    }

    /// A connection to whoever listens on the given name; `nil` when nobody does.
    func connect(_ name: String) -> Channel? {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        let channel = Channel(adopting: socket)
        guard unsafe withAddress(name, { unsafe Glibc.connect(socket, $0, $1) }) == 0 else { return nil }
        // Only root, or who runs this keeper, may have made the socket.
        guard let peer = channel.peer, peer.uid == 0 || peer.uid == getuid() else { return nil }
        return channel
    }

    /// Empties keeper's own folder at an orderly stop. The folder stays: who may make something in the run folder could take its name
    /// and keep the next keeper from starting. With `keepingBypass` the note of a bypass stays too.
    func clear(keepingBypass: Bool = false) {
        let names = ["keeper.sock", "data.sock", "data.pid", "ports", "bypass", "keeper.lock"]
        for name in names where !(keepingBypass && name == "bypass") { unsafe unlink("\(keepersPath)/\(name)") }
    }

    /// Writes a small file of keeper's own. Who reads it finds what was there before, or all of it. False, and what was there stays,
    /// when it cannot be written.
    func write(_ text: String, to path: String) -> Bool {
        let new = path + ".new"
        let file = unsafe open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return false }
        let bytes = Array(text.utf8)
        let count = unsafe Glibc.write(file, bytes, bytes.count)
        close(file)
        return unsafe count == bytes.count && rename(new, path) == 0
    }

    private func withAddress(_ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array("\(keepersPath)/\(name)".utf8)
        guard bytes.count < 108 else { return -1 }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
