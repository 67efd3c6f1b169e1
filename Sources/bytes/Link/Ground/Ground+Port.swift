// SPDX-License-Identifier: Apache-2.0

/// What a port is, and how large it is.
extension Ground {
    /// Devices that hand on the frames of others.
    private static let masters: Set<String> = ["bond", "team", "bridge", "vlan", "macvlan", "ipvlan", "macsec"]
    /// Devices by which nothing comes in from a wire.
    private static let blind: Set<String> = ["dummy", "ifb", "nlmon"]

    /// Findings about what kind of device it is.
    func kindFindings(_ port: PortFacts) -> [Finding] {
        let (name, interface) = (port.name, port.interface)
        var findings: [Finding] = []
        if Self.masters.contains(interface.kind) {
            findings.append(
                Finding(
                    .kindRefused, .error, port: name, what: "it is a \(interface.kind)",
                    why: "frames arrive at the devices below it, where AF_XDP must be bound",
                    remedy: .advice("name those in the pair's `ports`; `ip -d link show \(name)` tells them")))
        } else if Self.blind.contains(interface.kind) || interface.isLoopback {
            findings.append(
                Finding(
                    .kindRefused, .error, port: name,
                    what: "it is \(interface.isLoopback ? "the loopback" : "a \(interface.kind)")",
                    why: "no wire ends there", remedy: .advice("name a network port in the pair's `ports`")))
        }
        return findings
    }

    /// Findings about how it is set, and what sits on it.
    func settingFindings(_ port: PortFacts) -> [Finding] {
        let (name, interface) = (port.name, port.interface)
        var findings: [Finding] = []
        if interface.master != 0 {
            findings.append(
                Finding(
                    .memberOfMaster, .warning, port: name, what: "it belongs to a bridge or bond",
                    why: "Bulkhead takes its frames before that sees them", remedy: .command("ip link set dev \(name) nomaster")))
        }
        if !interface.isUp {
            findings.append(
                Finding(
                    .linkDown, .warning, port: name, what: "it is down", why: "the pair's other port is kept down with it",
                    remedy: .command("ip link set dev \(name) up")))
        } else if !interface.isRunning {
            findings.append(
                Finding(
                    .linkDown, .warning, port: name, what: "it has no carrier", why: "the pair's other port is kept down with it",
                    remedy: carrier(port)))
        }
        if !interface.isPromiscuous {
            findings.append(
                Finding(
                    .notPromiscuous, .note, port: name, what: "it takes only frames that are addressed to it",
                    why: "a port in the middle of a wire takes all; the start sets it, and the stop puts it back",
                    remedy: .command("ip link set dev \(name) promisc on")))
        }
        if interface.xdpProgram != 0, !port.isOurProgram {
            findings.append(
                Finding(
                    .foreignProgram, .error, port: name,
                    what: "an XDP program of somebody else (id \(interface.xdpProgram)) is on it",
                    why: "only one can be", remedy: .command("ip link set dev \(name) xdp\(xdpWord(interface.xdp)) off")))
        }
        return findings + sizeFindings(port)
    }

    /// The far end of a veth can be set up; a cable cannot.
    private func carrier(_ port: PortFacts) -> Finding.Remedy {
        guard let end = port.farEnd, let name = end.name else {
            return .advice("plug the cable in, or look at the neighbour")
        }
        return end.remedy("ip link set dev \(name) up")
    }

    /// What iproute2 calls the mode of a program.
    private func xdpWord(_ mode: XDPMode?) -> String {
        switch mode {
        case .generic: "generic"
        case .offloaded: "offload"
        default: ""
        }
    }

    private func sizeFindings(_ port: PortFacts) -> [Finding] {
        let mtu = port.interface.mtu
        guard Self.frameSize(forMTU: mtu) == nil else { return [] }
        let fitting = ports.reduce(Self.largestMTU(frameSize: 4096)) { min($0, $1.interface.mtu) }
        return [
            Finding(
                .mtuTooLarge, .error, port: port.name, what: "frames of MTU \(mtu) do not fit into 4096 bytes of packet memory",
                why: "the kernel would drop the long ones without a word",
                remedy: .command("ip link set dev \(port.name) mtu \(fitting)"))
        ]
    }

    /// Findings about its own number of queues.
    func queueFindings(_ port: PortFacts) -> [Finding] {
        let (receive, transmit) = (port.interface.receiveQueues, port.interface.transmitQueues)
        if receive > demands.queues {
            return [
                Finding(
                    .queuesRefused, .error, port: port.name, what: "it has \(receive) receive queues",
                    why: "\(demands.queues) of a port can be served",
                    remedy: .command(setQueues(port, demands.queues)))
            ]
        }
        guard transmit < receive else { return [] }
        return [
            Finding(
                .queuesRefused, .error, port: port.name, what: "it has \(receive) receive and \(transmit) transmit queues",
                why: "a worker sends by the queue that it receives from", remedy: .command(setQueues(port, transmit)))
        ]
    }
}
