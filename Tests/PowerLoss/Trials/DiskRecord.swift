// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What a process asked of the kernel, in order, as the recorder wrote it down.
public struct DiskRecord {
    /// One change, or a promise.
    enum Event {
        case opened(Int64, String, isEmptied: Bool)
        case wrote(Int64, at: Int, [UInt8])
        case truncated(Int64, to: Int)
        case synced(Int64)
        case renamed(String, String)
        case removed(String)
        case promised
    }

    private(set) var events: [Event] = []

    /// How many events there are.
    public var count: Int { events.count }
    /// How many promises there are.
    public var promises: Int { events.count { if case .promised = $0 { true } else { false } } }

    /// Reads a recorder's file.
    public init(path: String) throws {
        var rest = Array(try Data(contentsOf: URL(filePath: path)))[...]
        func number() -> Int64 {
            defer { rest = rest.dropFirst(8) }
            return rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int64($1) }
        }
        func bytes() -> [UInt8] {
            let count = Int(number())
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        func text() -> String { String(decoding: bytes(), as: UTF8.self) }
        while let kind = rest.popFirst() {
            switch kind {
            case UInt8(ascii: "O"):
                let (file, flag) = (number(), number())
                events.append(.opened(file, text(), isEmptied: flag == 1))
            case UInt8(ascii: "W"): events.append(.wrote(number(), at: Int(number()), bytes()))
            case UInt8(ascii: "T"): events.append(.truncated(number(), to: Int(number())))
            case UInt8(ascii: "S"): events.append(.synced(number()))
            case UInt8(ascii: "R"): events.append(.renamed(text(), text()))
            case UInt8(ascii: "U"): events.append(.removed(text()))
            case UInt8(ascii: "M"):
                _ = text()
                events.append(.promised)
            default: throw TrialError("the recorder wrote the event \(kind)")
            }
        }
    }

    /// The same without its syncs: what a store is that asks for none.
    public var unsynced: DiskRecord {
        var other = self
        other.events.removeAll { if case .synced = $0 { true } else { false } }
        return other
    }
}

/// Why a trial cannot be held.
public struct TrialError: Error, CustomStringConvertible {
    /// In words.
    public let description: String

    /// An error.
    public init(_ description: String) { self.description = description }
}
