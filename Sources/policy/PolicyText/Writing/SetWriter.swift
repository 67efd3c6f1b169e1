// SPDX-License-Identifier: Apache-2.0
public import Policy

extension PolicySet {
    /// All objects of the set as documents that make the same set, kind by kind, each in a settled order. Namespaces that are only named
    /// are among them where they have another default than a native one gets, and accounts that imported workloads only name where a
    /// native one would have to be declared.
    public var documents: [Document] {
        let namespaces = namespaces.values.filter { $0.place != .nowhere || $0.isImported }.sorted { $0.name < $1.name }
        let declaring = Set(serviceAccounts.keys.map(\.namespace))
        let named = workloads.compactMap { workload in
            workload.serviceAccount.map { ObjectName($0, namespace: workload.name.namespace) }
        }
        let missing = Set(named).filter { serviceAccounts[$0] == nil && declaring.contains($0.namespace) }
        let accounts = (Array(serviceAccounts.values) + missing.map { ServiceAccount(name: $0) }).sorted { $0.name < $1.name }
        return zones.values.sorted { $0.name < $1.name }.map { .zone($0) }
            + namespaces.map { .namespace($0) } + accounts.map { .serviceAccount($0) } + workloads.map { .workload($0) }
            + addressSets.map { .addressSet($0) } + entities.values.sorted { $0.name < $1.name }.map { .entity($0) }
            + orderedTiers.filter { $0.name != Tier.defaultName }.map { .tier($0) } + policies.map { .policy($0) }
    }

    /// The whole set as YAML that reads back as the same set.
    public var yaml: String { documents.map(\.yaml).joined(separator: "---\n") }
}
