// SPDX-License-Identifier: Apache-2.0

/// The layers of a dissection that one reading is about: the frame's own, or those in a tunnel.
struct Level {
    /// The Ethernet header; `nil` in a tunnel that carries packets.
    var ethernet: Dissection.Layer?
    /// VLAN tags, outermost first.
    var tags: [Dissection.Layer] = []
    /// LLC, with SNAP.
    var llc: Dissection.Layer?
    /// IPv4, IPv6 or ARP.
    var network: Dissection.Layer?
    /// Authentication headers between network and transport.
    var authentication: Dissection.Layer?
    /// What follows the network header.
    var transport: Dissection.Layer?
    /// Everything behind the first of the transport's, such as DHCP or VXLAN.
    var rest: [Dissection.Layer] = []

    /// The names of all layers behind the network header.
    var names: [String] { (transport.map { [$0.name] } ?? []) + rest.map(\.name) }

    /// Cuts a dissection into levels. A new one begins at an Ethernet or IP header behind an IP header, where the layers between are a
    /// tunnel that Wire reads; what MPLS, PPPoE or an unknown protocol carries, or an error quotes, belongs to no level.
    static func levels(of dissection: Dissection) -> [Level] {
        var levels = [Level()]
        for layer in dissection.layers {
            let level = levels[levels.count - 1]
            let isBehindNetwork = level.network != nil
            if let name = level.transport?.name, name == "icmp" || name == "icmpv6" { return levels }
            switch layer.name {
            case "eth" where isBehindNetwork: levels.append(Level(ethernet: layer))
            case "ip" where isBehindNetwork, "ipv6" where isBehindNetwork: levels.append(Level(network: layer))
            case "eth": levels[levels.count - 1].ethernet = layer
            case "vlan", "ieee8021ad": levels[levels.count - 1].tags.append(layer)
            case "llc" where !isBehindNetwork: levels[levels.count - 1].llc = layer
            case "ip", "ipv6", "arp":
                // Behind layers that are not of this house: MPLS, PPPoE.
                guard level.rest.isEmpty, level.transport == nil else { return levels }
                levels[levels.count - 1].network = layer
            case "ah" where level.transport == nil: levels[levels.count - 1].authentication = layer
            case _ where level.transport == nil: levels[levels.count - 1].transport = layer
            default: levels[levels.count - 1].rest.append(layer)
            }
        }
        return levels
    }
}
