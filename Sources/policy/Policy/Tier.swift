// SPDX-License-Identifier: Apache-2.0

/// A stage of a layer: its policies are asked together, and what it leaves open goes to the next tier.
public struct Tier: Sendable {
    /// One of the gates that a side of a connection has: each runs its own tiers, and every gate in which something applies must let the
    /// connection pass.
    public enum Layer: String, Hashable, Sendable, CaseIterable {
        /// Of the place: host endpoints, zones.
        case zone
        /// Of the workload.
        case network
        /// Of the service mesh.
        case mesh
    }

    /// How its policies are weighed against each other.
    public enum Shape: String, Sendable, CaseIterable {
        /// Policies in order, rules in order; the first that matches decides.
        case ordered
        /// Without any order: a deny (or reject) that matches wins, then an allow, then a pass, then isolation.
        case set
    }

    /// What becomes of a connection that a policy of the tier isolates and no rule decided.
    public enum End: String, Sendable, CaseIterable {
        /// Denied.
        case deny
        /// Goes on to the next tier.
        case pass
        /// Goes on to the next tier, and is reported as what would have been denied.
        case audit
    }

    /// Its name.
    public var name: String
    /// Its labels.
    public var labels: [String: String]
    /// The layer that it belongs to.
    public var layer: Layer
    /// Its place in the layer, smaller first; without one it comes last. Ties go by name.
    public var order: Double?
    /// How its policies are weighed.
    public var shape: Shape
    /// What it leaves behind.
    public var end: End
    /// Whether it comes from a foreign dialect.
    public var isImported: Bool
    /// Where it is written.
    public var place: Place

    /// The name of the built-in tier.
    public static let defaultName = "default"
    /// The order of the built-in tier, so that others find room before and behind it.
    public static let defaultOrder = 1_000_000.0
    /// The tier of policies that name none.
    public static let builtIn = Tier(name: defaultName, order: defaultOrder)

    /// A tier; ordered, of the layer `network`, and denying at its end unless it is told otherwise.
    public init(
        name: String, labels: [String: String] = [:], layer: Layer = .network, order: Double? = nil, shape: Shape = .ordered,
        end: End = .deny, isImported: Bool = false, place: Place = .nowhere
    ) {
        self.name = name
        self.labels = labels
        self.layer = layer
        self.order = order
        self.shape = shape
        self.end = end
        self.isImported = isImported
        self.place = place
    }

    /// Whether it comes before another tier of its layer: by order, then by name.
    public func comes(before other: Tier) -> Bool {
        let (mine, others) = (order ?? .infinity, other.order ?? .infinity)
        return mine != others ? mine < others : name < other.name
    }
}
