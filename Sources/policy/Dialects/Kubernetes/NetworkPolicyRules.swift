// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy
internal import PolicyText

/// Rules, and the peers and ports in them.
extension NetworkPolicyReader {
    /// A rule, named after its direction and its place in the list. Absent, null and empty lists of peers mean every peer, of ports
    /// every service: all IP protocols, ICMP and tunnels too. A rule with ports matches no protocol without them.
    func rule(_ value: YAMLValue, _ direction: Rule.Direction, _ place: Int, number: Int) throws(PolicyError) -> Rule {
        if case .null = value.content {
            throw value.error("an \(direction) rule says nothing", remedy: "write {} for a rule that allows everything")
        }
        let fields = try value.mapping("an \(direction) rule", keys: NetworkPolicyFields.rule(direction.peersKey).names)
        var peers: [Term] = []
        for item in try fields.given(direction.peersKey)?.list(direction.peersKey) ?? [] { peers.append(try peer(item)) }
        var rule = Rule(
            number: number, action: .allow, direction: direction, peers: peers.isEmpty ? [Term()] : peers, place: value.place)
        rule.name = "\(direction)-\(place)"
        var services: [Service] = []
        for item in try fields.given("ports")?.list("ports") ?? [] { services.append(try service(item)) }
        // "Every service" names the tunnels too, which a native rule without services does not.
        rule.services = ServiceList(services.isEmpty ? [.range(.everything)] : services)
        return rule
    }

    /// A peer: pods of the policy's own namespace, all pods of namespaces, pods of namespaces, or a block of addresses, pods or not.
    private func peer(_ value: YAMLValue) throws(PolicyError) -> Term {
        if case .null = value.content { throw value.error("a peer says nothing", remedy: Self.peerRemedy) }
        let fields = try value.mapping("a peer", keys: NetworkPolicyFields.peer.names)
        let (pods, namespaces, block) = (
            fields.given("podSelector"), fields.given("namespaceSelector"), fields.given("ipBlock")
        )
        var term = Term()
        if let block {
            guard pods == nil, namespaces == nil else {
                throw PolicyError(
                    fields.place(of: "ipBlock"),
                    "a peer with ipBlock may have no \(pods == nil ? "namespaceSelector" : "podSelector")",
                    remedy: "write two peers")
            }
            (term.cidrs, term.notCIDRs) = try KubernetesBlock.read(block)
            return term
        }
        guard pods != nil || namespaces != nil else {
            throw value.error("a peer must have podSelector, namespaceSelector or ipBlock", remedy: Self.peerRemedy)
        }
        if let pods { term.selector = try LabelSelectorReader.selector(pods, "podSelector") }
        if let namespaces { term.namespaceSelector = try LabelSelectorReader.selector(namespaces, "namespaceSelector") }
        return term
    }

    private static let peerRemedy =
        "write podSelector: {} for every pod of the namespace; for every peer leave out the list"

    /// A port: a protocol with all its ports, with one or a range, or with the port that the destination gives the name.
    private func service(_ value: YAMLValue) throws(PolicyError) -> Service {
        if case .null = value.content {
            throw value.error("a port says nothing", remedy: "write {protocol: TCP} for every TCP port")
        }
        let fields = try value.mapping("a port", keys: NetworkPolicyFields.port.names)
        let carrier = try KubernetesProtocol.read(fields.given("protocol"))
        let end = fields.given("endPort")
        guard let port = fields.given("port") else {
            if let end { throw end.error("endPort needs a port", remedy: "write port and endPort") }
            return .range(ServiceRange(carrier.number, ports: 0...65_535))
        }
        if case .text(let name) = port.content {
            guard KubernetesNames.isPortName(name) else { throw KubernetesNames.portError(name, port.place) }
            if let end { throw end.error("endPort needs a port by number, not by name") }
            return .named(KubernetesNames.service(name), carrier.number)
        }
        let first = try port.integer("port", in: 1...65_535)
        let last = try end?.integer("endPort", in: 1...65_535) ?? first
        guard first <= last else {
            throw (end ?? port).error("endPort \(last) lies before port \(first)", remedy: "swap them")
        }
        return .range(ServiceRange(carrier.number, ports: UInt16(first)...UInt16(last)))
    }
}

extension KubernetesNames {
    /// Why a text names no port.
    static func portError(_ name: String, _ place: Place) -> PolicyError {
        PolicyError(
            place, "\"\(name)\" is no name of a port",
            remedy: Int(name) == nil
                ? "use lower-case letters, digits and single \"-\", 15 at most, with a letter among them"
                : "write the number without quotes")
    }
}
