// SPDX-License-Identifier: Apache-2.0
public import Record

/// What one side said, as the API and `policy probe` write it: the layer that settled it. Absent facts are `null`, never left out.
public struct SideReport: Codable, Hashable, Sendable {
    /// allow, deny or reject.
    public var decision: String
    /// zone, network or mesh.
    public var layer: String?
    /// The tier that decided.
    public var tier: String?
    /// The policy that decided, as `namespace/name`.
    public var policy: String?
    /// The rule that decided: its name or its place.
    public var rule: String?
    /// What decided where no rule did.
    public var end: String?

    /// The report of a side's cause.
    public init(_ cause: Cause) {
        let layer = cause.deciding
        decision = String(describing: cause.decision)
        self.layer = layer?.layer.rawValue
        tier = layer?.tier
        policy = layer?.policy
        rule = layer?.rule
        end = layer?.end?.rawValue
    }

    /// Writes every key.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try encode(into: &container)
    }

    private func encode(into container: inout KeyedEncodingContainer<CodingKeys>) throws {
        try container.encode(decision, forKey: .decision)
        try container.encode(layer, forKey: .layer)
        try container.encode(tier, forKey: .tier)
        try container.encode(policy, forKey: .policy)
        try container.encode(rule, forKey: .rule)
        try container.encode(end, forKey: .end)
    }
}

/// The cause that settled a connection: its side, and the rules that nearly decided where a default did.
public struct CauseReport: Codable, Hashable, Sendable {
    /// A rule that nearly decided.
    public struct Near: Codable, Hashable, Sendable {
        /// The policy as `namespace/name`.
        public var policy: String
        /// The rule's name or place.
        public var rule: String
        /// Each term that failed, as written.
        public var failed: [String]
    }

    /// What the side said.
    public var said: SideReport
    /// egress or ingress.
    public var side: String
    /// The generation that judged.
    public var generation: UInt32
    /// At most three rules that nearly decided, nearest first.
    public var nearest: [Near]

    /// The report of a cause of a generation.
    public init(_ cause: Cause, generation: UInt32) {
        said = SideReport(cause)
        side = cause.side.rawValue
        self.generation = generation
        nearest = (cause.deciding?.nearest ?? []).map { Near(policy: $0.policy, rule: $0.rule, failed: $0.failed) }
    }

    private enum CodingKeys: String, CodingKey {
        case side, generation, nearest
    }

    /// Reads one object that holds the side's keys beside its own.
    public init(from decoder: any Decoder) throws {
        said = try SideReport(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        side = try container.decode(String.self, forKey: .side)
        generation = try container.decode(UInt32.self, forKey: .generation)
        nearest = try container.decode([Near].self, forKey: .nearest)
    }

    /// Writes one object that holds the side's keys beside its own.
    public func encode(to encoder: any Encoder) throws {
        try said.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(side, forKey: .side)
        try container.encode(generation, forKey: .generation)
        try container.encode(nearest, forKey: .nearest)
    }

    /// One clause for people: `policy shop/db rule sql-from-web`, `default deny of tier default; nearest …`.
    public var text: String {
        guard let end = said.end else { return "policy \(said.policy ?? "?") rule \(said.rule ?? "?")" }
        return switch Cause.End(rawValue: end) {
        case .tier: "default \(said.decision) of tier \(said.tier ?? "?")" + nearestText
        case .namespace: "default \(said.decision) of the namespace" + nearestText
        case .zones: "zone pair's setting, no policy judges it"
        case .contested: "address claimed twice"
        case .itself: "a workload reaches itself"
        case .failsafe: "failsafe service"
        case .spoofed: "source address of another zone"
        case nil: end
        }
    }

    private var nearestText: String {
        guard let near = nearest.first else { return "" }
        let failed = near.failed.isEmpty ? "" : " (not: \(near.failed.joined(separator: "; ")))"
        return "; nearest policy \(near.policy) rule \(near.rule)\(failed)"
    }
}
