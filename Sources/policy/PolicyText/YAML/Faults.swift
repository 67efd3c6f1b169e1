// SPDX-License-Identifier: Apache-2.0
public import Policy

/// What is wrong with a value of many parts. Every part is read, also behind one that is not understood, so that one look at a document
/// shows all that is wrong in it; a part whose meaning depends on one that is not understood is not judged.
///
/// It holds `PolicyError.most` errors; whoever writes more of them hears of the rest afterwards.
public struct Faults {
    private var found: [PolicyError] = []

    /// Nothing yet.
    public init() {}

    /// Whether something was wrong.
    public var isEmpty: Bool { found.isEmpty }

    /// Keeps an error with all that it holds.
    public mutating func add(_ error: PolicyError) {
        found += error.all.prefix(PolicyError.most - found.count)
    }

    /// What a part says; `nil` where it is not understood, which is kept.
    public mutating func keep<Part>(_ read: () throws(PolicyError) -> Part) -> Part? {
        do throws(PolicyError) {
            return try read()
        } catch {
            add(error)
            return nil
        }
    }

    /// What the value of a key says; `nil` where the key is absent or its value not understood.
    public mutating func read<Part>(_ value: YAMLValue?, _ read: (YAMLValue) throws(PolicyError) -> Part) -> Part? {
        guard let value else { return nil }
        return keep { () throws(PolicyError) in try read(value) }
    }

    /// Puts what the value of a key says into a part, which stays as it is where the key is absent or its value not understood.
    public mutating func read<Part>(
        _ value: YAMLValue?, into part: inout Part, _ read: (YAMLValue) throws(PolicyError) -> Part
    ) {
        if let found = self.read(value, read) { part = found }
    }

    /// What the value of a key says that must be there; `nil` where it is absent or not understood.
    @discardableResult
    public mutating func require<Part>(
        _ key: String, of mapping: YAMLMapping, _ read: (YAMLValue) throws(PolicyError) -> Part
    ) -> Part? {
        guard mapping[key] != nil || !mapping.isMisspelt else { return nil }
        return keep { () throws(PolicyError) in try read(try mapping.required(key)) }
    }

    /// Throws with everything that was wrong, in the order of the text.
    public func check() throws(PolicyError) {
        let inOrder = found.enumerated().sorted { one, other in
            (one.element.place.line, one.element.place.column, one.offset)
                < (other.element.place.line, other.element.place.column, other.offset)
        }
        if let error = PolicyError(inOrder.map(\.element)) { throw error }
    }
}

extension YAMLValue {
    /// A mapping; keys that are not among the known ones are kept as faults, and the others can be read all the same.
    public func mapping(_ what: String, keys known: [String], _ faults: inout Faults) throws(PolicyError) -> YAMLMapping {
        guard case .mapping = content else {
            throw unexpected(what, "a mapping", remedy: known.isEmpty ? nil : "it may have \(known.joined(separator: ", "))")
        }
        let mapping = try YAMLMapping(any: self, what)
        var isMisspelt = false
        for entry in mapping.entries where !known.contains(entry.key) {
            isMisspelt = true
            faults.add(
                PolicyError(
                    entry.place, "\(what) has no key \"\(entry.key.excerpt)\"",
                    remedy: Spelling.remedy(entry.key, among: known)
                        ?? (known.isEmpty ? "it has none" : "it may have \(known.joined(separator: ", "))")))
        }
        return YAMLMapping(place: place, what: what, entries: mapping.entries, isMisspelt: isMisspelt)
    }

    /// The items of a list, each read by itself; throws with all that are not understood.
    public func items<Part>(
        _ what: String, _ read: (YAMLValue) throws(PolicyError) -> Part
    ) throws(PolicyError) -> [Part] {
        var faults = Faults()
        var parts: [Part] = []
        for item in try list(what) {
            if let part = faults.read(item, read) { parts.append(part) }
        }
        try faults.check()
        return parts
    }
}
