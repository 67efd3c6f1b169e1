// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// A `Workload` document in the making: what an inventory says of one machine, each word at its place.
struct WorkloadTree {
    private typealias Entry = (key: String, place: Place, value: YAMLValue)

    private let place: Place
    private var metadata: [Entry] = []
    private var labels: [Entry] = []
    private var spec: [Entry] = []
    private var services: [Entry] = []

    init(_ place: Place) { self.place = place }

    private static func text(_ text: String, _ place: Place) -> YAMLValue { YAMLValue(place: place, content: .text(text)) }

    /// A field of its metadata.
    mutating func metadata(_ key: String, _ text: String, _ place: Place) {
        metadata.append((key, place, Self.text(text, place)))
    }

    /// A label, which may be given once.
    mutating func label(_ key: String, _ value: String, _ place: Place) throws(PolicyError) {
        guard !labels.contains(where: { $0.key == key }) else {
            throw PolicyError(place, "the label \"\(key)\" is there twice", remedy: "remove one of them")
        }
        guard !(key + value).unicodeScalars.contains(where: InventoryFile.isUnseen) else {
            throw PolicyError(place, "the label \"\(key)\" has a character that cannot be seen", remedy: "remove it")
        }
        labels.append((key, place, Self.text(value, place)))
    }

    /// A name of its own for a service, which may be given once.
    mutating func service(_ key: String, _ value: String, _ place: Place, _ valuePlace: Place) throws(PolicyError) {
        guard !services.contains(where: { $0.key == key }) else {
            throw PolicyError(place, "the service \"\(key)\" is there twice", remedy: "remove one of them")
        }
        // A number alone is a protocol's in the native language; in a list of machines somebody means a port.
        guard value.isEmpty || !value.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw PolicyError(valuePlace, "the service \"\(key)\" is a number without a protocol", remedy: "write tcp/\(value)")
        }
        services.append((key, place, Self.text(value, valuePlace)))
    }

    /// A text of its spec.
    mutating func text(_ key: String, _ text: String, _ place: Place) { spec.append((key, place, Self.text(text, place))) }

    /// A list of texts of its spec.
    mutating func list(_ key: String, _ items: [(text: String, place: Place)], _ place: Place) {
        spec.append((key, place, YAMLValue(place: place, content: .list(items.map { Self.text($0.text, $0.place) }))))
    }

    /// The workload; refused in the words, and by the rules, of the native language.
    func document() throws(PolicyError) -> Document {
        let document = try decode(value)
        guard case .workload(var workload) = document else { return document }
        workload.isInventoried = true
        return .workload(workload)
    }

    private var value: YAMLValue {
        func mapping(_ key: String, _ entries: [Entry]) -> [Entry] {
            entries.isEmpty ? [] : [(key, entries[0].place, YAMLValue(place: entries[0].place, content: .mapping(entries)))]
        }
        let head: [Entry] = [
            ("apiVersion", place, Self.text("bulkhead/v1", place)), ("kind", place, Self.text("Workload", place)),
            ("metadata", place, YAMLValue(place: place, content: .mapping(metadata + mapping("labels", labels)))),
        ]
        return YAMLValue(place: place, content: .mapping(head + mapping("spec", spec + mapping("services", services))))
    }
}
