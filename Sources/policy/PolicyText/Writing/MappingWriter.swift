// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// A mapping in the making, for documents that a program writes: what is absent, or what an absent key would mean, is left out.
struct MappingWriter {
    private(set) var entries: [(key: String, place: Place, value: YAMLValue)] = []

    /// The mapping.
    var value: YAMLValue { .written(.mapping(entries)) }

    /// A key with its value, or nothing.
    mutating func put(_ key: String, _ value: YAMLValue?) {
        if let value { entries.append((key, .nowhere, value)) }
    }

    /// A key with a text, or nothing.
    mutating func put(_ key: String, _ text: String?) { put(key, text.map { YAMLValue.text($0) }) }

    /// A key with a list of texts, or nothing.
    mutating func put(_ key: String, _ texts: [String]?) { put(key, texts.map { .list($0.map { .text($0) }) }) }

    /// A key with a number, or nothing; a whole one is written as such.
    mutating func put(_ key: String, _ number: Double?) {
        put(key, number.map { .written(Int(exactly: $0).map { .integer($0, "\($0)") } ?? .fraction($0, "\($0)")) })
    }

    /// A key with texts by name in the order of the names; nothing where there are none.
    mutating func put(_ key: String, _ texts: [String: String]) {
        guard !texts.isEmpty else { return }
        put(key, .mapping { inner in for (name, text) in texts.sorted(by: { $0.key < $1.key }) { inner.put(name, text) } })
    }

    /// A key with a mapping; nothing where that stays empty.
    mutating func put(_ key: String, nested: MappingWriter) {
        if !nested.entries.isEmpty { put(key, nested.value) }
    }
}

extension YAMLValue {
    static func written(_ content: Content) -> YAMLValue { YAMLValue(place: .nowhere, content: content) }
    static func text(_ text: String) -> YAMLValue { written(.text(text)) }
    static func list(_ items: [YAMLValue]) -> YAMLValue { written(.list(items)) }
    static func mapping(_ fill: (inout MappingWriter) -> Void) -> YAMLValue {
        var writer = MappingWriter()
        fill(&writer)
        return writer.value
    }
}
