// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy
public import Record

extension Reference {
    /// The rules that nearly decided a side which an end denied: of the tier whose end it was, or of all tiers of the layer where the
    /// namespace's default denied, and of the same direction those with the fewest terms that failed, in their order, three at most.
    /// Rules that lapsed, only report or only log are left out.
    public func nearest(_ side: PolicySide, _ connection: Connection) -> [Cause.Near] {
        let answer = judge(connection)
        guard let deciding = (side == .ingress ? answer.ingress : answer.egress)?.deciding else { return [] }
        let direction: Rule.Direction = side == .ingress ? .ingress : .egress
        let source = candidate(connection.source, service: nil, connection)
        let destination = candidate(connection.destination, service: connection.service, connection)
        let (subject, peer) = side == .ingress ? (destination, source) : (source, destination)
        var found: [Cause.Near] = []
        for policy in set.policies where policy.mode == .enforce && connection.time < policy.expires ?? .max {
            guard let tier = set.tiers[policy.tier], tier.layer.recorded == deciding.layer,
                deciding.tier ?? tier.name == tier.name
            else { continue }
            let subjectFailures = policy.failures(ofSubject: subject).map { "subject \($0)" }
            if found.count == 3, let worst = found.last, subjectFailures.count >= worst.failed.count { continue }
            for rule in policy.rules
            where rule.direction == direction && rule.mode == .enforce && rule.action != .log
                && connection.time < rule.expires ?? .max
            {
                let failed = subjectFailures + failures(rule, of: policy, subject, peer, connection)
                guard !failed.isEmpty else { continue }
                insert(.init(policy: policy.name.description, rule: rule.label, failed: failed), into: &found)
            }
        }
        return found
    }

    /// What of a rule itself does not hold: the subject to which it is narrowed, the peers, the services, the family.
    private func failures(
        _ rule: Rule, of policy: Policy, _ subject: Term.Candidate, _ peer: Term.Candidate, _ connection: Connection
    ) -> [String] {
        let scope = policy.name.namespace
        let key = rule.direction == .ingress ? "from" : "to"
        let named = (rule.direction == .ingress ? subject : peer).workload?.services ?? [:]
        var own = subject
        own.addressSets = []
        var failed = rule.subject?.failures(of: own, scope: scope).map { "subject \($0)" } ?? []
        let peers = rule.peers.map { $0.failures(of: peer, scope: scope).map { "\(key) \($0)" } }
        failed += peers.min { $0.count < $1.count } ?? ["\(key): []"]
        if let family = rule.family, !family.contains(peer.address) { failed.append("family: \(family.rawValue)") }
        if !rule.speaks(of: connection.service, sourcePort: connection.askedPort, named: named) {
            failed.append(serviceFailure(rule, connection, named))
        }
        return failed
    }

    private func serviceFailure(_ rule: Rule, _ connection: Connection, _ named: [String: ServiceRange]) -> String {
        if let others = rule.notServices,
            others.contains(connection.service, sourcePort: connection.askedPort, named: named, byName: false)
        {
            return others.text
        }
        if let services = rule.services { return services.text }
        return "services: any does not name the tunnel \(Tunnels.named(connection.service) ?? "")"
    }

    private func insert(_ near: Cause.Near, into found: inout [Cause.Near]) {
        let place = found.firstIndex { $0.failed.count > near.failed.count } ?? found.count
        guard place < 3 else { return }
        found.insert(near, at: place)
        if found.count > 3 { found.removeLast() }
    }
}
