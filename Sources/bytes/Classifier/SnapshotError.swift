// SPDX-License-Identifier: Apache-2.0

/// Why a Snapshot image or an address map is not adopted, or cannot be built. The generation that was in force stays in force.
public enum SnapshotError: Error, Equatable, Sendable {
    /// Shorter than its header, or than the header says.
    case tooShort(bytes: Int)
    /// The start does not lie on a multiple of 8 (image) or 64 (address map).
    case misaligned
    /// Another kind of file.
    case magic(UInt64)
    /// A layout of another version.
    case version(UInt32)
    /// A section lies outside the image, is not aligned, or has an impossible number of items.
    case section(SnapshotLayout.Section, offset: UInt64, count: UInt64)
    /// The item of this number says something impossible.
    case item(SnapshotLayout.Section, number: UInt32)
    /// A field of the header says something impossible.
    case header
    /// More than the image can hold: what, how many are needed, how many there may be.
    case capacity(what: String, needed: Int, limit: Int)
}

extension SnapshotError: CustomStringConvertible {
    /// One sentence, with the figure that broke.
    public var description: String {
        switch self {
        case .tooShort(let bytes): "the file ends too early, after \(bytes) bytes"
        case .misaligned: "the file is not mapped at an aligned address"
        case .magic(let found): "the file starts with \(String(found, radix: 16)), which is another kind of file"
        case .version(let found): "the file has layout version \(found), which this binary does not read"
        case .section(let section, let offset, let count):
            "section \(section) does not fit: \(count) items at offset \(offset)"
        case .item(let section, let number): "item \(number) of section \(section) points to something that does not exist"
        case .header: "a field of the header is impossible"
        case .capacity(let what, let needed, let limit): "\(what): \(needed) needed, \(limit) is the limit"
        }
    }
}
