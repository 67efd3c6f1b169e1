// SPDX-License-Identifier: Apache-2.0
package import Analysis
package import Classifier
package import Compiler
package import Net
package import Policy
package import Telemetry

/// What an appliance judges by: a set, and everything that its configuration says beside it.
public struct Surroundings: Sendable {
    /// Policies, workloads, namespaces and zones.
    package var set: PolicySet
    /// Which zone is behind which port, tags and tunnel.
    package var zones: [ZonePlacement]
    /// Services that no policy can close.
    package var failsafe: Failsafe
    /// What becomes of the protocols by which a network runs itself.
    package var links: LinkTable
    /// How connections are followed: time-outs, modes, limits.
    package var flows: FlowSettings
    /// The number of the generation that is compiled of all this.
    package var generation: UInt32
    /// Whether connections are under way that the tables do not hold, so that their segments may be picked up.
    package var isInGrace = false
    /// Names of the ports of each pair, in their order; none where no configuration names any.
    package var ports: [[String]]

    /// A set with what a configuration says of zones, layer 2 and connections.
    package init(
        set: PolicySet, zones: [ZonePlacement] = [], failsafe: Failsafe = Failsafe(), links: LinkTable = LinkTable(),
        flows: FlowSettings = FlowSettings(), generation: UInt32 = 1, ports: [[String]] = []
    ) {
        self.set = set
        self.zones = zones
        self.failsafe = failsafe
        self.links = links
        self.flows = flows
        self.generation = generation
        self.ports = ports
    }

    /// The same under what a worker says of any connection.
    package func under(_ terms: TraceReport.Terms) -> Surroundings {
        var under = self
        under.flows.pickUp = FlowSettings.PickUp.allCases.first { "\($0)" == terms.pickUp }?.rawValue ?? flows.pickUp
        under.flows.windows = FlowSettings.Windows.allCases.first { "\($0)" == terms.windows }?.rawValue ?? flows.windows
        under.flows.isAsymmetric = terms.isAsymmetric ? 1 : 0
        under.flows.verifiesChecksums = terms.verifiesChecksums ? 1 : 0
        under.isInGrace = terms.grace > 0
        return under
    }

    /// The set compiled and loaded as workers load it, with zones at some places beside.
    package func view(beside places: [ZonePlacement] = []) throws(CompileError) -> PolicyView {
        try PolicyView(
            set: set, zones: zones, beside: places, links: links, flows: flows, failsafe: failsafe, generation: generation)
    }

    /// The port of a name.
    package func port(named name: String) throws(TraceError) -> Hypothesis.Port {
        for (pair, names) in ports.enumerated() {
            if let port = names.firstIndex(of: name) { return .init(pair: UInt8(pair), port: UInt8(port)) }
        }
        let known = ports.joined().joined(separator: ", ")
        throw TraceError(
            known.isEmpty
                ? "no configuration names ports: name one with --config" : "there is no port \"\(name)\"; there are \(known)")
    }

    /// The name of a port; its numbers where it has none.
    package func name(of port: Hypothesis.Port) -> String {
        guard Int(port.pair) < ports.count, Int(port.port) < ports[Int(port.pair)].count else {
            return "port \(port.port)"
        }
        return ports[Int(port.pair)][Int(port.port)]
    }
}
