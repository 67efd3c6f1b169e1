// SPDX-License-Identifier: Apache-2.0

/// What the rules of one generation name, for hit counters. Whoever publishes generations knows; records carry numbers only.
public protocol NamedValues: AnyObject, Sendable {
    /// Every rule of the generation in the order in which policies judge. Takes as long as the set is large.
    func listed() -> [ListedRule]
    /// The values of a rule, which decided a side of a connection, that hold for it.
    func held(of rule: Hits.Rule, in event: FlowEvent) -> HeldValues
}

/// A rule in force with the values that it names.
public struct ListedRule: Sendable {
    /// Its name among the counters; for one that is not counted what it would be.
    public var rule: Hits.Rule
    /// What it does: allow, deny, reject, pass or log.
    public var action: String
    /// Where it is written.
    public var place: String
    /// Why nothing counts it; `nil` where something does.
    public var note: String?
    /// Its values, each once.
    public var values: [Hits.Value]

    /// A rule.
    public init(rule: Hits.Rule, action: String, place: String, note: String? = nil, values: [Hits.Value]) {
        self.rule = rule
        self.action = action
        self.place = place
        self.note = note
        self.values = values
    }
}

/// The values of a rule that hold for a connection.
public struct HeldValues: Sendable {
    /// The values; `nil` where it cannot be said.
    public var values: [Hits.Value]?
    /// Whether the answer is the same for every connection between the same ends for the same service, in the same epoch.
    public var isLasting: Bool

    /// Values that hold.
    public init(values: [Hits.Value]?, isLasting: Bool = true) {
        self.values = values
        self.isLasting = isLasting
    }
}
