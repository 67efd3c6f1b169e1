// SPDX-License-Identifier: Apache-2.0

/// Where something was written: carried by every object so that whoever refuses it later can say where it stands.
public struct Place: Hashable, Sendable, CustomStringConvertible {
    /// The file, as it was named.
    public var file: String
    /// The line, from 1.
    public var line: Int
    /// The column, from 1.
    public var column: Int

    /// A place in a file.
    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// Of what was made by a program and not written anywhere.
    public static let nowhere = Place(file: "(none)", line: 0, column: 0)

    /// `file:line:column`.
    public var description: String { "\(file):\(line):\(column)" }
}

/// Why a document set is refused: what is wrong where, and what to do next. The generation that was in force stays in force.
///
/// A set is refused with all that is wrong in it, as far as that can be told: `further` holds what was found besides.
public struct PolicyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// How many errors are told at once.
    public static let most = 20

    /// Where.
    public var place: Place
    /// What is wrong.
    public var message: String
    /// What to do next, where there is one thing to do.
    public var remedy: String?
    /// What else is wrong in the same set, `most` in all, each without further ones.
    public var further: [PolicyError]

    /// An error at a place.
    public init(_ place: Place, _ message: String, remedy: String? = nil) {
        self.place = place
        self.message = message
        self.remedy = remedy
        further = []
    }

    /// Several errors as one; `nil` for none.
    public init?(_ errors: [PolicyError]) {
        let flat = errors.flatMap(\.all).prefix(Self.most)
        guard let first = flat.first else { return nil }
        self = first
        further = Array(flat.dropFirst())
    }

    /// Every error by itself, this one first.
    public var all: [PolicyError] {
        var own = self
        own.further = []
        return [own] + further
    }

    /// `file:line:column: message; remedy`, a line for each error.
    public var description: String {
        all.map { error in "\(error.place): \(error.message)" + (error.remedy.map { "; \($0)" } ?? "") }
            .joined(separator: "\n")
    }
}
