// SPDX-License-Identifier: Apache-2.0

/// NetworkPolicy as its documentation describes it, in the plainest words: an opinion of its own, which shares nothing with the reader,
/// the model or the compiler. IPv4 alone; addresses are numbers.
struct SmallCluster {
    struct Selector {
        var labels: [String: String] = [:]
        /// (key, operator, values)
        var expressions: [(key: String, sign: String, values: [String])] = []

        func matches(_ own: [String: String]) -> Bool {
            for (key, value) in labels where own[key] != value { return false }
            for expression in expressions {
                let value = own[expression.key]
                switch expression.sign {
                case "In": if value == nil || !expression.values.contains(value ?? "") { return false }
                case "NotIn": if value != nil && expression.values.contains(value ?? "") { return false }
                case "Exists": if value == nil { return false }
                default: if value != nil { return false }
                }
            }
            return true
        }
    }

    struct Block {
        var address: UInt32
        var length: Int
        func contains(_ other: UInt32) -> Bool { length == 0 || (address ^ other) >> UInt32(32 - length) == 0 }
        var text: String { "\(dotted(address))/\(length)" }
    }

    enum Peer {
        case pods(Selector)
        case namespaces(Selector)
        case both(namespaces: Selector, pods: Selector)
        case block(Block, except: [Block])
    }

    struct Port {
        var carrier: String?
        var number: Int?
        var name: String?
        var end: Int?
    }

    struct Rule {
        /// `nil` where the list is absent.
        var peers: [Peer]?
        var ports: [Port]?
    }

    struct Policy {
        var namespace: String
        var selector: Selector
        var types: [String]?
        var ingress: [Rule]?
        var egress: [Rule]?

        var isIngress: Bool { types?.isEmpty ?? true ? true : types?.contains("Ingress") ?? true }
        var isEgress: Bool { types?.isEmpty ?? true ? !(egress ?? []).isEmpty : types?.contains("Egress") ?? false }
    }

    struct Pod {
        var name: String
        var namespace: String
        var labels: [String: String]
        var address: UInt32
        /// (name, protocol, number)
        var ports: [(name: String, carrier: String, number: Int)]
        /// Whether the address is its own: not in its host's network, not finished.
        var hasAddress = true
        var extra = ""
    }

    /// A connection for a protocol by its name in policies, or for another one by its number.
    struct Connection {
        var source: UInt32
        var destination: UInt32
        var carrier: String
        var port: Int
    }

    var namespaces: [String: [String: String]]
    var pods: [Pod]
    var policies: [Policy]

    func owner(_ address: UInt32) -> Pod? { pods.first { $0.hasAddress && $0.address == address } }

    func allows(_ connection: Connection) -> Bool? {
        let (source, destination) = (owner(connection.source), owner(connection.destination))
        // No pod has a part in it, so that no policy of this kind says anything.
        if source == nil && destination == nil { return nil }
        if connection.source == connection.destination { return true }
        var isAllowed = true
        if let pod = source {
            let selecting = policies.filter { $0.isEgress && $0.namespace == pod.namespace && $0.selector.matches(pod.labels) }
            if !selecting.isEmpty {
                isAllowed = selecting.contains { policy in
                    (policy.egress ?? []).contains { matches($0, policy, destination, connection.destination, connection) }
                }
            }
        }
        if isAllowed, let pod = destination {
            let selecting = policies.filter { $0.isIngress && $0.namespace == pod.namespace && $0.selector.matches(pod.labels) }
            if !selecting.isEmpty {
                isAllowed = selecting.contains { policy in
                    (policy.ingress ?? []).contains { matches($0, policy, source, connection.source, connection) }
                }
            }
        }
        return isAllowed
    }

    private func matches(_ rule: Rule, _ policy: Policy, _ peer: Pod?, _ address: UInt32, _ connection: Connection) -> Bool {
        let isPeer = rule.peers.map { list in list.isEmpty || list.contains { matches($0, policy, peer, address) } } ?? true
        let isPort = rule.ports.map { list in list.isEmpty || list.contains { matches($0, connection) } } ?? true
        return isPeer && isPort
    }

    private func matches(_ peer: Peer, _ policy: Policy, _ pod: Pod?, _ address: UInt32) -> Bool {
        switch peer {
        case .block(let block, let except): return block.contains(address) && !except.contains { $0.contains(address) }
        case .pods(let selector):
            guard let pod else { return false }
            return pod.namespace == policy.namespace && selector.matches(pod.labels)
        case .namespaces(let selector):
            guard let pod else { return false }
            return selector.matches(labels(ofNamespace: pod.namespace))
        case .both(let namespaces, let pods):
            guard let pod else { return false }
            return namespaces.matches(labels(ofNamespace: pod.namespace)) && pods.matches(pod.labels)
        }
    }

    private func labels(ofNamespace name: String) -> [String: String] {
        (namespaces[name] ?? [:]).merging(["kubernetes.io/metadata.name": name]) { _, new in new }
    }

    private func matches(_ port: Port, _ connection: Connection) -> Bool {
        guard connection.carrier == port.carrier ?? "TCP" else { return false }
        if let name = port.name {
            let own = owner(connection.destination)?.ports ?? []
            return own.contains { $0.name == name && $0.carrier == connection.carrier && $0.number == connection.port }
        }
        guard let number = port.number else { return true }
        return number <= connection.port && connection.port <= port.end ?? number
    }
}

/// Four numbers with dots.
func dotted(_ address: UInt32) -> String { (0..<4).map { "\(address >> UInt32(24 - 8 * $0) & 255)" }.joined(separator: ".") }
