// SPDX-License-Identifier: Apache-2.0
internal import Analysis
internal import Classifier
internal import Compiler
internal import Net
internal import Policy

// Where a frame comes in. A worker knows zones by port, tags and tunnel; people know them by name. So a port is looked for that lies in
// the source's zone and has the destination's on its other side. Where no configuration places these zones so, a pair of its own stands
// for the two, as in a replay.

extension Tracer {
    /// A place, the tags that its frames bear, and the view that knows its zones.
    struct Place {
        var port: Hypothesis.Port
        var vlans: [UInt16]
        var view: PolicyView
        /// Whether a configuration has such a port.
        var isReal: Bool
    }

    /// The pair that stands for two zones which no pair lies between; the last number means "any".
    private static let imagined: UInt8 = 254

    /// Where a frame comes in that goes from one zone to another.
    func place(from source: String, to destination: String, vlans: [UInt16], _ tunnel: Tunnel) throws -> Place {
        let tags = vlans.isEmpty ? [[]] + tagsOfZones : [vlans]
        for tag in tags {
            for pair in pairs {
                for port in [0, 1] as [UInt8] {
                    let port = Hypothesis.Port(pair: pair, port: port)
                    if zones(port, tag, tunnel, in: view) == (source, destination) {
                        return Place(port: port, vlans: tag, view: view, isReal: !surroundings.ports.isEmpty)
                    }
                }
            }
        }
        let beside = [(UInt8(0), source), (1, destination)].map {
            ZonePlacement(zone: $1, pair: Self.imagined, port: $0, vlans: tagged(vlans), tunnel: nil)
        }
        return Place(
            port: .init(pair: Self.imagined, port: 0), vlans: vlans, view: try surroundings.view(beside: beside), isReal: false)
    }

    /// The zones on both sides of a frame that comes in by a port.
    func zones(
        _ port: Hypothesis.Port, _ vlans: [UInt16], _ tunnel: Tunnel, in view: PolicyView
    ) -> (source: String, destination: String) {
        func name(_ number: UInt8) -> String {
            view.name(
                ofZone: view.snapshot.zone(pair: port.pair, port: number, vlans: tagged(vlans), tunnel: tunnel))
        }
        return (name(port.port), name(1 - port.port))
    }

    private var pairs: [UInt8] {
        let known = Set(surroundings.zones.compactMap(\.pair)).union((0..<surroundings.ports.count).map { UInt8($0) })
        return known.isEmpty ? [0] : known.sorted()
    }

    private var tagsOfZones: [[UInt16]] {
        var all: [[UInt16]] = []
        for place in surroundings.zones {
            if let tags = place.vlans?.identifiers, !tags.isEmpty, !all.contains(tags) { all.append(tags) }
        }
        return all
    }

    private func tagged(_ vlans: [UInt16]) -> VLANTags {
        var tags = VLANTags()
        for vlan in vlans where vlan != 0 { tags.append(vlan) }
        return tags
    }
}
