// SPDX-License-Identifier: Apache-2.0
internal import Net

/// Offloads that change what passes. On a veth they are settings of the *far* end, whose stack believes that hardware follows.
extension Ground {
    /// The port's own.
    func offloadFindings(_ port: Interface) -> [Finding] {
        var findings: [Finding] = []
        if port.offload(.largeReceive) == true {
            findings.append(
                Finding(
                    severity: .warn, port: port.name, what: "the device joins received segments",
                    why: "drivers refuse XDP beside it, or deliver frames larger than the packet memory's",
                    remedy: "ethtool -K \(port.name) lro off"))
        }
        // A veth takes no tag out by itself, whatever the setting says.
        if port.driver != "veth", port.offload(.receiveVLAN) == true {
            findings.append(
                Finding(
                    severity: .warn, port: port.name, what: "the device takes VLAN tags out of received frames",
                    why: "policy would see them untagged, and they would leave so", remedy: "ethtool -K \(port.name) rxvlan off"))
        }
        return findings
    }

    /// Those of the far end of a veth.
    func farEndFindings(_ port: Interface, _ end: FarEnd) -> [Finding] {
        let name = end.name ?? "<the far end>"
        guard let offloads = end.offloads else {
            let napi = fail == .open ? ", and without GRO nothing arrives there in open or bypass" : ""
            return [
                Finding(
                    severity: .warn, port: port.name, what: "the offloads of its far end, \(name), cannot be seen from here",
                    why: "with TX checksums left to the device TCP and UDP die at the receiver while ping works\(napi)",
                    remedy: "\(end.commandPrefix)ethtool -K \(name) tx off gro on")
            ]
        }
        return needs.compactMap { need in
            guard offloads[need.offload] == !need.on else { return nil }
            return Finding(
                severity: .warn, port: port.name,
                what: "\(need.offload.ethtoolName) is \(need.on ? "off" : "on") at its far end, \(name)", why: need.why,
                remedy: "\(end.commandPrefix)ethtool -K \(name) \(need.offload.ethtoolName) \(need.on ? "on" : "off")")
        }
    }

    /// What the far end of a veth must have for this pair.
    private var needs: [(offload: Offload, on: Bool, why: String)] {
        var needs: [(offload: Offload, on: Bool, why: String)] = [
            (
                .transmitChecksum, false,
                "its stack leaves checksums half made, so TCP and UDP die at the receiver while ping works"
            )
        ]
        if fail == .open {
            needs.append(
                (.genericReceive, true, "a veth takes redirected frames only with NAPI: in open or bypass nothing would arrive"))
        }
        if generic {
            // Native XDP switches it off at the far end by itself.
            needs.append((.segmentation, false, "TCP hands over segments that are larger than the packet memory's frames"))
        }
        if tagged {
            needs.append((.transmitVLAN, false, "the tag travels beside the frame, where neither XDP nor policy sees it"))
        }
        return needs
    }
}
