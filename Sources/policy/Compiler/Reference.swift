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
    }

    /// A connection.
    public struct Connection: Sendable {
        /// Who opens it.
        public var source: End
        /// To whom.
        public var destination: End
        /// What for.
        public var service: ServiceKey
        /// Unix seconds.
        public var time: UInt64
        /// A connection.
        public init(from source: End, to destination: End, service: ServiceKey, time: UInt64) {
            self.source = source
            self.destination = destination
            self.service = service
            self.time = time
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

        /// An answer from both sides.
        public init(
            egress: Cause? = nil, ingress: Cause? = nil, egressAudit: Cause? = nil, ingressAudit: Cause? = nil, decision: Decision
        ) {
            self.egress = egress
            self.ingress = ingress
            self.egressAudit = egressAudit
            self.ingressAudit = ingressAudit
            self.decision = decision
        }
    }

    let set: PolicySet
    /// Who claims an address by itself, and who claims blocks.
    private let hosts: [Address: [Workload]]
    private let blocks: [(prefix: Prefix, workload: Workload)]

    /// The semantics of a set.
    public init(_ set: PolicySet) {
        self.set = set
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

    /// What becomes of a connection.
    public func judge(_ connection: Connection) -> Answer {
        let source = candidate(connection.source)
        let destination = candidate(connection.destination)
        if let name = source.workload?.name, name == destination.workload?.name {
            let layer = Cause.Layer(layer: .network, decision: .allow, end: .itself)
            return Answer(
                egress: Cause(side: .egress, layers: [layer]), ingress: Cause(side: .ingress, layers: [layer]), decision: .allow)
        }
        let egress = side(.egress, of: source, peer: destination, connection)
        let ingress = side(.ingress, of: destination, peer: source, connection)
        if egress == nil && ingress == nil {
            let setting = set.unjudged(from: connection.source.zone, to: connection.destination.zone)
            return Answer(decision: setting == .deny ? .deny : .allow)
        }
        let decisions = [egress?.cause.decision, ingress?.cause.decision].compactMap { $0 }
        return Answer(
            egress: egress?.cause, ingress: ingress?.cause, egressAudit: egress?.audit, ingressAudit: ingress?.audit,
            decision: decisions.first { $0 != .allow } ?? .allow)
    }

    /// What a term sees of an end.
    func candidate(_ end: End) -> Term.Candidate {
        let workload = owner(of: end.address, zone: end.zone)
        return Term.Candidate(
            workload: workload, namespaceLabels: workload.flatMap(set.namespaceLabels(of:)), address: end.address, zone: end.zone)
    }

    private func side(
        _ direction: Rule.Direction, of subject: Term.Candidate, peer: Term.Candidate, _ connection: Connection
    ) -> (cause: Cause, audit: Cause?)? {
        guard let workload = subject.workload else { return nil }
        let side: PolicySide = direction == .ingress ? .ingress : .egress
        let named = (direction == .ingress ? subject : peer).workload?.services ?? [:]
        func run(audited: Bool) -> Cause {
            Cause(side: side, layers: [layer(direction, workload, subject, peer, named, connection, audited: audited)])
        }
        let (enforced, full) = (run(audited: false), run(audited: true))
        return (enforced, enforced == full ? nil : full)
    }

    private func layer(
        _ direction: Rule.Direction, _ workload: Workload, _ subject: Term.Candidate, _ peer: Term.Candidate,
        _ named: [String: ServiceRange], _ connection: Connection, audited: Bool
    ) -> Cause.Layer {
        var isIsolated = false
        for policy in set.policies where speaks(policy, for: subject, connection.time) {
            guard audited || policy.mode == .enforce else { continue }
            for rule in policy.rules where rule.direction == direction && (rule.expires ?? .max) > connection.time {
                guard audited || rule.mode == .enforce, matches(rule, of: policy, peer, named, connection.service) else {
                    continue
                }
                if rule.action == .log { continue }
                if rule.action == .pass { return end(workload, direction, audited: audited) }
                let decision: Decision = rule.action == .allow ? .allow : rule.action == .deny ? .deny : .reject
                return Cause.Layer(
                    layer: .network, decision: decision, tier: policy.tier, policy: policy.name.description, rule: rule.label)
            }
            let service = ServiceRange(first: connection.service.rawValue, end: connection.service.rawValue + 1)
            if policy.isolation(direction).contains(service) { isIsolated = true }
        }
        if isIsolated { return Cause.Layer(layer: .network, decision: .deny, tier: Policy.defaultTier, end: .tier) }
        return end(workload, direction, audited: audited)
    }

    private func end(_ workload: Workload, _ direction: Rule.Direction, audited: Bool) -> Cause.Layer {
        let setting = set.defaultSetting(of: workload.name.namespace, direction)
        let denies = setting == .deny || (setting == .audit && audited)
        return Cause.Layer(layer: .network, decision: denies ? .deny : .allow, end: .namespace)
    }

    private func speaks(_ policy: Policy, for subject: Term.Candidate, _ time: UInt64) -> Bool {
        (policy.expires ?? .max) > time && failures(ofSubject: policy, subject).isEmpty
    }

    private func matches(
        _ rule: Rule, of policy: Policy, _ peer: Term.Candidate, _ named: [String: ServiceRange], _ service: ServiceKey
    ) -> Bool {
        let isPeer = rule.peers.contains { $0.matches(peer, scope: policy.name.namespace) }
        return isPeer && (rule.services?.contains(service, named: named) ?? true)
            && !(rule.notServices?.contains(service, named: named) ?? false)
    }

    /// Why a candidate is not a policy's subject; empty where it is.
    func failures(ofSubject policy: Policy, _ subject: Term.Candidate) -> [String] {
        let failed = policy.subject.failures(of: subject, scope: policy.name.namespace)
        guard let namespace = policy.name.namespace, subject.workload?.name.namespace != namespace else { return failed }
        // Beside the terms, not in their place: another namespace's policy is farther away than one that speaks of the subject.
        return ["namespace: \(namespace)"] + failed
    }
}
