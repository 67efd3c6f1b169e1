// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// Where links and maps are pinned, so that they outlive the process that made them:
///
///     <root>/bulkhead/<namespace inode>/ports/<port>/{link, program, sockets, peer}
///     <root>/bulkhead/<namespace inode>/pairs/<pair>/mode
///
/// The namespace's inode is part of the path because the file system is one for all network namespaces.
public struct BPFFileSystem: Sendable {
    /// How the root was found.
    public enum Origin: Sendable, Equatable {
        /// /sys/fs/bpf was there.
        case own
        /// A process above us has one that our mount namespace hides.
        case outer(process: Int32)
        /// We mounted it for a process above us, so that it outlives us.
        case mountedOuter(process: Int32)
        /// We mounted it in our own mount namespace: pins end with the last process in it.
        case mountedHere
        /// The caller named it.
        case given
    }

    /// The mount point in use, as this process reaches it.
    public let root: String
    /// How it was found.
    public let origin: Origin
    // Keeps a root that was reached through another process within reach when that process ends.
    private let anchor: FileDescriptor?

    /// Uses a BPF file system that is mounted at `root`.
    public init(root: String) throws(LinkError) {
        try self.init(root: root, origin: .given)
    }

    init(root: String, origin: Origin, anchor: FileDescriptor? = nil) throws(LinkError) {
        let answer = unsafe cxdp_is_bpffs(root)
        guard answer == 1 else { throw .noBPFFileSystem(path: root, errno: answer == 0 ? EINVAL : -answer) }
        self.root = root
        self.origin = origin
        self.anchor = anchor
    }

    /// The inode that names the calling thread's network namespace.
    static func namespace() throws(LinkError) -> UInt64 {
        var inode: UInt64 = 0
        try checked(unsafe cxdp_network_namespace(&inode), "asking for", "the network namespace")
        return inode
    }

    /// The folder of a port in the calling thread's namespace.
    func folder(ofPort name: String) throws(LinkError) -> String {
        "\(root)/bulkhead/\(try Self.namespace())/ports/\(Self.fileName(name))"
    }

    /// The folder of a pair in the calling thread's namespace.
    func folder(ofPair name: String) throws(LinkError) -> String {
        "\(root)/bulkhead/\(try Self.namespace())/pairs/\(Self.fileName(name))"
    }

    /// A name as a file name of this file system, which refuses dots: letters, digits, `-` and `_` stand for themselves, any other
    /// byte becomes `%` and two hexadecimal digits, and what is too long is cut.
    static func fileName(_ name: String) -> String {
        var result = ""
        for byte in name.utf8.prefix(80) {
            let character = Character(Unicode.Scalar(byte))
            if byte < 128, character.isLetter || character.isNumber || character == "-" || character == "_" {
                result.append(character)
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return result
    }

    /// Makes a folder below the root with all its parents.
    func makeFolder(_ path: String) throws(LinkError) {
        var end = path.index(path.startIndex, offsetBy: root.count + 1)
        while true {
            end = path[end...].firstIndex(of: "/") ?? path.endIndex
            let made = unsafe mkdir(String(path[..<end]), 0o700) == 0 ? 0 : -errno
            if made != -EEXIST { try checked(made, "making the folder", path) }
            if end == path.endIndex { return }
            end = path.index(after: end)
        }
    }

    /// Removes pins in `folder`, then the folder, then its parents as far as they are empty. What is missing is no error.
    func remove(_ names: [String], in folder: String) {
        for name in names { _ = unsafe unlink("\(folder)/\(name)") }
        var path = folder[...]
        while path.count > root.count, unsafe rmdir(String(path)) == 0, let slash = path.lastIndex(of: "/") {
            path = path[..<slash]
        }
    }
}

/// Opens what is pinned at `path`; nil when nothing is there.
func pinned(at path: String) throws(LinkError) -> FileDescriptor? {
    let result = unsafe cxdp_pinned(path)
    if result == -ENOENT { return nil }
    return FileDescriptor(owning: try checked(result, "opening the pin", path))
}

/// Pins `object` at `path`, in place of whatever is pinned there.
func pin(_ object: Int32, at path: String) throws(LinkError) {
    _ = unsafe unlink(path)
    try checked(unsafe cxdp_pin(object, path), "pinning at", path)
}
