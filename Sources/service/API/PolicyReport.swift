// SPDX-License-Identifier: Apache-2.0
public import Compiler
internal import Net
public import Policy
internal import PolicyText

/// What `GET /v1/policy` answers: the document set in force, as the daemon loaded it, so that a client analyses it with the same engine.
/// The documents are written in the normal form of the language, whatever language they came in; their places, which that form does not
/// hold, stand beside it.
public struct PolicyReport: Codable, Sendable {
    /// Where a zone lies on the appliance; what is absent is any.
    public struct ZonePlace: Codable, Sendable {
        /// The zone.
        public var zone: String
        /// The port pair's number, and the port of the pair.
        public var pair, port: UInt8?
        /// The outer and the inner VLAN tag, as the image keeps them.
        public var outer, inner: UInt16?
        /// The tunnel's identifier.
        public var tunnel: UInt32?
    }

    /// Where a document was written, and each rule of it.
    public struct Written: Codable, Sendable {
        /// `[file, line, column]`, as one text.
        public var place: String
        /// The same for each of its rules; none for what is no policy.
        public var rules: [String]
    }

    /// The policy generation.
    public var generation: UInt32
    /// All documents, as YAML.
    public var documents: String
    /// Where each of them was written, in the same order.
    public var written: [Written]
    /// Where zones lie.
    public var zones: [ZonePlace]
    /// What no policy can close; `nil` of a daemon that does not say.
    public var failsafe: FailsafeReport?

    /// The report of a set.
    public init(generation: UInt32, set: PolicySet, zones placements: [ZonePlacement], failsafe: Failsafe = Failsafe()) {
        self.generation = generation
        self.failsafe = FailsafeReport(failsafe)
        let all = set.documents
        documents = all.map(\.yaml).joined(separator: "---\n")
        written = all.map { document in
            guard case .policy(let policy) = document else { return Written(place: document.place.description, rules: []) }
            return Written(place: policy.place.description, rules: policy.rules.map(\.place.description))
        }
        zones = placements.map { placement in
            ZonePlace(
                zone: placement.zone, pair: placement.pair, port: placement.port, outer: placement.vlans?.outer,
                inner: placement.vlans?.inner, tunnel: placement.tunnel)
        }
    }

    /// The set, with its places; throws where the text is of another version's language.
    public func set() throws(PolicyError) -> PolicySet {
        let read = try decode(documents, file: "(running)")
        guard read.count == written.count else { return try PolicySet(read) }
        return try PolicySet(zip(read, written).map { $0.placed($1) })
    }

    /// Where zones lie, as the compiler takes it.
    public var placements: [ZonePlacement] {
        zones.map { place in
            var vlans: VLANTags?
            if let outer = place.outer, let inner = place.inner { vlans = VLANTags(outer: outer, inner: inner) }
            return ZonePlacement(zone: place.zone, pair: place.pair, port: place.port, vlans: vlans, tunnel: place.tunnel)
        }
    }
}

extension Place {
    /// The place of a text that `description` wrote; `nil` for any other.
    fileprivate init?(written text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 3, let line = Int(parts[parts.count - 2]), let column = Int(parts[parts.count - 1]) else {
            return nil
        }
        self.init(file: parts[..<(parts.count - 2)].joined(separator: ":"), line: line, column: column)
    }
}

extension Document {
    /// The same document at the place where it was written.
    fileprivate func placed(_ written: PolicyReport.Written) -> Document {
        guard let place = Place(written: written.place) else { return self }
        switch self {
        case .zone(var zone):
            zone.place = place
            return .zone(zone)
        case .workload(var workload):
            workload.place = place
            return .workload(workload)
        case .namespace(var namespace):
            namespace.place = place
            return .namespace(namespace)
        case .serviceAccount(var account):
            account.place = place
            return .serviceAccount(account)
        case .addressSet(var set):
            set.place = place
            return .addressSet(set)
        case .entity(var entity):
            entity.place = place
            return .entity(entity)
        case .tier(var tier):
            tier.place = place
            return .tier(tier)
        case .policy(var policy):
            policy.place = place
            for (index, text) in written.rules.enumerated() where policy.rules.indices.contains(index) {
                policy.rules[index].place = Place(written: text) ?? policy.rules[index].place
            }
            return .policy(policy)
        }
    }
}
