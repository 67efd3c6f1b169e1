// SPDX-License-Identifier: Apache-2.0
public import Net

extension Term {
    /// What a term is matched against: one end of a connection.
    public struct Candidate {
        /// An address set that holds the address, with the labels of its namespace.
        public struct Membership {
            /// The set.
            public var set: AddressSet
            /// The labels of its namespace, if it has one.
            public var namespaceLabels: [String: String]?
            /// The entries by which it holds the address, in their order, where a rule's values are asked for; no decision needs them.
            public var entries: [AddressSet.Entry]
            /// A membership.
            public init(_ set: AddressSet, namespaceLabels: [String: String]?, entries: [AddressSet.Entry] = []) {
                self.set = set
                self.namespaceLabels = namespaceLabels
                self.entries = entries
            }
        }

        /// The workload that owns the address, if one does.
        public var workload: Workload?
        /// The labels of its namespace, if it has one.
        public var namespaceLabels: [String: String]?
        /// The labels of its service account, if it runs as one.
        public var accountLabels: [String: String]?
        /// The address sets that hold the address.
        public var addressSets: [Membership]
        /// The address.
        public var address: Address
        /// The zone it was seen in.
        public var zone: String
        /// Whether the address is bound there to hardware addresses of the workload.
        public var isBound: Bool
        /// Whether it is the box itself.
        public var isHost: Bool

        /// A candidate.
        public init(
            workload: Workload?, namespaceLabels: [String: String]?, accountLabels: [String: String]? = nil,
            addressSets: [Membership] = [], address: Address, zone: String, isBound: Bool = false, isHost: Bool = false
        ) {
            self.workload = workload
            self.namespaceLabels = namespaceLabels
            self.accountLabels = accountLabels
            self.addressSets = addressSets
            self.address = address
            self.zone = zone
            self.isBound = isBound
            self.isHost = isHost
        }

        /// What selectors can select: the workload, and every address set that holds the address.
        var identities: [Identity] {
            let own = workload.map {
                Identity(
                    namespace: $0.name.namespace, namespaceLabels: namespaceLabels, labels: $0.labels,
                    account: $0.serviceAccount, accountLabels: accountLabels)
            }
            let sets = addressSets.map { Identity($0.set, namespaceLabels: $0.namespaceLabels, entries: $0.entries) }
            return (own.map { [$0] } ?? []) + sets
        }

        /// How sure it is who this is.
        var assurance: Principal.Assurance { isBound ? .bound : .inventory }
    }

    /// One thing that selectors can select.
    struct Identity {
        var namespace: String?
        var namespaceLabels: [String: String]?
        var labels: [String: String]
        var account: String?
        var accountLabels: [String: String]?
        /// The address set that it is; `nil` for a workload.
        var set: AddressSet?
        /// The entries by which that holds the address, where they were told.
        var entries: [AddressSet.Entry] = []
    }
}

extension Term.Identity {
    /// An address set.
    init(_ set: AddressSet, namespaceLabels: [String: String]?, entries: [AddressSet.Entry] = []) {
        self.init(namespace: set.name.namespace, namespaceLabels: namespaceLabels, labels: set.labels)
        (self.set, self.entries) = (set, entries)
    }
}

extension PolicySet {
    /// What terms see of an address in a zone, whose owner is known. `service` is that of the connection where the address is its
    /// destination, and `nil` where it is its source.
    public func candidate(
        _ address: Address, zone: String, owner: Workload?, service: ServiceKey?, at time: UInt64, isHost: Bool = false
    ) -> Term.Candidate {
        let sets = addressSets.filter { $0.contains(address, for: service, at: time) }
        return Term.Candidate(
            workload: owner, namespaceLabels: owner.flatMap(namespaceLabels(of:)),
            accountLabels: owner.flatMap(accountLabels(of:)),
            addressSets: sets.map { .init($0, namespaceLabels: $0.name.namespace.flatMap { namespaces[$0]?.allLabels }) },
            address: address, zone: zone, isBound: owner.map { isBound($0, in: zone) } ?? false, isHost: isHost)
    }

    /// Whether a workload's addresses are bound to its hardware addresses in a zone.
    public func isBound(_ workload: Workload, in zone: String) -> Bool {
        !workload.hardwareAddresses.isEmpty && (zones[zone]?.onLink ?? false)
    }

    /// The labels of the account that a workload runs as: none where no document declares it, and `nil` where it runs as no account.
    public func accountLabels(of workload: Workload) -> [String: String]? {
        workload.serviceAccount.map { serviceAccounts[ObjectName($0, namespace: workload.name.namespace)]?.labels ?? [:] }
    }
}
