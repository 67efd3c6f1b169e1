// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// Looking at a port. Nothing is changed.
extension PortFacts {
    /// Looks at the port of this name in the calling thread's network namespace.
    public static func survey(
        _ name: String, _ surroundings: Surroundings = Surroundings(), pins: BPFFileSystem? = nil
    ) throws(LinkError) -> PortFacts {
        var facts = PortFacts(try Interface(named: name))
        for offload in Offload.allCases { facts.offloads[offload] = facts.interface.offload(offload) }
        let joins = unsafe cxdp_interface_feature(name, "rx-gro-hw")
        facts.hardwareGRO = joins < 0 ? nil : joins == 1
        facts.surveyDriver()
        facts.isOurProgram = facts.isOurs(pins)
        facts.host = Host(of: name, surroundings)
        facts.deferral = Deferral(of: facts.interface, surroundings)
        facts.slot = Slot(at: facts.interface.busAddress, surroundings)
        facts.farEnd = FarEnd(of: facts.interface)
        return facts
    }

    private mutating func surveyDriver() {
        var version = [CChar](repeating: 0, count: 32)
        var firmware = version
        if unsafe cxdp_interface_versions(name, &version, &firmware) == 0 { driverVersion = text(version) }
        var counts = cxdp_channels()
        if unsafe cxdp_interface_channel_limits(name, &counts) == 0 {
            channels = Channels(
                combined: counts.combined, mostCombined: counts.max_combined, mostReceive: counts.max_receive)
        }
        var (receive, transmit) = (UInt32(0), UInt32(0))
        if unsafe cxdp_interface_rings(name, &receive, &transmit) == 0 { receiveRing = receive }
        var kernel = cxdp_spreading()
        if unsafe cxdp_interface_spreading(name, &kernel) == 0 {
            let key = unsafe withUnsafeBytes(of: kernel.key) { bytes in unsafe Array(bytes.prefix(Int(kernel.key_size))) }
            spreading = Spreading(
                key: key, tableSize: kernel.table_size, tablePrint: kernel.table_print, function: kernel.function,
                transform: kernel.transform)
        }
        var (features, segments) = (UInt64(0), UInt32(0))
        if unsafe cxdp_interface_xdp_features(interface.index, &features, &segments) == 0 {
            let has = { (bit: Int) in features & UInt64(bit) != 0 }
            abilities = Abilities(
                native: has(CXDP_CAN_XDP) && has(CXDP_CAN_REDIRECT), zeroCopy: has(CXDP_CAN_ZERO_COPY),
                target: has(CXDP_CAN_BE_TARGET))
        }
    }

    /// Whether the program is the one that our pin holds there.
    private func isOurs(_ pins: BPFFileSystem?) -> Bool {
        guard interface.xdpProgram != 0,
            let pins = pins ?? (try? BPFFileSystem(root: BPFFileSystem.standardRoot)),
            let folder = try? pins.folder(ofPort: name), let link = try? pinned(at: "\(folder)/link")
        else { return false }
        var (index, program) = (UInt32(0), UInt32(0))
        return unsafe cxdp_link_info(link.number, &index, &program) == 0 && index == interface.index
            && program == interface.xdpProgram
    }
}

extension PortFacts.Host {
    /// What the host does on a port of the calling thread's namespace.
    init(of name: String, _ surroundings: Surroundings) {
        var kernel = cxdp_addresses()
        if unsafe cxdp_interface_addresses(name, &kernel) == 0 {
            addresses = Int(kernel.ipv4 + kernel.ipv6)
            linkLocal = Int(kernel.link_local)
            address = text(kernel.first)
        }
        let net = "\(surroundings.proc)/thread-self/net"
        let routes = surroundings.text("\(net)/route") ?? ""
        let routes6 = surroundings.text("\(net)/ipv6_route") ?? ""
        isDefaultRoute =
            routes.split(separator: "\n").contains { line in
                let fields = line.split(whereSeparator: \.isWhitespace)
                return fields.count > 7 && fields[0] == name && fields[1] == "00000000" && fields[7] == "00000000"
            }
            || routes6.split(separator: "\n").contains { line in
                let fields = line.split(separator: " ")
                return fields.last.map { $0 == name } == true && fields[0].allSatisfy { $0 == "0" } && fields[1] == "00"
            }
        let settings = "\(surroundings.proc)/sys/net"
        forwardsIPv4 = surroundings.number("\(settings)/ipv4/conf/\(name)/forwarding") == 1
        forwardsIPv6 = surroundings.number("\(settings)/ipv6/conf/\(name)/forwarding") == 1
        // The stricter of the two settings acts.
        let filters = ["all", name].compactMap { surroundings.number("\(settings)/ipv4/conf/\($0)/rp_filter") }
        checksSources = (filters.max() ?? 1) > 0
    }
}

extension PortFacts.Deferral {
    /// As sysfs says it. That may belong to another network namespace, where the name is another port's: address and number must be those
    /// of ours.
    init?(of interface: Interface, _ surroundings: Surroundings) {
        let folder = "\(surroundings.sys)/class/net/\(interface.name)"
        guard surroundings.number("\(folder)/ifindex") == Int(interface.index),
            surroundings.text("\(folder)/address") == "\(interface.address)",
            let interrupts = surroundings.number("\(folder)/napi_defer_hard_irqs"),
            let timeout = surroundings.number("\(folder)/gro_flush_timeout")
        else { return nil }
        self.init(interrupts: interrupts, timeout: timeout, folder: folder)
    }
}

extension PortFacts.Slot {
    /// The slot of the device at a bus address (`ethtool -i`); nil when that is none of the PCI bus.
    public init?(at address: String, _ surroundings: Surroundings = Surroundings()) {
        let folder = "\(surroundings.sys)/bus/pci/devices/\(address)"
        guard !address.isEmpty, surroundings.text("\(folder)/class") != nil else { return nil }
        self.init(address: address)
        width = surroundings.number("\(folder)/current_link_width") ?? 0
        mostWidth = surroundings.number("\(folder)/max_link_width") ?? 0
        speed = surroundings.number("\(folder)/current_link_speed") ?? 0
        mostSpeed = surroundings.number("\(folder)/max_link_speed") ?? 0
        domain = surroundings.text("\(folder)/iommu_group/type")
        for name in surroundings.names(in: "\(folder)/msi_irqs") {
            guard let number = Int(name), let list = surroundings.text("\(surroundings.proc)/irq/\(number)/smp_affinity_list")
            else { continue }
            interrupts[number] = Surroundings.list(list)
        }
    }
}
