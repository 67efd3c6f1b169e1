// SPDX-License-Identifier: Apache-2.0
import TestSupport

/// Small random clusters over few names, so that selectors, blocks and ports meet, and their text as JSON lines of Kubernetes objects.
struct RandomClusters {
    var random: PacketRandom

    init(seed: UInt64) { random = PacketRandom(seed: seed) }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    private mutating func pick<T>(_ items: [T]) -> T { items[Int.random(in: 0..<items.count, using: &random)] }
    private mutating func some<T>(_ most: Int, _ make: (inout RandomClusters) -> T) -> [T] {
        let count = Int.random(in: 0...most, using: &random)
        return (0..<count).map { _ in make(&self) }
    }

    private mutating func labels() -> [String: String] {
        var labels: [String: String] = [:]
        for key in ["app", "env", "x.io/t"] where chance(50) { labels[key] = pick(["a", "b", ""]) }
        return labels
    }

    private mutating func selector() -> SmallCluster.Selector {
        var selector = SmallCluster.Selector()
        if chance(40) { selector.labels[pick(["app", "env"])] = pick(["a", "b"]) }
        while chance(35) {
            let sign = pick(["In", "NotIn", "Exists", "DoesNotExist"])
            let values = sign.hasSuffix("In") ? [pick(["a", "b", ""]), pick(["a", "c"])] : []
            selector.expressions.append((pick(["app", "env", "x.io/t"]), sign, values))
        }
        return selector
    }

    private mutating func namespaceSelector() -> SmallCluster.Selector {
        chance(40) ? SmallCluster.Selector(labels: ["kubernetes.io/metadata.name": pick(["n", "m", "o"])]) : selector()
    }

    private mutating func block() -> SmallCluster.Peer {
        let length = pick([0, 8, 16, 24, 28, 31, 32])
        let address = self.address()
        let masked = SmallCluster.cut(address, to: length)
        // Bits behind the length may be set: they are cut off.
        let block = SmallCluster.Block(address: chance(20) ? address : masked, length: length)
        guard length < 32 else { return .block(block, except: []) }
        let except = some(2) { clusters in
            let inner = Int.random(in: (length + 1)...32, using: &clusters.random)
            let free: UInt32 = length == 0 ? .max : (1 << UInt32(32 - length)) - 1
            let address = masked | (clusters.address() & free)
            return SmallCluster.Block(address: SmallCluster.cut(address, to: inner), length: inner)
        }
        return .block(block, except: except)
    }

    private mutating func peer() -> SmallCluster.Peer {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: .pods(selector())
        case 1: .namespaces(namespaceSelector())
        case 2: .both(namespaces: namespaceSelector(), pods: selector())
        default: block()
        }
    }

    private mutating func port() -> SmallCluster.Port {
        var port = SmallCluster.Port()
        if chance(60) { port.carrier = pick(["TCP", "UDP", "SCTP"]) }
        if chance(30) {
            port.name = pick(["web", "dns", "9p"])
        } else if chance(80) {
            port.number = pick([53, 80, 4789])
            if chance(30) { port.end = pick([80, 443, 65_535].filter { $0 >= port.number ?? 0 }) }
            if let end = port.end, let number = port.number, end < number { port.end = nil }
        }
        return port
    }

    private mutating func rule() -> SmallCluster.Rule {
        SmallCluster.Rule(
            peers: chance(25) ? nil : some(3) { $0.peer() }, ports: chance(40) ? nil : some(3) { $0.port() })
    }

    private mutating func policy() -> SmallCluster.Policy {
        SmallCluster.Policy(
            namespace: pick(["n", "n", "m"]), selector: selector(),
            types: pick([nil, nil, [], ["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
            ingress: chance(30) ? nil : some(3) { $0.rule() }, egress: chance(40) ? nil : some(3) { $0.rule() })
    }

    private mutating func pod(_ number: Int) -> SmallCluster.Pod {
        var pod = SmallCluster.Pod(
            name: "p\(number)", namespace: pick(["n", "n", "m"]), labels: labels(),
            address: 0x0a00_0000 | (UInt32(number % 2) << 8) | UInt32(number), ports: [])
        for name in ["web", "dns", "9p"] where chance(60) {
            pod.ports.append((name, pick(["TCP", "TCP", "UDP", "SCTP"]), pick([53, 80, 4789])))
        }
        if chance(15) {
            pod.hasAddress = false
            pod.extra = pick(["host", "Succeeded", "Failed"])
        }
        return pod
    }

    /// A cluster.
    mutating func next() -> SmallCluster {
        var cluster = SmallCluster(namespaces: [:], pods: [], policies: [])
        for name in ["n", "m"] { cluster.namespaces[name] = labels() }
        for number in 1...6 { cluster.pods.append(pod(number)) }
        cluster.policies = some(5) { $0.policy() }
        return cluster
    }

    /// An address, often a pod's.
    mutating func address() -> UInt32 {
        if chance(70) {
            return 0x0a00_0000 | (UInt32.random(in: 0...1, using: &random) << 8) | UInt32.random(in: 1...6, using: &random)
        }
        return pick([0x0a00_01ff, 0x0b00_0001, 0xc000_0201])
    }

    /// A connection, often to what a pod has a name for.
    mutating func connection(in cluster: SmallCluster) -> SmallCluster.Connection {
        let carrier = pick(["TCP", "TCP", "TCP", "UDP", "SCTP", "icmp", "47"])
        var connection = SmallCluster.Connection(
            source: address(), destination: address(), carrier: carrier, port: pick([53, 79, 80, 81, 443, 4789, 65_535]))
        let pod = pick(cluster.pods)
        if chance(40), !pod.ports.isEmpty {
            let port = pick(pod.ports)
            (connection.destination, connection.carrier, connection.port) = (pod.address, port.carrier, port.number)
        }
        return connection
    }
}

extension SmallCluster {
    /// An address without the bits behind a length.
    static func cut(_ address: UInt32, to length: Int) -> UInt32 {
        let free = UInt32(32 - length)
        return (address >> free) << free
    }
}
