// SPDX-License-Identifier: Apache-2.0
internal import GRDB

/// A row that is read without trust: GRDB's own subscripts trap where a value has another type than they ask for.
struct Columns {
    private let row: Row

    init(_ row: Row) { self.row = row }

    func number(_ name: String) throws(StateError) -> Int64 {
        guard let value = number(ifAny: name) else { throw Columns.foreign(name) }
        return value
    }

    func text(_ name: String) throws(StateError) -> String {
        guard let value = text(ifAny: name) else { throw Columns.foreign(name) }
        return value
    }

    func number(ifAny name: String) -> Int64? {
        guard let value: DatabaseValue = row[name] else { return nil }
        return Int64.fromDatabaseValue(value)
    }

    func text(ifAny name: String) -> String? {
        guard let value: DatabaseValue = row[name] else { return nil }
        return String.fromDatabaseValue(value)
    }

    /// A word of a closed list.
    func word<Word: RawRepresentable<String>>(_ name: String) throws(StateError) -> Word {
        guard let word = Word(rawValue: try text(name)) else { throw Columns.foreign(name) }
        return word
    }

    func actor() throws(StateError) -> Actor {
        let uid = number(ifAny: "actor_uid")
        guard uid == nil || uid.flatMap(UInt32.init(exactly:)) != nil else { throw Columns.foreign("actor_uid") }
        return Actor(
            kind: try word("actor_kind"), name: try text("actor_name"), uid: uid.map { UInt32(truncatingIfNeeded: $0) },
            origin: text(ifAny: "actor_origin"))
    }

    private static func foreign(_ name: String) -> StateError { StateError("a row's \(name) holds what was never written there") }
}

extension Actor {
    /// The values of its four columns, in the order of the tables.
    var columns: [(any DatabaseValueConvertible)?] { [kind.rawValue, name, uid.map { Int64($0) }, origin] }

    /// The same somebody with a name and an origin that can be printed.
    var visible: Actor {
        Actor(
            kind: kind, name: Visible.text(name, atMost: 256), uid: uid, origin: origin.map { Visible.text($0, atMost: 256) })
    }
}
