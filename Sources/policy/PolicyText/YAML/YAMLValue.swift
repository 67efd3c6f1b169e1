// SPDX-License-Identifier: Apache-2.0
public import Policy

/// A value of a YAML document with the place where it stands: read once from the text, checked for everything that YAML allows and
/// a configuration must not (aliases, tags, keys that are no words, endless nesting), and then asked for what is expected there.
///
/// Every question that the value cannot answer is a `PolicyError` at its place. Absent, null and empty are three things: an absent
/// key is `nil` from a mapping, an empty list or mapping is one without items, and a null is an error wherever a value is asked for.
public struct YAMLValue: Sendable {
    /// What kind of value it is.
    public indirect enum Content: Sendable {
        /// Nothing: an empty place, `~` or `null`.
        case null
        /// Text in quotes, or a plain word that is no number and no truth value.
        case text(String)
        /// A whole number, and how it was written.
        case integer(Int, String)
        /// A number with a fraction, and how it was written.
        case fraction(Double, String)
        /// `true` or `false`.
        case truth(Bool)
        /// A list.
        case list([YAMLValue])
        /// Keys and values, in the order of the text.
        case mapping([(key: String, place: Place, value: YAMLValue)])
    }

    /// Where it stands.
    public let place: Place
    /// What it is.
    public let content: Content

    /// What kind of value it is, in words.
    public var kind: String {
        switch content {
        case .null: "nothing"
        case .text(let text): text.isEmpty ? "an empty text" : "\"\(text.excerpt)\""
        case .integer(_, let text), .fraction(_, let text): "the number \(text.excerpt)"
        case .truth(let value): "\(value)"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }

    /// A value at a place.
    public init(place: Place, content: Content) {
        self.place = place
        self.content = content
    }

    /// Whether it says nothing.
    public var isNull: Bool {
        if case .null = content { true } else { false }
    }

    /// An error at this place.
    public func error(_ message: String, remedy: String? = nil) -> PolicyError { PolicyError(place, message, remedy: remedy) }

    /// The error that the value is no `expected`; `remedy` says how to write one.
    func unexpected(_ what: String, _ expected: String, remedy: String? = nil) -> PolicyError {
        if case .null = content {
            return error("\(what) says nothing", remedy: "write \(expected), or leave the key out")
        }
        return error("\(what) must be \(expected), not \(kind)", remedy: remedy)
    }

    /// The text, or a number as it was written: for what has a form of its own, as addresses and times have.
    func words(_ what: String, _ expected: String) throws(PolicyError) -> String {
        switch content {
        case .text(let text), .integer(_, let text), .fraction(_, let text): return text
        default: throw unexpected(what, expected)
        }
    }

    /// The text; a number or a truth value must be quoted to be one.
    public func text(_ what: String) throws(PolicyError) -> String {
        switch content {
        case .text(let text): return text
        case .integer(_, let text), .fraction(_, let text):
            throw error("\(what) must be a text, not the number \(text.excerpt)", remedy: "write \"\(text.excerpt)\" in quotes")
        case .truth(let value):
            throw error("\(what) must be a text, not the truth value \(value)", remedy: "write \"\(value)\" in quotes")
        default: throw unexpected(what, "a text")
        }
    }

    /// A whole number of the range.
    public func integer(_ what: String, in range: ClosedRange<Int>) throws(PolicyError) -> Int {
        let bounds = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard case .integer(let number, _) = content else { throw unexpected(what, bounds) }
        guard range.contains(number) else { throw error("\(what) must be \(bounds), not \(number)") }
        return number
    }

    /// A number.
    public func number(_ what: String) throws(PolicyError) -> Double {
        switch content {
        case .integer(let number, _): return Double(number)
        case .fraction(let number, let text):
            guard number.isFinite else { throw error("\(what) must be a number, and \(text) is larger than any") }
            return number
        default: throw unexpected(what, "a number")
        }
    }

    /// `true` or `false`.
    public func truth(_ what: String) throws(PolicyError) -> Bool {
        guard case .truth(let value) = content else { throw unexpected(what, "true or false") }
        return value
    }

    /// The items of a list.
    public func list(_ what: String) throws(PolicyError) -> [YAMLValue] {
        switch content {
        case .list(let items): return items
        case .text(let text) where !text.isEmpty, .integer(_, let text), .fraction(_, let text):
            throw error("\(what) must be a list, not \(kind)", remedy: "write it in brackets: [\(text.excerpt)]")
        default: throw unexpected(what, "a list")
        }
    }

    /// A list of texts.
    public func texts(_ what: String) throws(PolicyError) -> [String] {
        try items(what) { (item) throws(PolicyError) in try item.text("an item of \(what)") }
    }

    /// One of the cases of an enum by its name.
    public func choice<Choice: CaseIterable & RawRepresentable>(
        _ what: String, of type: Choice.Type
    ) throws(PolicyError) -> Choice where Choice.RawValue == String {
        let known = Choice.allCases.map(\.rawValue)
        let word = try word(what, among: known)
        guard let choice = Choice(rawValue: word) else { throw error("\(what) must be one of \(known.joined(separator: ", "))") }
        return choice
    }

    /// One of these words.
    public func word(_ what: String, among known: [String]) throws(PolicyError) -> String {
        let words = "one of \(known.joined(separator: ", "))"
        guard case .text(let text) = content else { throw unexpected(what, words) }
        guard known.contains(text) else {
            throw error("\(what) must be \(words), not \(kind)", remedy: Spelling.remedy(text, among: known))
        }
        return text
    }

    /// A mapping whose keys are all among the known ones; throws with all that are not.
    public func mapping(_ what: String, keys known: [String]) throws(PolicyError) -> YAMLMapping {
        var faults = Faults()
        let mapping = try mapping(what, keys: known, &faults)
        try faults.check()
        return mapping
    }

    /// A mapping whose keys are names of the writer's own.
    public func dictionary(_ what: String) throws(PolicyError) -> [(key: String, place: Place, value: YAMLValue)] {
        guard case .mapping(let entries) = content else { throw unexpected(what, "a mapping", remedy: "write it as {NAME: …}") }
        return entries
    }
}

/// A mapping whose keys were checked.
public struct YAMLMapping: Sendable {
    /// Where it stands.
    public let place: Place
    /// What it describes, for messages.
    public let what: String
    /// Keys and values, in the order of the text.
    public let entries: [(key: String, place: Place, value: YAMLValue)]
    /// Whether some key is none that the mapping may have: one that is missing may be meant by it.
    public let isMisspelt: Bool

    /// A mapping with whatever keys.
    public init(any value: YAMLValue, _ what: String) throws(PolicyError) {
        guard case .mapping(let entries) = value.content else { throw value.unexpected(what, "a mapping") }
        self.init(place: value.place, what: what, entries: entries)
    }

    /// A mapping whose keys somebody checked.
    init(
        place: Place, what: String, entries: [(key: String, place: Place, value: YAMLValue)], isMisspelt: Bool = false
    ) {
        self.place = place
        self.what = what
        self.entries = entries
        self.isMisspelt = isMisspelt
    }

    /// The value of a key, `nil` where it is absent.
    public subscript(_ key: String) -> YAMLValue? { entries.first { $0.key == key }?.value }

    /// The value of a key, `nil` where it is absent or says nothing: for languages in which null is absence.
    public subscript(unlessNull key: String) -> YAMLValue? { self[key].flatMap { $0.isNull ? nil : $0 } }

    /// The place of a key, or of the mapping where it is absent.
    public func place(of key: String) -> Place { entries.first { $0.key == key }?.place ?? place }

    /// The value of a key that must be there.
    public func required(_ key: String) throws(PolicyError) -> YAMLValue {
        guard let value = self[key] else { throw PolicyError(place, "\(what) needs the key \"\(key)\"") }
        return value
    }
}
