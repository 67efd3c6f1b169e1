// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy
public import Record

extension Reference {
    /// The rules that nearly decided a side which an end denied: of its tier and direction those with the fewest terms that failed, in
    /// their order, three at most. Rules that lapsed or only report are left out.
    public func nearest(_ side: PolicySide, _ connection: Connection) -> [Cause.Near] {
        let direction: Rule.Direction = side == .ingress ? .ingress : .egress
        let source = candidate(connection.source)
        let destination = candidate(connection.destination)
        let (subject, peer) = side == .ingress ? (destination, source) : (source, destination)
        let named = destination.workload?.services ?? [:]
        var found: [Cause.Near] = []
        for policy in set.policies where policy.mode == .enforce && (policy.expires ?? .max) > connection.time {
            let subjectFailures = failures(ofSubject: policy, subject).map { "subject \($0)" }
            if found.count == 3, let worst = found.last, subjectFailures.count >= worst.failed.count { continue }
            for rule in policy.rules
            where rule.direction == direction && rule.mode == .enforce && (rule.expires ?? .max) > connection.time {
                var failed = subjectFailures
                failed += peerFailures(rule, of: policy, peer, direction == .ingress ? "from" : "to")
                if let services = rule.services, !services.contains(connection.service, named: named) {
                    failed.append(services.text)
                }
                if let services = rule.notServices, services.contains(connection.service, named: named) {
                    failed.append(services.text)
                }
                guard !failed.isEmpty else { continue }
                insert(.init(policy: policy.name.description, rule: rule.label, failed: failed), into: &found)
            }
        }
        return found
    }

    /// Why none of a rule's peers matched, by the one of them that came nearest.
    private func peerFailures(_ rule: Rule, of policy: Policy, _ peer: Term.Candidate, _ key: String) -> [String] {
        let all = rule.peers.map { $0.failures(of: peer, scope: policy.name.namespace).map { "\(key) \($0)" } }
        return all.min { $0.count < $1.count } ?? ["\(key): []"]
    }

    private func insert(_ near: Cause.Near, into found: inout [Cause.Near]) {
        let place = found.firstIndex { $0.failed.count > near.failed.count } ?? found.count
        guard place < 3 else { return }
        found.insert(near, at: place)
        if found.count > 3 { found.removeLast() }
    }
}
