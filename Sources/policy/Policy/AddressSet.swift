// SPDX-License-Identifier: Apache-2.0
public import Net

/// Addresses with labels that are nobody's workload: selectors select them as they select workloads, and no policy isolates them.
public struct AddressSet: Hashable, Sendable {
    /// One line of a set.
    public struct Entry: Hashable, Sendable {
        /// What a line names.
        public enum Target: Hashable, Sendable {
            /// A block of addresses.
            case block(Prefix)
            /// The addresses that a DNS name leads to.
            case name(DNSPattern)
        }

        /// What it names.
        public var target: Target
        /// Blocks that are left out of this entry, and of no other.
        public var except: [Prefix]
        /// Where present, the entry means these services at these addresses: it holds for the destination of a connection for one of
        /// them, and never for a source.
        public var service: ServiceRange?
        /// Unix seconds from which on the entry is as if absent; connections that it let in live on.
        public var until: UInt64?

        /// An entry.
        public init(_ target: Target, except: [Prefix] = [], service: ServiceRange? = nil, until: UInt64? = nil) {
            self.target = target
            self.except = except
            self.service = service
            self.until = until
        }

        /// Whether it names the address: as the destination of a connection for `service`, or, without one, as a source. A DNS name
        /// names no address by itself: what it leads to arrives as entries with a lease.
        public func contains(_ address: Address, for service: ServiceKey?, at time: UInt64) -> Bool {
            guard case .block(let block) = target, block.contains(address), until.map({ time < $0 }) ?? true else { return false }
            guard !except.contains(where: { $0.contains(address) }) else { return false }
            guard let own = self.service else { return true }
            return service.map(own.contains) ?? false
        }
    }

    /// Its name; global where it has no namespace.
    public var name: ObjectName
    /// Its labels.
    public var labels: [String: String]
    /// Its entries.
    public var entries: [Entry]
    /// Whether it comes from a foreign dialect.
    public var isImported: Bool
    /// Where it is written.
    public var place: Place

    /// A set of addresses.
    public init(
        name: ObjectName, labels: [String: String] = [:], entries: [Entry] = [], isImported: Bool = false, place: Place = .nowhere
    ) {
        self.name = name
        self.labels = labels
        self.entries = entries
        self.isImported = isImported
        self.place = place
    }

    /// Whether one of its entries names the address; `service` is `nil` for the source of a connection.
    public func contains(_ address: Address, for service: ServiceKey?, at time: UInt64) -> Bool {
        entries.contains { $0.contains(address, for: service, at: time) }
    }
}
