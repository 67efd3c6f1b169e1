// SPDX-License-Identifier: Apache-2.0
public import Net

/// One sentence of a policy.
public struct Rule: Sendable {
    /// What it does with what it matches.
    public enum Action: String, Sendable, CaseIterable {
        /// The layer lets it pass.
        case allow
        /// Dropped in silence.
        case deny
        /// Dropped, and the sender told.
        case reject
        /// Leaves the tier.
        case pass
        /// Recorded; evaluation goes on.
        case log
    }

    /// Which side of a connection the rule judges.
    public enum Direction: Hashable, Sendable, CaseIterable {
        /// Connections to the subject; the peers are `from`.
        case ingress
        /// Connections of the subject; the peers are `to`.
        case egress
    }

    /// The Internet Protocol's two versions.
    public enum Family: String, Sendable, CaseIterable {
        /// IPv4 (RFC 791).
        case ipv4 = "IPv4"
        /// IPv6 (RFC 8200).
        case ipv6 = "IPv6"

        /// Whether an address is of it.
        public func contains(_ address: Address) -> Bool { (self == .ipv4) == address.isIPv4 }
    }

    /// Bytes that a log text may have.
    public static let logTextLimit = 128

    /// Its name, if it has one.
    public var name: String?
    /// Its place in the policy's list, from 1.
    public var number: Int
    /// What it does.
    public var action: Action
    /// Which side it judges.
    public var direction: Direction
    /// Narrows the policy's subject for this rule; not asked where absent.
    public var subject: Term?
    /// The other end: one of these terms must match. Empty matches nothing.
    public var peers: [Term]
    /// The services it speaks of; all where absent.
    public var services: ServiceList?
    /// Services that it leaves out.
    public var notServices: ServiceList?
    /// The version it speaks of; both where absent.
    public var family: Family?
    /// What is carried into flow records.
    public var logText: String?
    /// Whether it decides.
    public var mode: Policy.Mode
    /// Whether what it lets through becomes a flow.
    public var tracking: Policy.Tracking
    /// For multicast and broadcast: so many seconds long, unicast replies from anywhere are expected by the source.
    public var expectsReplies: UInt32?
    /// Unix seconds from which on it is as if absent.
    public var expires: UInt64?
    /// Where it is written.
    public var place: Place

    /// A rule.
    public init(number: Int, action: Action, direction: Direction, peers: [Term], place: Place = .nowhere) {
        self.number = number
        self.action = action
        self.direction = direction
        self.peers = peers
        mode = .enforce
        tracking = .flow
        self.place = place
    }

    /// Its name, or its place in the list.
    public var label: String { name ?? String(number) }

    /// All its terms: peers, and what narrows the subject.
    public var terms: [Term] { (subject.map { [$0] } ?? []) + peers }

    /// Whether it speaks of a service, asked from a source port (`nil` for protocols without ports), of a destination with these named
    /// services. A rule that allows speaks of tunnels only when it names them; every other rule speaks of all that its services contain.
    public func speaks(of service: ServiceKey, sourcePort: UInt16?, named: [String: ServiceRange]) -> Bool {
        let allows = action == .allow
        let isMeant =
            services?.contains(service, sourcePort: sourcePort, named: named, byName: allows)
            ?? (!allows || ServiceRange.any.names(service))
        return isMeant && !(notServices?.contains(service, sourcePort: sourcePort, named: named, byName: false) ?? false)
    }

    /// Whether it speaks of a connection between its policy's subject and a peer. `scope` is the policy's namespace.
    public func matches(
        subject own: Term.Candidate, peer: Term.Candidate, service: ServiceKey, sourcePort: UInt16?, scope: String?
    ) -> Bool {
        let named = (direction == .ingress ? own : peer).workload?.services ?? [:]
        return (family?.contains(own.address) ?? true)
            && (subject?.matches(own, scope: scope) ?? true)
            && peers.contains { $0.matches(peer, scope: scope) }
            && speaks(of: service, sourcePort: sourcePort, named: named)
    }
}
