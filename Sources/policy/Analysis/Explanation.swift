// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Compiler
public import Net
internal import Policy
public import Record

/// What becomes of one connection, and the whole way to it: both sides, their layers, tier by tier, the rule that decided with its
/// place, and for a denial by default the rules that came nearest. The decision is the snapshot's, judged as workers judge; the way is
/// told from the model.
public struct Explanation: Sendable {
    /// One end.
    public struct End: Sendable {
        /// Its address.
        public var address: String
        /// The workload that owns it.
        public var workload: String?
        /// The zone that it is seen in.
        public var zone: String
    }

    /// What a tier did.
    public struct Step: Sendable {
        /// The tier.
        public var tier: String
        /// `skipped`, `decided`, `left` (by a rule that passes) or `isolated`.
        public var act: String
        /// The rule that decided or left.
        public var rule: Named?
        /// The policies that isolate.
        public var isolating: [Named]
        /// What the tier's end does: `deny`, `pass` or `audit`.
        public var end: String?
    }

    /// A policy, or a rule of one, with its place.
    public struct Named: Sendable {
        /// The policy.
        public var policy: String
        /// The rule's name or number.
        public var rule: String?
        /// What the rule does.
        public var action: String?
        /// Where it is written.
        public var place: String
    }

    /// A layer of a side.
    public struct Layer: Sendable {
        /// zone, network or mesh.
        public var layer: String
        /// Its tiers in order, up to the one that decided.
        public var steps: [Step]
        /// What it decided; `nil` where nothing in it applies.
        public var decision: Decision?
        /// `tier` or `namespace`, where no rule decided.
        public var end: String?
        /// Rules that log and matched.
        public var logged: [Named]
    }

    /// One side of the connection.
    public struct Side: Sendable {
        /// egress or ingress.
        public var side: String
        /// The workload whose side it is; `nil` where an address that nobody owns is held open.
        public var workload: String?
        /// The management service that no policy can close, where that settled it.
        public var failsafe: String?
        /// What it says.
        public var decision: Decision
        /// What it would say if what only reports decided, where that differs.
        public var audit: Decision?
        /// Its layers, those in which nothing applies included.
        public var layers: [Layer]
        /// For a denial by default, the rules that came nearest.
        public var nearest: [Cause.Near]
    }

    /// Who opens it.
    public let source: End
    /// To whom.
    public let destination: End
    /// What for.
    public let service: String
    /// When, in unix seconds.
    public let time: UInt64
    /// What becomes of it.
    public let decision: Decision
    /// Until when that holds; `nil` for ever.
    public let validUntil: UInt64?
    /// Under which reason its frames are counted; `nil` where they pass.
    public let reason: String?
    /// The generation that was asked.
    public let generation: UInt32
    /// The sides that judged, egress first.
    public let sides: [Side]
    /// What settled it in few words where no side did: the zones' setting, that a workload reaches itself, or whose address is spoofed.
    public let settled: String?
    /// What becomes of its answers where they have another fate: they come from an address of another zone.
    public let caveat: String?
    /// Whether the appliance sees such traffic.
    public let sight: Sight
}

extension PolicyView {
    /// Explains a connection. `from` and `to` are an address, `namespace/workload`, or a workload's name; `service` is written as in
    /// policies, or is a name of the destination's; `time` is in unix seconds. Throws what is no question.
    public func explain(
        from: String, to: String, service text: String, zoneFrom: String? = nil, zoneTo: String? = nil, sourcePort: UInt16? = nil,
        at time: UInt64
    ) throws(QuestionError) -> Explanation {
        let (source, destination) = try ends(from: from, to: to, zoneFrom: zoneFrom, zoneTo: zoneTo)
        let (owner, peer) = (workload(source), workload(destination))
        let service = try service(text, of: peer)
        let connection = Reference.Connection(
            from: source, to: destination, service: service, sourcePort: sourcePort ?? Self.usualSourcePort, time: time)
        let judgement = judge(connection)
        let isUnjudged = isUnjudged(judgement.egress)
        let isItself = owner != nil && owner?.name == peer?.name
        var sides: [Explanation.Side] = []
        if !isUnjudged && !isItself && !judgement.isSpoofed {
            for (side, record) in [(PolicySide.egress, judgement.egress), (.ingress, judgement.ingress)] {
                if let told = self.side(side, record, connection) { sides.append(told) }
            }
        }
        return Explanation(
            source: .init(address: "\(source.address)", workload: owner?.name.description, zone: source.zone),
            destination: .init(address: "\(destination.address)", workload: peer?.name.description, zone: destination.zone),
            service: ServiceSpan(service).text, time: time, decision: judgement.decision,
            validUntil: judgement.validUntil == .max ? nil : UInt64(judgement.validUntil),
            reason: judgement.decision == .allow ? nil : "\(judgement.reason)", generation: compiled.causes.generation,
            sides: sides,
            settled: judgement.isSpoofed
                ? spoofedText(source)
                : isItself ? "a workload always reaches itself" : isUnjudged ? unjudgedText(source.zone, destination.zone) : nil,
            caveat: judgement.isSpoofed || !isElsewhere(destination) ? nil : answersText(destination),
            sight: sight(from: source.zone, to: destination.zone))
    }

    /// The workload that owns an end.
    func workload(_ end: Reference.End) -> Workload? {
        owners.owner(of: end.address, zone: set.hasZones ? end.zone : nil).map { set.workloads[$0] }
    }

    /// Whether an end's address belongs to workloads of other zones.
    private func isElsewhere(_ end: Reference.End) -> Bool {
        snapshot.owner(of: end.address, zone: zone(end.zone), in: memory.map).isElsewhere
    }

    private func spoofedText(_ source: Reference.End) -> String {
        "spoofed: \(belongings(of: source.address)), and speaks from zone \(source.zone)"
    }

    private func answersText(_ destination: Reference.End) -> String {
        "answers from zone \(destination.zone) are dropped as spoofed: \(belongings(of: destination.address))"
    }

    private func unjudgedText(_ source: String, _ destination: String) -> String {
        "neither end is a workload: unjudged traffic from zone \(source) to zone \(destination) gets "
            + set.unjudged(from: source, to: destination).rawValue
    }

    private func side(
        _ side: PolicySide, _ record: UInt32, _ connection: Reference.Connection
    ) -> Explanation.Side? {
        guard let cause = cause(record, side) else { return nil }
        let own = side == .egress ? connection.source : connection.destination
        let other = side == .egress ? connection.destination : connection.source
        let owner = workload(own)
        if let layer = cause.deciding, layer.end == .failsafe {
            return Explanation.Side(
                side: side.rawValue, workload: owner?.name.description, failsafe: layer.rule ?? "", decision: cause.decision,
                layers: [], nearest: [])
        }
        guard let workload = owner else { return nil }
        func candidate(_ end: Reference.End, isDestination: Bool) -> Term.Candidate {
            set.candidate(
                end.address, zone: end.zone, owner: self.workload(end), service: isDestination ? connection.service : nil,
                at: connection.time,
                isHost: failsafe.addresses.contains { $0.contains(end.address) })
        }
        let walk = Walk(set)
        let direction: Rule.Direction = side == .egress ? .egress : .ingress
        let subject = candidate(own, isDestination: side == .ingress)
        let policies = walk.speakers(for: subject, direction)
        let question = Walk.Side(
            direction: direction, setting: set.defaultSetting(of: workload.name.namespace, direction),
            service: connection.service,
            time: connection.time)
        let way = walk.way(
            question, policies,
            walk.matching(
                policies, direction, subject: subject, peer: candidate(other, isDestination: side == .egress), connection.service,
                connection.service.hasPorts ? connection.sourcePort : nil))
        let end = cause.deciding?.end
        let isDefaultDeny = cause.decision == .deny && (end == .tier || end == .namespace)
        return Explanation.Side(
            side: side.rawValue, workload: workload.name.description, decision: cause.decision,
            audit: compiled.causes.audit(ofRecord: record)?.decision, layers: way.map(told),
            nearest: isDefaultDeny ? reference.nearest(side, connection) : [])
    }

    private func told(_ layer: Walk.Layer) -> Explanation.Layer {
        Explanation.Layer(
            layer: layer.layer.rawValue,
            steps: layer.tiers.map { tier, step in
                var told = Explanation.Step(tier: tier, act: "skipped", isolating: [])
                switch step {
                case .skipped: break
                case .decided(let place): (told.act, told.rule) = ("decided", named(place))
                case .left(let place): (told.act, told.rule) = ("left", named(place))
                case .isolated(let policies, let end):
                    (told.act, told.isolating, told.end) = ("isolated", policies.map(named), end.rawValue)
                }
                return told
            }, decision: layer.decision,
            end: layer.decision == nil || layer.rule != nil ? nil : layer.isTierEnd ? "tier" : "namespace",
            logged: layer.logged.map(named))
    }

    /// A rule with its place.
    func named(_ place: RulePlace) -> Explanation.Named {
        let policy = set.policies[place.policy]
        let rule = policy.rules[place.rule]
        return .init(
            policy: policy.name.description, rule: rule.label, action: rule.action.rawValue, place: rule.place.description)
    }

    private func named(_ policy: Int) -> Explanation.Named {
        .init(policy: set.policies[policy].name.description, place: set.policies[policy].place.description)
    }
}

extension ServiceKey {
    /// The protocol.
    var number: IPProtocol { IPProtocol(rawValue: UInt8(truncatingIfNeeded: rawValue >> 16)) }
    /// Whether it is a port.
    var hasPorts: Bool { number.hasPorts }
}

extension ServiceSpan {
    /// One service from any port.
    init(_ service: ServiceKey) {
        let isWhole = !service.hasPorts && !service.number.isICMP
        self.init(
            first: service.rawValue, last: isWhole ? service.rawValue | 0xffff : service.rawValue, sourcePorts: 0...UInt16.max)
    }
}
