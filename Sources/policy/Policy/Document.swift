// SPDX-License-Identifier: Apache-2.0

/// One object of a document set.
public enum Document: Sendable {
    /// A zone.
    case zone(Zone)
    /// A workload.
    case workload(Workload)
    /// A namespace.
    case namespace(Namespace)
    /// An account.
    case serviceAccount(ServiceAccount)
    /// A set of addresses.
    case addressSet(AddressSet)
    /// A name for terms.
    case entity(Entity)
    /// A tier.
    case tier(Tier)
    /// A policy.
    case policy(Policy)

    /// The kind, as documents write it.
    public var kind: String {
        switch self {
        case .zone: "Zone"
        case .workload: "Workload"
        case .namespace: "Namespace"
        case .serviceAccount: "ServiceAccount"
        case .addressSet: "AddressSet"
        case .entity: "Entity"
        case .tier: "Tier"
        case .policy: "Policy"
        }
    }

    /// The object's name.
    public var name: ObjectName {
        switch self {
        case .zone(let zone): ObjectName(zone.name)
        case .workload(let workload): workload.name
        case .namespace(let namespace): ObjectName(namespace.name)
        case .serviceAccount(let account): account.name
        case .addressSet(let set): set.name
        case .entity(let entity): ObjectName(entity.name)
        case .tier(let tier): ObjectName(tier.name)
        case .policy(let policy): policy.name
        }
    }

    /// Where it is written.
    public var place: Place {
        switch self {
        case .zone(let zone): zone.place
        case .workload(let workload): workload.place
        case .namespace(let namespace): namespace.place
        case .serviceAccount(let account): account.place
        case .addressSet(let set): set.place
        case .entity(let entity): entity.place
        case .tier(let tier): tier.place
        case .policy(let policy): policy.place
        }
    }

    /// Whether it comes from a foreign dialect.
    public var isImported: Bool {
        switch self {
        case .zone, .entity: false
        case .workload(let workload): workload.isImported
        case .namespace(let namespace): namespace.isImported
        case .serviceAccount(let account): account.isImported
        case .addressSet(let set): set.isImported
        case .tier(let tier): tier.isImported
        case .policy(let policy): policy.isImported
        }
    }
}
