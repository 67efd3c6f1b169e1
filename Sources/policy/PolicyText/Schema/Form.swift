// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// One kind of mapping that documents are made of: the keys that it may have. Decoders ask it which keys there are, and the JSON
/// Schema is made from it, so that both know the same language.
struct Form: Sendable {
    /// What it is called in the schema.
    let name: String
    /// What it says, in one sentence.
    let meaning: String
    /// Its keys.
    let keys: [Key]
    /// Keys of which exactly one must be there.
    var exactlyOne: [String] = []
    /// Keys of which at least one must be there.
    var atLeastOne: [String] = []

    /// The keys' names.
    var names: [String] { keys.map(\.name) }
}

/// One key of a form.
struct Key: Sendable {
    /// Its name.
    let name: String
    /// What may stand behind it.
    let shape: Shape
    /// What it says.
    let meaning: String
    /// What its absence says; `nil` where it must be there.
    let absent: String?
    /// What an empty list, mapping or text says, where one can stand there.
    let empty: String?

    init(_ name: String, _ shape: Shape, _ meaning: String, absent: String?, empty: String? = nil) {
        self.name = name
        self.shape = shape
        self.meaning = meaning
        self.absent = absent
        self.empty = empty
    }

    /// Everything about it in a few sentences, for editors.
    var text: String {
        var parts = [meaning + "."]
        if let absent { parts.append("Absent: \(absent).") }
        if let empty { parts.append("Empty: \(empty).") }
        return parts.joined(separator: " ")
    }
}

/// What may stand in a place. A null never may.
indirect enum Shape: Sendable {
    /// A text; where a pattern is given (ECMA 262), one that matches it.
    case text(pattern: String? = nil)
    /// `true` or `false`.
    case truth
    /// `true` and nothing else.
    case yes
    /// A number.
    case number
    /// A whole number of a range.
    case integer(ClosedRange<Int>)
    /// One of these words.
    case word([String])
    /// A list of so many items at least.
    case list(Shape, atLeast: Int = 0)
    /// Values by names of the writer's own.
    case dictionary(Shape)
    /// A mapping of a form, by its name.
    case form(String)
    /// One of several.
    case either([Shape])

    /// A name of the kind that objects have.
    static let name = Shape.text(pattern: "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
    /// Labels.
    static let labels = Shape.dictionary(.text())
    /// A list of texts.
    static let texts = Shape.list(.text())
    /// A point in time (RFC 3339).
    static let time = Shape.text(
        pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$")
    /// A length of time.
    static let duration = Shape.text(pattern: "^0*[1-9][0-9]{0,7}[smhd]$")
    /// An address or a block.
    static let prefix = Shape.text(pattern: "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$")
    /// A hardware address.
    static let hardwareAddress = Shape.text(pattern: "^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$")
    /// A service as a word: a protocol with numbers, or a name.
    static let service = Shape.either([.text(pattern: "^[0-9a-zA-Z][0-9A-Za-z._/-]*$"), .integer(0...255)])
    /// A protocol with numbers, or a whole protocol, and no name.
    static let numbers = Shape.either([
        .text(
            pattern: "^((tcp|udp|sctp)(/[0-9]{1,5}(-[0-9]{1,5})?)?|(icmp|icmp6)(/[0-9]{1,3}(\\.[0-9]{1,3})?)?"
                + "|\(ServiceWords.whole.map(\.name).joined(separator: "|"))"
                + "|\(Tunnels.all.map(\.name).joined(separator: "|"))|[0-9]{1,3})$"), .integer(0...255),
    ])
    /// A list of services.
    static let services = Shape.list(.either([.service, .form("Service")]))
    /// A selector: an expression, or the Kubernetes form.
    static let selector = Shape.either([.text(), .form("LabelSelector")])
    /// One term, or a list of which one must match.
    static let terms = Shape.either([.form("Term"), .list(.form("Term"))])
    /// A text that must look like something.
    static let pattern = Shape.either([.text(), .form("Pattern")])

    /// The words of an enum.
    static func word<Choice: CaseIterable & RawRepresentable>(_ type: Choice.Type) -> Shape where Choice.RawValue == String {
        .word(Choice.allCases.map(\.rawValue))
    }
}

extension YAMLValue {
    /// A mapping of the form; keys that it has not are kept as faults.
    func mapping(_ what: String, _ form: Form, _ faults: inout Faults) throws(PolicyError) -> YAMLMapping {
        try mapping(what, keys: form.names, &faults)
    }
}
