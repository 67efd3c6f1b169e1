// SPDX-License-Identifier: Apache-2.0
public import Net

/// A thing on the network that is known by its labels.
public struct Workload: Sendable {
    /// Its name; global where it has no namespace.
    public var name: ObjectName
    /// Its labels.
    public var labels: [String: String]
    /// The account it runs as, in its namespace.
    public var serviceAccount: String?
    /// Addresses that are its own: hosts, or blocks.
    public var addresses: [Prefix]
    /// Hardware addresses from which it speaks; any where empty. They bind where a zone is `onLink`.
    public var hardwareAddresses: [MACAddress]
    /// Zones it may appear in; any where empty.
    public var zones: [String]
    /// Its own names for services.
    public var services: [String: ServiceRange]
    /// Whether it comes from a foreign dialect: a namespace that only such objects name has the imported defaults.
    public var isImported: Bool
    /// Where it is written.
    public var place: Place

    /// A workload.
    public init(
        name: ObjectName, labels: [String: String] = [:], serviceAccount: String? = nil, addresses: [Prefix] = [],
        hardwareAddresses: [MACAddress] = [], zones: [String] = [], services: [String: ServiceRange] = [:],
        isImported: Bool = false, place: Place = .nowhere
    ) {
        self.name = name
        self.labels = labels
        self.serviceAccount = serviceAccount
        self.addresses = addresses
        self.hardwareAddresses = hardwareAddresses
        self.zones = zones
        self.services = services
        self.isImported = isImported
        self.place = place
    }
}
