// SPDX-License-Identifier: Apache-2.0
import Glibc
internal import Net

/// Offloads that change what passes. On a veth they are settings of the *far* end, whose stack believes that hardware follows.
extension Ground {
    /// The largest MTU at the far end of a veth that takes a native program: a page less XDP's headroom (256), the kernel's
    /// `skb_shared_info` (320) and the Ethernet header (veth_xdp_set in drivers/net/veth.c).
    static let largestFarMTU = UInt32(getpagesize()) - 256 - 320 - 14

    /// The port's own.
    func offloadFindings(_ port: PortFacts) -> [Finding] {
        let name = port.name
        var findings: [Finding] = []
        if port.offloads[.largeReceive] == true {
            findings.append(
                Finding(
                    .largeReceive, .warning, port: name, what: "the device joins received segments (LRO)",
                    why: "drivers refuse XDP beside it, or deliver frames larger than the packet memory's",
                    remedy: .command("ethtool -K \(name) lro off")))
        }
        // virtio switches it off by itself when XDP comes, and shows it as fixed.
        if port.hardwareGRO == true, port.interface.driver != "virtio_net" {
            findings.append(
                Finding(
                    .hardwareGRO, .warning, port: name, what: "the device joins received segments (GRO in hardware)",
                    why: "frames reach AF_XDP larger than they were sent, or damaged",
                    remedy: .command("ethtool -K \(name) rx-gro-hw off")))
        }
        // A veth takes no tag out by itself, whatever the setting says.
        if !port.isVeth, port.offloads[.receiveVLAN] == true {
            findings.append(
                Finding(
                    .receiveVLAN, .warning, port: name, what: "the device takes VLAN tags out of received frames",
                    why: "policy would see them untagged, and they would leave so",
                    remedy: .command("ethtool -K \(name) rxvlan off")))
        }
        return findings
    }

    /// Those of the far end of a veth.
    func farEndFindings(_ port: PortFacts, _ end: FarEnd) -> [Finding] {
        let name = end.name ?? "<the far end>"
        var findings: [Finding] = []
        if !demands.generic, let queues = end.transmitQueues, queues > port.interface.receiveQueues {
            findings.append(
                Finding(
                    .farEndQueues, .error, port: port.name,
                    what: "its far end, \(name), sends by \(queues) queues, more than it receives by",
                    why: "the kernel refuses native XDP then",
                    remedy: end.remedy("ethtool -L \(name) tx \(port.interface.receiveQueues)")))
        }
        if !demands.generic, let mtu = end.mtu, mtu > Self.largestFarMTU {
            findings.append(
                Finding(
                    .farEndMTU, .error, port: port.name, what: "the MTU of its far end, \(name), is \(mtu)",
                    why: "the kernel refuses native XDP above \(Self.largestFarMTU)",
                    remedy: end.remedy("ip link set dev \(name) mtu \(min(Self.largestFarMTU, port.interface.mtu))")))
        }
        guard let offloads = end.offloads else { return findings + [hidden(port, end, name)] }
        return findings
            + needs.compactMap { need in
                guard offloads[need.offload] == !need.on else { return nil }
                let word = need.offload.ethtoolName
                return Finding(
                    need.code, need.severity, port: port.name,
                    what: "\(word) is \(need.on ? "off" : "on") at its far end, \(name)", why: need.why,
                    remedy: end.remedy("ethtool -K \(name) \(word) \(need.on ? "on" : "off")"))
            }
    }

    /// A far end in a namespace that has no name.
    private func hidden(_ port: PortFacts, _ end: FarEnd, _ name: String) -> Finding {
        // What the port can be redirected to says whether the far end runs NAPI, wherever that is.
        let passes = demands.fail != .open || port.abilities?.target == true
        let napi = passes ? "" : ", and without GRO nothing arrives there in open or bypass"
        return Finding(
            .farEndHidden, .warning, port: port.name, what: "the offloads of its far end, \(name), cannot be seen from here",
            why: "with TX checksums left to the device TCP and UDP die at the receiver in open or bypass\(napi)",
            remedy: end.remedy("ethtool -K \(name) tx off gro on"))
    }

    private struct Need {
        let code: Finding.Code
        let offload: Offload
        let on: Bool
        let severity: Finding.Severity
        let why: String
    }

    /// What the far end of a veth must have for this pair.
    private var needs: [Need] {
        var needs = [
            Need(
                code: .farEndChecksum, offload: .transmitChecksum, on: false, severity: demands.fail == .open ? .warning : .note,
                why:
                    "its stack leaves checksums half made; workers complete them unless `checksums` says otherwise, but in open or "
                    + "bypass TCP and UDP die at the receiver while ping works")
        ]
        if demands.fail == .open {
            needs.append(
                Need(
                    code: .farEndGRO, offload: .genericReceive, on: true, severity: .warning,
                    why: "a veth takes redirected frames only with NAPI: in open or bypass nothing would arrive"))
        }
        if demands.generic {
            // Native XDP switches it off at the far end by itself.
            needs.append(
                Need(
                    code: .farEndSegmentation, offload: .segmentation, on: false, severity: .warning,
                    why: "TCP hands over segments that are larger than the packet memory's frames"))
        }
        if demands.tagged {
            needs.append(
                Need(
                    code: .farEndVLAN, offload: .transmitVLAN, on: false, severity: .warning,
                    why: "the tag travels beside the frame, where neither XDP nor policy sees it"))
        }
        return needs
    }
}
