// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Where the kernel's file systems are, and how their small files are read. The paths are those of every Linux; a test gives others.
public struct Surroundings: Sendable {
    /// The sysfs in use. It belongs to the network namespace that it was mounted in, which need not be ours.
    public var sys: String
    /// The procfs in use.
    public var proc: String

    /// The usual places, unless others are named.
    public init(sys: String = "/sys", proc: String = "/proc") {
        self.sys = sys
        self.proc = proc
    }

    /// What a file holds, without the end of its last line; nil when it cannot be read. At most 256 KiB of it.
    func text(_ path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 256 << 10 {
            let count = unsafe read(file, &piece, piece.count)
            if count <= 0 {
                if count < 0 { return nil }
                break
            }
            bytes += piece[..<count]
        }
        while bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The number that a file begins with: `8` of `8.0 GT/s PCIe` is 8.
    func number(_ path: String) -> Int? {
        text(path).flatMap { Int($0.prefix { $0 == "-" || ("0"..."9").contains($0) }) }
    }

    /// The names in a folder, sorted and without the hidden ones; empty when there is none.
    func names(in path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { _ = unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe Self.name(of: entry)
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// The name in an entry of readdir(3), valid until the next call. The entry ends behind its name: the 256 bytes that the type says
    /// are not all there in the last one of a buffer, so the name is read in its place and never copied as a whole.
    static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
        unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// A list of numbers as the kernel writes CPUs: `0-3,8`.
    static func list(_ text: String) -> [Int] {
        text.split(separator: ",").flatMap { part -> [Int] in
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first >= 0, last >= first, last < 1 << 16 else { return [] }
            return Array(first...last)
        }
    }

    /// Numbers as the kernel reads CPUs.
    static func list(_ numbers: [Int]) -> String {
        var parts: [String] = []
        var rest = numbers.sorted()[...]
        while let first = rest.popFirst() {
            var last = first
            while rest.first == last + 1 { last = rest.removeFirst() }
            parts.append(first == last ? "\(first)" : "\(first)-\(last)")
        }
        return parts.joined(separator: ",")
    }
}
