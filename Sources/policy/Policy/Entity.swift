// SPDX-License-Identifier: Apache-2.0
public import Net

/// A name of one's own for what terms select: `kube-apiserver`, `cluster`, … It is global, so that its selectors speak of all
/// namespaces.
public struct Entity: Sendable {
    /// Its name, which no built-in entity has.
    public var name: String
    /// What it stands for: what one of these terms matches.
    public var terms: [Term]
    /// Where it is written.
    public var place: Place

    /// A name for terms.
    public init(name: String, terms: [Term], place: Place = .nowhere) {
        self.name = name
        self.terms = terms
        self.place = place
    }
}

extension Term {
    /// A set of addresses that has a name.
    public indirect enum Entity: Hashable, Sendable {
        /// Everything.
        case any
        /// What no workload claims.
        case outside
        /// What a workload claims, or an address set holds.
        case known
        /// The box itself.
        case host
        /// Multicast groups, 224.0.0.0/4 and ff00::/8.
        case multicast
        /// The limited broadcast address, 255.255.255.255.
        case broadcast
        /// Addresses that no router forwards, 169.254.0.0/16 and fe80::/10.
        case linkLocal
        /// What an `Entity` document defines. Its terms come with the policy set; without them it matches nothing.
        case named(String, [Term])

        /// Those that need no document.
        public static let builtIn: [Entity] = [.any, .outside, .known, .host, .multicast, .broadcast, .linkLocal]

        /// The built-in entity of a name.
        public init?(builtIn name: String) {
            guard let entity = Self.builtIn.first(where: { $0.name == name }) else { return nil }
            self = entity
        }

        /// The name, as policies write it.
        public var name: String {
            switch self {
            case .any: "any"
            case .outside: "outside"
            case .known: "known"
            case .host: "host"
            case .multicast: "multicast"
            case .broadcast: "broadcast"
            case .linkLocal: "link-local"
            case .named(let name, _): name
            }
        }

        /// The blocks that a built-in entity is made of, where it is made of blocks.
        public var blocks: [Prefix]? {
            switch self {
            case .multicast: Self.prefixes("224.0.0.0/4", "ff00::/8")
            case .broadcast: Self.prefixes("255.255.255.255/32")
            case .linkLocal: Self.prefixes("169.254.0.0/16", "fe80::/10")
            default: nil
            }
        }

        private static func prefixes(_ texts: String...) -> [Prefix] { texts.compactMap { Prefix($0) } }

        /// Whether it holds for a candidate.
        public func matches(_ candidate: Candidate) -> Bool {
            switch self {
            case .any: true
            case .outside: candidate.workload == nil
            case .known: candidate.workload != nil || !candidate.addressSets.isEmpty
            case .host: candidate.isHost
            case .multicast, .broadcast, .linkLocal: (blocks ?? []).contains { $0.contains(candidate.address) }
            case .named(_, let terms): terms.contains { $0.matches(candidate, scope: nil) }
            }
        }
    }
}
