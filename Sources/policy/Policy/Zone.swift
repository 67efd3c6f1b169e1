// SPDX-License-Identifier: Apache-2.0

/// A place with a name that a fleet shares; each appliance's configuration maps it to port, VLANs and tunnel.
public struct Zone: Sendable {
    /// Its name.
    public var name: String
    /// Its labels.
    public var labels: [String: String]
    /// Whether its hosts are on this link, without a router between, so that addresses may be bound to hardware addresses.
    public var onLink: Bool
    /// Whether DHCP servers live here: DHCP passes from clients to such zones, and back.
    public var dhcpServer: Bool
    /// What traffic from this zone gets that no side judges, by the destination's zone.
    public var unjudged: [String: Setting]
    /// What it gets towards zones that `unjudged` does not name.
    public var unjudgedElsewhere: Setting
    /// Where it is written.
    public var place: Place

    /// The name of the implicit zone.
    public static let implicit = "default"

    /// A zone.
    public init(
        name: String, labels: [String: String] = [:], unjudged: [String: Setting] = [:], unjudgedElsewhere: Setting = .deny,
        onLink: Bool = false, dhcpServer: Bool = false, place: Place = .nowhere
    ) {
        self.name = name
        self.labels = labels
        self.unjudged = unjudged
        self.unjudgedElsewhere = unjudgedElsewhere
        self.onLink = onLink
        self.dhcpServer = dhcpServer
        self.place = place
    }
}
