// SPDX-License-Identifier: Apache-2.0
internal import CXDP
public import Net

/// The checks before a pair starts: whether its ports can carry what it promises. Nothing is changed here; each finding names the
/// command that would.
public struct Ground: Sendable {
    /// The pair's two ports.
    public let ports: [Interface]
    /// The queues of each port that get a socket: 0 up to this number, less one.
    public let queues: UInt32
    /// What the pair declares for the time without a worker.
    public let fail: FailMode
    /// Whether the pair asked for generic XDP.
    public let generic: Bool
    /// Whether its frames carry VLAN tags.
    public let tagged: Bool

    /// The ground of one pair, ports as they are now.
    public init(ports: [Interface], queues: UInt32, fail: FailMode, generic: Bool = false, tagged: Bool = false) {
        self.ports = ports
        self.queues = queues
        self.fail = fail
        self.generic = generic
        self.tagged = tagged
    }

    /// What a frame has beside its MTU, as the kernel counts when it checks a UMEM: Ethernet header, two VLAN tags and the FCS.
    static let frameOverhead: UInt32 = 26
    /// What the kernel keeps free at the start of each frame (XDP_PACKET_HEADROOM).
    static let kernelHeadroom: UInt32 = 256

    /// The largest MTU whose frames fit into UMEM frames of this size.
    public static func largestMTU(frameSize: UInt32, headroom: UInt32 = 0) -> UInt32 {
        frameSize - kernelHeadroom - headroom - frameOverhead
    }

    /// The UMEM frame size for this MTU: 2048, 4096, or nil when its frames fit neither (a frame is at most a page).
    public static func frameSize(forMTU mtu: UInt32, headroom: UInt32 = 0) -> UInt32? {
        [2048, 4096].first { mtu <= largestMTU(frameSize: $0, headroom: headroom) }
    }

    /// Everything there is to say, in the order of the ports.
    public func findings() -> [Finding] {
        var findings = pairFindings()
        for port in ports {
            findings += kindFindings(port) + sizeFindings(port) + queueFindings(port) + offloadFindings(port)
            if let end = FarEnd(of: port) { findings += farEndFindings(port, end) }
        }
        return findings
    }

    private func pairFindings() -> [Finding] {
        guard ports.count == 2 else { return [] }
        let (first, second) = (ports[0], ports[1])
        var findings: [Finding] = []
        if first.index == second.index {
            findings.append(
                Finding(
                    severity: .refuse, port: first.name, what: "it is both ports of the pair", why: "a wire has two ends",
                    remedy: "ip link show"))
        }
        if first.mtu != second.mtu {
            let larger = first.mtu > second.mtu ? first : second
            findings.append(
                Finding(
                    severity: .warn, port: larger.name, what: "its MTU is larger than the other port's",
                    why: "frames that it takes in may not fit through the other port",
                    remedy: "ip link set dev \(larger.name) mtu \(min(first.mtu, second.mtu))"))
        }
        if first.numaNode >= 0, second.numaNode >= 0, first.numaNode != second.numaNode {
            findings.append(
                Finding(
                    severity: .warn, port: second.name,
                    what: "it is on NUMA node \(second.numaNode) and \(first.name) on node \(first.numaNode)",
                    why: "every frame crosses between the nodes", remedy: "lspci -vv | grep -i numa"))
        }
        return findings
    }

    private func kindFindings(_ port: Interface) -> [Finding] {
        var findings: [Finding] = []
        if ["bond", "team", "bridge", "vlan", "macvlan", "ipvlan"].contains(port.kind) {
            findings.append(
                Finding(
                    severity: .refuse, port: port.name, what: "it is a \(port.kind)",
                    why: "frames arrive at the devices below it, where AF_XDP must be bound", remedy: "ip -d link show"))
        }
        if port.master != 0 {
            findings.append(
                Finding(
                    severity: .warn, port: port.name, what: "it belongs to a bridge or bond",
                    why: "Bulkhead takes its frames before that sees them", remedy: "ip link set dev \(port.name) nomaster"))
        }
        if !port.isUp || !port.isRunning {
            findings.append(
                Finding(
                    severity: .warn, port: port.name, what: port.isUp ? "it has no carrier" : "it is down",
                    why: "the pair's other port is kept down with it", remedy: "ip link set dev \(port.name) up"))
        }
        return findings
    }

    private func sizeFindings(_ port: Interface) -> [Finding] {
        guard Self.frameSize(forMTU: port.mtu) == nil else { return [] }
        return [
            Finding(
                severity: .refuse, port: port.name, what: "frames of MTU \(port.mtu) do not fit into 4096 bytes of packet memory",
                why: "the kernel would drop the long ones without a word",
                remedy: "ip link set dev \(port.name) mtu \(Self.largestMTU(frameSize: 4096))")
        ]
    }

    private func queueFindings(_ port: Interface) -> [Finding] {
        let counts = port.driver == "veth" ? "rx \(queues) tx \(queues)" : "combined \(queues)"
        let remedy = "ethtool -L \(port.name) \(counts)"
        if port.receiveQueues > queues {
            return [
                Finding(
                    severity: .refuse, port: port.name, what: "it has \(port.receiveQueues) receive queues for \(queues) sockets",
                    why: "frames of the others would go the fail mode's way for ever", remedy: remedy)
            ]
        }
        guard port.receiveQueues < queues || port.transmitQueues < queues else { return [] }
        return [
            Finding(
                severity: .refuse, port: port.name,
                what: "it has \(port.receiveQueues) receive and \(port.transmitQueues) transmit queues for \(queues) sockets",
                why: "a worker owns the same queue of both ports", remedy: remedy)
        ]
    }
}
