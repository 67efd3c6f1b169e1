// SPDX-License-Identifier: Apache-2.0

/// The checks before a pair starts: whether its ports can carry what it promises. One list for the start of the daemon and for
/// `bulkhead doctor`, from facts that were gathered before: nothing is looked at here and nothing is changed, and each finding names
/// the command that would.
public struct Ground: Sendable {
    /// The pair's two ports; or ports that are looked at each by itself, when they are fewer or more.
    public let ports: [PortFacts]
    /// What the pair asks for.
    public let demands: Demands
    /// The machine's kernel and places, which some findings depend on.
    public let machine: MachineFacts

    /// The ground of one pair.
    public init(ports: [PortFacts], demands: Demands = Demands(), machine: MachineFacts = MachineFacts()) {
        self.ports = ports
        self.demands = demands
        self.machine = machine
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

    /// Everything there is to say about the pair and its ports, in the order of the ports.
    public func findings() -> [Finding] {
        var findings = pairFindings()
        for port in ports {
            let kind = kindFindings(port)
            findings += kind
            // What is no port of a wire has nothing to be mended.
            if kind.contains(where: { $0.code == .kindRefused }) { continue }
            findings += settingFindings(port) + queueFindings(port) + offloadFindings(port)
            if let end = port.farEnd { findings += farEndFindings(port, end) }
            findings += hostFindings(port) + driverFindings(port) + slotFindings(port)
        }
        return findings
    }
}

extension Finding {
    /// A finding about a port of a missing name.
    public static func missing(_ error: LinkError, port: String) -> Finding {
        Finding(
            .portMissing, .error, port: port, what: "it cannot be looked at", why: "\(error)",
            remedy: .command("ip -brief link show"))
    }
}
