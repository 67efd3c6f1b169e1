// SPDX-License-Identifier: Apache-2.0
public import Net
public import Policy
public import Record

/// The semantics in their plainest form: policies and rules from first to last, for one connection, straight from the model. Slow and
/// obvious; the compiled image is held to it by tests, and `explain` asks it why a rule did not match.
public struct Reference: Sendable {
    /// One end of a connection.
    public struct End: Sendable {
        /// Its address.
        public var address: Address
        /// The zone it is seen in.
        public var zone: String
        /// An end.
        public init(address: Address, zone: String = Zone.implicit) {
            self.address = address
            self.zone = zone
        }

        /// Whether it is a group's address: nobody in particular receives there.
        var isGroup: Bool { address.isMulticast || address.isBroadcast }
    }

    /// A connection.
    public struct Connection: Sendable {
        /// Who opens it.
        public var source: End
        /// To whom.
        public var destination: End
        /// What for.
        public var service: ServiceKey
        /// From which port; asked only of protocols that have ports.
        public var sourcePort: UInt16
        /// Unix seconds.
        public var time: UInt64
        /// A connection.
        public init(
            from source: End, to destination: End, service: ServiceKey, sourcePort: UInt16 = 50_000, time: UInt64
        ) {
            self.source = source
            self.destination = destination
            self.service = service
            self.sourcePort = sourcePort
            self.time = time
        }

        /// The source's port, where the protocol has ports.
        var askedPort: UInt16? {
            IPProtocol(rawValue: UInt8(truncatingIfNeeded: service.rawValue >> 16)).hasPorts ? sourcePort : nil
        }
    }

    /// What both sides say.
    public struct Answer: Equatable, Sendable {
        /// The source's side, `nil` where it has none.
        public var egress: Cause?
        /// The destination's side, `nil` where it has none.
        public var ingress: Cause?
        /// What audit would have said on either side.
        public var egressAudit: Cause?
        /// What audit would have said on the destination's side.
        public var ingressAudit: Cause?
        /// The decision.
        public var decision: Decision
        /// Whether no side is asked, because the source's address belongs to workloads that are in other zones.
        public var isSpoofed: Bool

        /// An answer from both sides.
        public init(
            egress: Cause? = nil, ingress: Cause? = nil, egressAudit: Cause? = nil, ingressAudit: Cause? = nil,
            decision: Decision,
            isSpoofed: Bool = false
        ) {
            self.egress = egress
            self.ingress = ingress
            self.egressAudit = egressAudit
            self.ingressAudit = ingressAudit
            self.decision = decision
            self.isSpoofed = isSpoofed
        }
    }

    let set: PolicySet
    let failsafe: Failsafe
    private let tiers: [Tier]
    /// Who claims an address by itself, and who claims blocks.
    private let hosts: [Address: [Workload]]
    private let blocks: [(prefix: Prefix, workload: Workload)]

    /// The semantics of a set.
    public init(_ set: PolicySet, failsafe: Failsafe = Failsafe()) {
        self.set = set
        self.failsafe = failsafe
        tiers = set.orderedTiers
        var hosts: [Address: [Workload]] = [:]
        var blocks: [(prefix: Prefix, workload: Workload)] = []
        for workload in set.workloads {
            for prefix in Set(workload.addresses) {
                if prefix.isHost {
                    hosts[prefix.address, default: []].append(workload)
                } else {
                    blocks.append((prefix, workload))
                }
            }
        }
        self.hosts = hosts
        self.blocks = blocks.sorted { $0.prefix.length > $1.prefix.length }
    }

    /// Whose address it is in a zone, or in whatever zone: the longest claim.
    public func owner(of address: Address, zone: String?) -> Workload? {
        func isThere(_ workload: Workload) -> Bool {
            let zones = set.zones(of: workload)
            return zone.map { zones.isEmpty || zones.contains($0) } ?? true
        }
        return hosts[address]?.first(where: isThere)
            ?? blocks.first { $0.prefix.contains(address) && isThere($0.workload) }?.workload
    }

    /// Whether workloads claim an end's address, but none of them in its zone: who sends from it there is somebody else.
    public func isElsewhere(_ end: End) -> Bool {
        owner(of: end.address, zone: end.zone) == nil && owner(of: end.address, zone: nil) != nil
    }

    /// What becomes of a connection. To a group only the source's egress is asked: nobody in particular receives there.
    public func judge(_ connection: Connection) -> Answer {
        if isElsewhere(connection.source) { return Answer(decision: .deny, isSpoofed: true) }
        let source = candidate(connection.source, service: nil, connection)
        let destination = candidate(connection.destination, service: connection.service, connection)
        if let name = source.workload?.name, name == destination.workload?.name {
            let layer = Cause.Layer(layer: .network, decision: .allow, end: .itself)
            return Answer(
                egress: Cause(side: .egress, layers: [layer]), ingress: Cause(side: .ingress, layers: [layer]), decision: .allow)
        }
        let egress = side(.egress, of: source, peer: destination, connection)
        let ingress = connection.destination.isGroup ? nil : side(.ingress, of: destination, peer: source, connection)
        if egress == nil && ingress == nil {
            let setting = set.unjudged(from: connection.source.zone, to: connection.destination.zone)
            return Answer(decision: setting == .deny ? .deny : .allow)
        }
        let decisions = [egress?.cause.decision, ingress?.cause.decision].compactMap { $0 }
        return Answer(
            egress: egress?.cause, ingress: ingress?.cause, egressAudit: egress?.audit, ingressAudit: ingress?.audit,
            decision: decisions.first { $0 != .allow } ?? .allow)
    }

    /// What a term sees of an end; `service` is the connection's where the end is its destination.
    func candidate(_ end: End, service: ServiceKey?, _ connection: Connection) -> Term.Candidate {
        set.candidate(
            end.address, zone: end.zone, owner: owner(of: end.address, zone: end.zone), service: service, at: connection.time,
            isHost: failsafe.addresses.contains { $0.contains(end.address) })
    }

    private func side(
        _ direction: Rule.Direction, of subject: Term.Candidate, peer: Term.Candidate, _ connection: Connection
    ) -> (cause: Cause, audit: Cause?)? {
        let side: PolicySide = direction == .ingress ? .ingress : .egress
        if let opening = opening(direction, subject, peer, connection) {
            let layer = Cause.Layer(layer: .zone, decision: .allow, rule: opening.name, end: .failsafe)
            return (Cause(side: side, layers: [layer]), nil)
        }
        guard let workload = subject.workload else { return nil }
        var own = subject
        own.addressSets = []
        func run(audited: Bool) -> Cause {
            var logged: [Cause.Log] = []
            let layers = Tier.Layer.allCases.compactMap { layer in
                self.layer(layer, direction, workload, own, peer, connection, audited: audited, &logged)
            }
            return Cause(side: side, layers: layers, logged: logged)
        }
        let (enforced, full) = (run(audited: false), run(audited: true))
        return (enforced, enforced == full ? nil : full)
    }

    /// The management service that stays open here, whatever policies say.
    private func opening(
        _ direction: Rule.Direction, _ subject: Term.Candidate, _ peer: Term.Candidate, _ connection: Connection
    ) -> Failsafe.Opening? {
        let (from, to) = direction == .egress ? (subject, peer) : (peer, subject)
        return failsafe.openings.first { opening in
            opening.services.contains { $0.contains(connection.service) } && opening.from?.matches(from, scope: nil) ?? true
                && opening.to?.matches(to, scope: nil) ?? true
        }
    }

    /// What a layer says: its tiers in order, and behind those of the network layer the namespace's default; `nil` where nothing applies.
    private func layer(
        _ layer: Tier.Layer, _ direction: Rule.Direction, _ workload: Workload, _ own: Term.Candidate, _ peer: Term.Candidate,
        _ connection: Connection, audited: Bool, _ logged: inout [Cause.Log]
    ) -> Cause.Layer? {
        for tier in tiers where tier.layer == layer {
            if let decided = self.tier(tier, direction, own, peer, connection, audited: audited, &logged) { return decided }
        }
        guard layer == .network else { return nil }
        let setting = set.defaultSetting(of: workload.name.namespace, direction)
        let denies = setting == .deny || (setting == .audit && audited)
        return Cause.Layer(layer: .network, decision: denies ? .deny : .allow, end: .namespace)
    }

    /// What a tier decides; `nil` where it leaves the connection to the next: no rule matches and nothing isolates, or a rule says so.
    private func tier(
        _ tier: Tier, _ direction: Rule.Direction, _ own: Term.Candidate, _ peer: Term.Candidate, _ connection: Connection,
        audited: Bool, _ logged: inout [Cause.Log]
    ) -> Cause.Layer? {
        let policies = set.policies.filter { policy in
            policy.tier == tier.name && (audited || policy.mode == .enforce) && connection.time < policy.expires ?? .max
                && policy.speaks(for: own)
        }
        let matching = policies.flatMap { policy in
            policy.rules.filter { rule in
                rule.direction == direction && (audited || rule.mode == .enforce) && connection.time < rule.expires ?? .max
                    && rule.matches(
                        subject: own, peer: peer, service: connection.service, sourcePort: connection.askedPort,
                        scope: policy.name.namespace)
            }.map { (policy: policy, rule: $0) }
        }
        var deciding: (policy: Policy, rule: Rule)?
        switch tier.shape {
        case .ordered: deciding = matching.first { $0.rule.action != .log }
        case .set:
            for action in [Rule.Action.deny, .reject, .allow, .pass] where deciding == nil {
                deciding = matching.first { $0.rule.action == action }
            }
        }
        for (policy, rule) in matching {
            if tier.shape == .ordered && rule.action != .log { break }
            guard rule.action == .log else { continue }
            logged.append(Cause.Log(policy: policy.name.description, rule: rule.label, text: rule.logText))
        }
        if let (policy, rule) = deciding {
            guard let decision = rule.action.decision else { return nil }
            return Cause.Layer(
                layer: tier.layer.recorded, decision: decision, tier: tier.name, policy: policy.name.description,
                rule: rule.label,
                text: rule.logText)
        }
        let service = ServiceRange(first: connection.service.rawValue, end: connection.service.rawValue + 1)
        guard policies.contains(where: { $0.isolates(direction).contains(service) }) else { return nil }
        guard tier.end == .deny || (tier.end == .audit && audited) else { return nil }
        return Cause.Layer(layer: tier.layer.recorded, decision: .deny, tier: tier.name, end: .tier)
    }
}
