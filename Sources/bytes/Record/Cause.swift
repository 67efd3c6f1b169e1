// SPDX-License-Identifier: Apache-2.0
public import Net

/// Which half of a connection a cause speaks of: the source's egress or the destination's ingress.
public enum PolicySide: String, Sendable, Codable, CaseIterable {
    /// What the source may open.
    case egress
    /// What the destination lets in.
    case ingress
}

/// The layers of a side, all of which must let a connection pass.
public enum PolicyLayer: String, Sendable, Codable, CaseIterable {
    /// The place: zone or host endpoint.
    case zone
    /// The workload's network policy.
    case network
    /// The mesh's authorisation.
    case mesh
}

/// Why a side decided as it did: what each of its layers said, in their order. Resolved from a number of one generation's cause
/// table; flow records, `explain`, `probe` and hit counters share it.
public struct Cause: Hashable, Sendable, Codable {
    /// What decided where no rule did.
    public enum End: String, Sendable, Codable, CaseIterable {
        /// The end of a tier in which something isolated and nothing decided.
        case tier
        /// The namespace's default for the direction.
        case namespace
        /// The setting of the zone pair for traffic that no side judges.
        case zones
        /// Two claims on one address: no labels, denied.
        case contested
        /// A workload always reaches itself.
        case itself
        /// A management service that no policy can close.
        case failsafe
        /// The source's address belongs to workloads that are in other zones: no side is asked, and no record says so.
        case spoofed
    }

    /// A rule that nearly decided, and what kept it from matching.
    public struct Near: Hashable, Sendable, Codable {
        /// `namespace/policy`, or the policy alone where it is global.
        public var policy: String
        /// The rule's name or its place in the list, from 1.
        public var rule: String
        /// Each term that failed, as written.
        public var failed: [String]
        /// A near miss.
        public init(policy: String, rule: String, failed: [String]) {
            self.policy = policy
            self.rule = rule
            self.failed = failed
        }
    }

    /// A rule that logs, met on the way to the decision.
    public struct Log: Hashable, Sendable, Codable {
        /// `namespace/policy`, or the policy alone where it is global.
        public var policy: String
        /// The rule's name or its place in the list, from 1.
        public var rule: String
        /// What it has to say.
        public var text: String?
        /// A mark.
        public init(policy: String, rule: String, text: String? = nil) {
            self.policy = policy
            self.rule = rule
            self.text = text
        }
    }

    /// What one layer said.
    public struct Layer: Hashable, Sendable, Codable {
        /// Which layer.
        public var layer: PolicyLayer
        /// Its decision.
        public var decision: Decision
        /// The tier that decided, if one did.
        public var tier: String?
        /// The policy that decided, as `namespace/name`, if one did.
        public var policy: String?
        /// The rule that decided: its name, or its place in the list, from 1.
        public var rule: String?
        /// What decided where no rule did.
        public var end: End?
        /// What the rule that decided has to say for the log.
        public var text: String?
        /// At most three rules that nearly decided, nearest first; only for a default deny.
        public var nearest: [Near]
        /// What a layer said.
        public init(
            layer: PolicyLayer, decision: Decision, tier: String? = nil, policy: String? = nil, rule: String? = nil,
            end: End? = nil, text: String? = nil, nearest: [Near] = []
        ) {
            self.layer = layer
            self.decision = decision
            self.tier = tier
            self.policy = policy
            self.rule = rule
            self.end = end
            self.text = text
            self.nearest = nearest
        }
    }

    /// Which side.
    public var side: PolicySide
    /// The side's decision: that of the first layer that does not allow, else allow.
    public var decision: Decision
    /// Each layer that judged, in order.
    public var layers: [Layer]
    /// Rules that log, in the order in which they were met.
    public var logged: [Log]

    /// A side's cause from what its layers said.
    public init(side: PolicySide, layers: [Layer], logged: [Log] = []) {
        self.side = side
        self.layers = layers
        self.logged = logged
        decision = layers.first { $0.decision != .allow }?.decision ?? .allow
    }

    /// The layer that settled the side: the first that does not allow, else the last one.
    public var deciding: Layer? { layers.first { $0.decision != .allow } ?? layers.last }
}

/// The causes of one generation, by the number that the snapshot's side records carry.
public struct CauseTable: Sendable {
    /// The generation whose side records refer to this table.
    public var generation: UInt32
    /// The causes; a side record's `cause` is an index of it.
    public var causes: [Cause]
    /// For each side record of the snapshot the index of its cause and of what audit would have said.
    public var records: [(cause: UInt32, audit: UInt32)]

    /// A table.
    public init(generation: UInt32, causes: [Cause], records: [(cause: UInt32, audit: UInt32)]) {
        self.generation = generation
        self.causes = causes
        self.records = records
    }

    /// The cause of a side record's number; `nil` for "none" and for a number of another generation.
    public func cause(ofRecord number: UInt32) -> Cause? {
        guard number < records.count else { return nil }
        let index = records[Int(number)].cause
        return index < causes.count ? causes[Int(index)] : nil
    }

    /// What audit would have decided for a side record's number; `nil` where nothing is audited.
    public func audit(ofRecord number: UInt32) -> Cause? {
        guard number < records.count else { return nil }
        let index = records[Int(number)].audit
        return index < causes.count ? causes[Int(index)] : nil
    }
}
