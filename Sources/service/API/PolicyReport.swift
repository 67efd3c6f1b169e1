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
    public typealias Written = WrittenDocuments.Written

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
        let all = WrittenDocuments(set.documents)
        (documents, written) = (all.text, all.written)
        zones = placements.map { placement in
            ZonePlace(
                zone: placement.zone, pair: placement.pair, port: placement.port, outer: placement.vlans?.outer,
                inner: placement.vlans?.inner, tunnel: placement.tunnel)
        }
    }

    /// The set, with its places; throws where the text is of another version's language. What the daemon has in force may hold
    /// addresses that several workloads claim: they are contested here as they are there.
    public func set() throws(PolicyError) -> PolicySet {
        try PolicySet(try WrittenDocuments(text: documents, written: written).documents(from: "(running)")) { _ in true }
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
