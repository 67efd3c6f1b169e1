// SPDX-License-Identifier: Apache-2.0
public import Policy
internal import Yams

/// Reads YAML text (JSON is YAML too) into `YAMLValue`s, one a document, strictly.
///
/// Yams' nodes are walked, because its decoder knows no places. What the walk refuses: aliases (an alias *is* the anchored node, so a
/// node whose mark does not lie behind everything read before it is one), keys that are no plain words, tags of one's own, more than
/// `nodes` values or `depth` levels, and texts larger than `bytes`.
public enum YAMLReader {
    /// How much is read before a text is refused.
    public struct Limits: Sendable {
        /// Bytes of one text.
        public var bytes = 64 << 20
        /// Values in one text.
        public var nodes = 8_000_000
        /// Levels of nesting.
        public var depth = 64
        /// Documents in one text.
        public var documents = 1_000_000
        /// The usual limits.
        public init() {}
    }

    /// The documents of a text; empty ones are left out. `file` is the name that errors carry.
    public static func documents(_ text: String, file: String, limits: Limits = Limits()) throws(PolicyError) -> [YAMLValue] {
        guard text.utf8.count <= limits.bytes else {
            throw PolicyError(
                Place(file: file, line: 1, column: 1), "the file has \(text.utf8.count) bytes, \(limits.bytes) is the limit",
                remedy: "split it")
        }
        do {
            return try values(text, file, limits)
        } catch let error as PolicyError {
            throw error
        } catch let error as YamlError {
            throw policyError(error, text, file)
        } catch {
            throw PolicyError(Place(file: file, line: 1, column: 1), "the file is no YAML: \(error)")
        }
    }

    /// Composes and walks one document after the other, so that only one is there as nodes.
    private static func values(_ text: String, _ file: String, _ limits: Limits) throws -> [YAMLValue] {
        var walker = Walker(file: file, limits: limits)
        var values: [YAMLValue] = []
        // The basic resolver leaves every plain word a word; what it means is decided here.
        // A byte order mark is no part of the text, though editors put one in front of it.
        let isMarked = text.unicodeScalars.first == "\u{FEFF}"
        var sequence = try compose_all(yaml: isMarked ? String(text.unicodeScalars.dropFirst()) : text, .basic)
        while let node = sequence.next() {
            walker.beginDocument()
            let value = try walker.walk(node, depth: 0)
            if case .null = value.content { continue }
            guard values.count < limits.documents else {
                throw value.error("the file has more than \(limits.documents) documents", remedy: "split it")
            }
            values.append(value)
        }
        if let error = sequence.error { throw error }
        return values
    }

    private static func policyError(_ error: YamlError, _ text: String, _ file: String) -> PolicyError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return PolicyError(
                Place(file: file, line: mark.line, column: mark.column), "the text is no YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let key = duplicates.first?.description ?? ""
            let place = DuplicateKey.second(key, in: text, line: context.mark.line, column: context.mark.column)
            return PolicyError(
                Place(file: file, line: place?.line ?? context.mark.line, column: place?.column ?? context.mark.column),
                "the key \"\(key)\" is there twice", remedy: "remove one of them")
        default:
            return PolicyError(Place(file: file, line: 1, column: 1), "the text is no YAML: \(error)")
        }
    }
}

/// Turns nodes into values, counting as it goes.
private struct Walker {
    let file: String
    let limits: YAMLReader.Limits
    var nodes = 0
    /// The last marks met, in the order of the text: scalars and containers apart, because a block mapping starts where its first
    /// key does.
    var lastScalar = 0
    var lastContainer = 0

    mutating func beginDocument() {
        lastScalar = 0
        lastContainer = 0
    }

    mutating func walk(_ node: Node, depth: Int) throws(PolicyError) -> YAMLValue {
        let place = Place(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
        nodes += 1
        guard nodes <= limits.nodes else {
            throw PolicyError(place, "the file has more than \(limits.nodes) values", remedy: "split it")
        }
        guard depth <= limits.depth else {
            throw PolicyError(place, "the nesting is deeper than \(limits.depth) levels")
        }
        try refuseAlias(node, place)
        try refuseTag(node, place)
        switch node {
        case .scalar(let scalar):
            return YAMLValue(place: place, content: Self.content(scalar))
        case .sequence(let sequence):
            var items: [YAMLValue] = []
            items.reserveCapacity(sequence.count)
            for item in sequence { items.append(try walk(item, depth: depth + 1)) }
            return YAMLValue(place: place, content: .list(items))
        case .mapping(let mapping):
            var entries: [(key: String, place: Place, value: YAMLValue)] = []
            entries.reserveCapacity(mapping.count)
            for (key, value) in mapping {
                let name = try walk(key, depth: depth + 1)
                guard case .scalar(let scalar) = key else { throw name.error("a key must be a word, not \(name.kind)") }
                entries.append((scalar.string, name.place, try walk(value, depth: depth + 1)))
            }
            return YAMLValue(place: place, content: .mapping(entries))
        case .alias:
            throw PolicyError(place, "aliases are not read", remedy: "write the value out")
        }
    }

    private mutating func refuseAlias(_ node: Node, _ place: Place) throws(PolicyError) {
        // Lines first, then columns, of which a line has fewer than 2³².
        let mark = place.line << 32 | place.column
        let isBehind: Bool
        if case .scalar = node {
            isBehind = mark > lastScalar && mark >= lastContainer
            lastScalar = max(lastScalar, mark)
        } else {
            isBehind = mark > lastScalar && mark > lastContainer
            lastContainer = max(lastContainer, mark)
        }
        guard isBehind else {
            throw PolicyError(
                place, "the value at this place is used a second time by an alias, and aliases are not read",
                remedy: "write the value out where it is used")
        }
    }

    /// Tags that the parser gives to what has none.
    private static let implicitTags: Set<String> = ["tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"]

    private func refuseTag(_ node: Node, _ place: Place) throws(PolicyError) {
        let name = node.tag.description
        guard Self.implicitTags.contains(name) else {
            throw PolicyError(place, "the tag \(name) is not read", remedy: "leave it out")
        }
    }

    /// The value of a plain word by the core schema of YAML 1.2, so that `no`, `on` and `1e3.` stay words; quoted text is text.
    private static func content(_ scalar: Node.Scalar) -> YAMLValue.Content {
        let text = scalar.string
        guard scalar.style == .plain || scalar.style == .any else { return .text(text) }
        switch text {
        case "", "~", "null": return .null
        case "true": return .truth(true)
        case "false": return .truth(false)
        default: break
        }
        let body = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard let first = body.first, (48...57).contains(first) else { return .text(text) }
        if body.allSatisfy({ (48...57).contains($0) }) { return Int(text).map { .integer($0, text) } ?? .text(text) }
        let isNumber = body.allSatisfy { (48...57).contains($0) || ".eE+-".utf8.contains($0) }
        return isNumber ? Double(text).map { .fraction($0, text) } ?? .text(text) : .text(text)
    }
}
