// SPDX-License-Identifier: Apache-2.0

/// Where a port is plugged in: PCI, IOMMU, NUMA, interrupts.
extension Ground {
    /// Findings about the place of a device.
    func slotFindings(_ port: PortFacts) -> [Finding] {
        guard let slot = port.slot else { return nodeFindings(port) }
        let name = port.name
        var findings = nodeFindings(port)
        if slot.width > 0, slot.width < slot.mostWidth {
            findings.append(
                Finding(
                    .pciNarrow, .warning, port: name,
                    what: "its slot (\(slot.address)) gives \(slot.width) of \(slot.mostWidth) lanes",
                    why: "frames wait for the bus before they wait for the wire", remedy: .advice("plug it into a wider slot")))
        }
        if slot.speed > 0, slot.speed < slot.mostSpeed {
            findings.append(
                Finding(
                    .pciSlow, .warning, port: name,
                    what: "its slot (\(slot.address)) runs at \(slot.speed) of \(slot.mostSpeed) GT/s",
                    why: "frames wait for the bus before they wait for the wire",
                    remedy: .advice(
                        "plug it into a faster slot, or look for a speed limit or power saving in the firmware's set-up")))
        }
        if let domain = slot.domain, domain.hasPrefix("DMA") {
            findings.append(
                Finding(
                    .iommuTranslates, .warning, port: name, what: "an IOMMU translates its memory accesses (\(domain))",
                    why: "each frame costs look-ups, and copies the more; devices of a trusted machine need none",
                    remedy: .advice("boot with iommu=pt on the kernel's command line")))
        }
        return findings + interruptFindings(port, slot)
    }

    /// The CPUs of a node, or all that are allowed.
    private func cpus(near port: PortFacts) -> [Int] {
        machine.nodes[Int(port.interface.numaNode)] ?? machine.allowedCPUs
    }

    private func nodeFindings(_ port: PortFacts) -> [Finding] {
        let node = Int(port.interface.numaNode)
        let workers = machine.allowedCPUs.prefix(Int(port.interface.receiveQueues))
        guard node >= 0, machine.nodes.count > 1, let near = machine.nodes[node], !workers.allSatisfy(near.contains) else {
            return []
        }
        return [
            Finding(
                .farCPUs, .warning, port: port.name,
                what: "it is on NUMA node \(node), and its workers would run on CPUs \(Surroundings.list(Array(workers)))",
                why: "every frame crosses between the nodes",
                remedy: .advice("start it by `taskset -c \(Surroundings.list(near))`, or with CPUAffinity= in the unit"))
        ]
    }

    /// Several queues whose interrupts all go to one CPU.
    private func interruptFindings(_ port: PortFacts, _ slot: PortFacts.Slot) -> [Finding] {
        let places = Set(slot.interrupts.values)
        let near = cpus(near: port)
        guard port.interface.receiveQueues > 1, slot.interrupts.count >= 2, places.count == 1, let one = places.first,
            one.count == 1, near.count > 1
        else { return [] }
        let numbers = slot.interrupts.keys.sorted().map { String($0) }.joined(separator: " ")
        return [
            Finding(
                .interruptsTogether, .warning, port: port.name,
                what: "all its interrupts (\(slot.interrupts.count)) go to CPU \(one[0])",
                why: "one CPU takes in the frames of \(port.interface.receiveQueues) queues",
                remedy: .command(
                    "for i in \(numbers); do echo \(Surroundings.list(near)) > /proc/irq/$i/smp_affinity_list; done"))
        ]
    }
}
