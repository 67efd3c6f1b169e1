// SPDX-License-Identifier: Apache-2.0

/// What two ports have to have in common.
extension Ground {
    /// Findings about both ports together; none unless there are two.
    func pairFindings() -> [Finding] {
        guard ports.count == 2 else { return [] }
        let (first, second) = (ports[0].interface, ports[1].interface)
        if first.index == second.index {
            return [
                Finding(
                    .samePort, .error, port: first.name, what: "it is both ports of the pair", why: "a wire has two ends",
                    remedy: .advice("name another port in the pair's `ports`; `ip -brief link show` lists them"))
            ]
        }
        var findings: [Finding] = []
        if first.mtu != second.mtu {
            let larger = first.mtu > second.mtu ? first : second
            findings.append(
                Finding(
                    .mtuDiffers, .warning, port: larger.name,
                    what: "its MTU is \(larger.mtu), the other port's \(min(first.mtu, second.mtu))",
                    why: "frames that it takes in may not fit through the other port, and nobody tells the sender",
                    remedy: .command("ip link set dev \(larger.name) mtu \(min(first.mtu, second.mtu))")))
        }
        if first.receiveQueues != second.receiveQueues {
            let wider = first.receiveQueues > second.receiveQueues ? ports[0] : ports[1]
            let count = min(first.receiveQueues, second.receiveQueues)
            findings.append(
                Finding(
                    .queuesDiffer, .error, port: wider.name,
                    what: "it has \(wider.interface.receiveQueues) receive queues, the other port \(count)",
                    why: "a worker owns the same queue of both ports, and frames of the others would never be judged",
                    remedy: .command(setQueues(wider, count))))
        }
        if first.numaNode >= 0, second.numaNode >= 0, first.numaNode != second.numaNode {
            findings.append(
                Finding(
                    .nodesDiffer, .warning, port: second.name,
                    what: "it is on NUMA node \(second.numaNode), \(first.name) on node \(first.numaNode)",
                    why: "every frame crosses between the nodes", remedy: .advice("plug both into slots of one node")))
        }
        return findings + spreadingFindings()
    }

    /// The command that sets a port's queues.
    func setQueues(_ port: PortFacts, _ count: UInt32) -> String {
        let isCombined = (port.channels?.mostCombined ?? 1) > 0 && !port.isVeth
        return "ethtool -L \(port.name) " + (isCombined ? "combined \(count)" : "rx \(count) tx \(count)")
    }

    /// How frames are spread over several queues.
    private func spreadingFindings() -> [Finding] {
        let count = ports[0].interface.receiveQueues
        guard count > 1, ports[1].interface.receiveQueues == count else { return [] }
        var findings: [Finding] = []
        if let one = ports[0].spreading, let other = ports[1].spreading {
            let name = ports[1].name
            var commands: [String] = []
            if one.tableSize != other.tableSize || one.tablePrint != other.tablePrint {
                commands += ports.map { "ethtool -X \($0.name) equal \(count)" }
            }
            if one.key != other.key, one.key.count == other.key.count, !one.key.isEmpty {
                commands.append("ethtool -X \(name) hkey \(Self.text(one.key))")
            }
            if !commands.isEmpty {
                findings.append(
                    Finding(
                        .spreadingDiffers, .warning, port: name,
                        what: "it spreads frames over its queues otherwise than \(ports[0].name)",
                        why: "the two directions of a flow load other workers",
                        remedy: .command(commands.joined(separator: " && "))))
            }
        }
        if !ports.allSatisfy({ $0.spreading?.isSymmetric == true }) {
            findings.append(
                Finding(
                    .spreadingAsymmetric, .note, port: ports[0].name,
                    what: "the two directions of a flow may come in by different queues",
                    why: "a hash names each flow's worker, and frames that come in elsewhere are handed over to it",
                    remedy: .advice(
                        "symmetric hashing (ethtool -X PORT xfrm symmetric-xor, Linux 6.8, ice and iavf) or one queue avoids it"))
            )
        }
        return findings
    }

    private static func text(_ key: [UInt8]) -> String {
        key.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}
