// SPDX-License-Identifier: Apache-2.0
import Glibc
import Link
import Testing

/// What cannot exist on a test machine (cards, slots, drivers, other kernels) from facts that are written down: each finding once where
/// it applies, and silence where it does not.
@Suite struct RecordedGroundTests {
    /// A port that is hardware.
    private static func port(_ driver: String, _ change: (inout PortFacts) -> Void = { _ in }) -> PortFacts {
        var facts = PortFacts(Interface(recorded: "eth1", index: 7, driver: driver))
        change(&facts)
        return facts
    }

    private static func machine(_ release: String, nodes: [Int: [Int]] = [0: [0, 1, 2, 3]]) -> MachineFacts {
        var facts = MachineFacts()
        facts.release = release
        facts.nodes = nodes
        facts.allowedCPUs = nodes.values.flatMap { $0 }.sorted()
        return facts
    }

    /// A port on a kernel, and all that is to be said of it.
    struct Case: Sendable, CustomStringConvertible {
        let title: String
        let port: PortFacts
        let machine: MachineFacts
        var demands = Demands()
        let codes: [Finding.Code]
        var description: String { title }
    }

    private static let zeroCopy = PortFacts.Abilities(native: true, zeroCopy: true, target: true)

    static let cases: [Case] = [
        Case(title: "an igc on 6.12", port: port("igc"), machine: machine("6.12.1"), codes: []),
        Case(title: "an igb before its time", port: port("igb"), machine: machine("6.12.1-amd64"), codes: [.zeroCopyYounger]),
        Case(title: "an igb in its time", port: port("igb"), machine: machine("6.14.0"), codes: []),
        Case(
            title: "zero-copy demanded of a bnxt", port: port("bnxt_en"), machine: machine("6.18.0"),
            demands: Demands(copy: .zeroCopy), codes: [.noZeroCopy]),
        Case(
            title: "zero-copy demanded of a driver that nobody knows, on a kernel that does not tell", port: port("new"),
            machine: machine("6.1.0"), demands: Demands(copy: .zeroCopy), codes: []),
        Case(
            title: "zero-copy demanded of an igb before its time", port: port("igb"), machine: machine("6.1.0"),
            demands: Demands(copy: .zeroCopy), codes: [.noZeroCopy]),
        Case(
            title: "zero-copy that the driver itself offers", port: port("new") { $0.abilities = zeroCopy },
            machine: machine("6.18.0"), demands: Demands(copy: .zeroCopy), codes: []),
        Case(
            title: "a driver without XDP",
            port: port("old") { $0.abilities = .init(native: false, zeroCopy: false, target: false) },
            machine: machine("6.12.0"), codes: [.noNativeXDP]),
        Case(
            title: "a driver without XDP in a generic pair",
            port: port("old") { $0.abilities = .init(native: false, zeroCopy: false, target: false) },
            machine: machine("6.12.0"), demands: Demands(generic: true), codes: []),
        Case(title: "ice on 6.1.94", port: port("ice"), machine: machine("6.1.94"), codes: [.carrierBlinks]),
        Case(title: "ice on 6.1.95", port: port("ice"), machine: machine("6.1.95"), codes: [.iceKill, .carrierBlinks]),
        Case(title: "ice on 6.6", port: port("ice"), machine: machine("6.6.30"), codes: [.iceKill, .carrierBlinks]),
        Case(
            title: "ice that copies", port: port("ice"), machine: machine("6.6.30"), demands: Demands(copy: .copy), codes: []),
        Case(
            title: "ice with deep rings", port: port("ice") { $0.receiveRing = 4096 }, machine: machine("6.12.0"),
            codes: [.carrierBlinks, .deepRing]),
        Case(
            title: "mlx5 of the kernel", port: port("mlx5_core") { $0.driverVersion = "6.12.0" }, machine: machine("6.12.0"),
            codes: [.mlx5SmallFrames]),
        Case(
            title: "mlx5 from elsewhere", port: port("mlx5_core") { $0.driverVersion = "24.10-0.7.0" },
            machine: machine("6.12.0"), codes: [.mlx5QueueTwins, .mlx5SmallFrames]),
        Case(
            title: "ENA with all queues", port: port("ena") { $0.channels = .init(combined: 8, mostCombined: 8) },
            machine: machine("6.12.0"), codes: [.enaChannels]),
        Case(
            title: "ENA with half of them", port: port("ena") { $0.channels = .init(combined: 4, mostCombined: 8) },
            machine: machine("6.12.0"), codes: []),
        Case(
            title: "ENA from elsewhere", port: port("ena") { $0.abilities = zeroCopy }, machine: machine("6.12.0"),
            codes: [.enaZeroCopy]),
        Case(
            title: "i40e, busy", port: port("i40e"), machine: machine("6.12.0"), demands: Demands(poll: .busy),
            codes: [.i40eBusyPoll]),
        Case(
            title: "ixgbe, busy", port: port("ixgbe"), machine: machine("6.14.2"), demands: Demands(poll: .busy),
            codes: [.ixgbeBusyPoll]),
        Case(
            title: "ixgbe, busy, elsewhere", port: port("ixgbe"), machine: machine("6.12.0"), demands: Demands(poll: .busy),
            codes: []),
        Case(
            title: "interrupts that do not wait",
            port: port("igc") { $0.deferral = .init(interrupts: 0, timeout: 0, folder: "/sys/class/net/eth1") },
            machine: machine("6.12.0"), demands: Demands(poll: .busy), codes: [.busyPollUnprepared]),
        Case(title: "stmmac", port: port("st_gmac"), machine: machine("6.12.0"), codes: [.stmmacStall]),
        Case(
            title: "virtio with few queues", port: port("virtio_net") { $0.channels = .init(combined: 1, mostCombined: 1) },
            machine: machine("6.12.0"), codes: [.virtioQueues]),
        Case(
            title: "virtio with enough", port: port("virtio_net") { $0.channels = .init(combined: 1, mostCombined: 5) },
            machine: machine("6.12.0"), codes: []),
        Case(title: "a virtual function", port: port("iavf"), machine: machine("6.12.0"), codes: [.virtualFunction]),
        Case(
            title: "offloads of a card",
            port: port("igc") {
                $0.offloads = [.largeReceive: true, .receiveVLAN: true]
                $0.hardwareGRO = true
            }, machine: machine("6.12.0"), codes: [.largeReceive, .hardwareGRO, .receiveVLAN]),
        Case(
            title: "a narrow and slow slot behind an IOMMU",
            port: port("igc") {
                $0.slot = .init(address: "0000:01:00.0")
                $0.slot?.width = 1
                $0.slot?.mostWidth = 4
                $0.slot?.speed = 5
                $0.slot?.mostSpeed = 8
                $0.slot?.domain = "DMA-FQ"
            }, machine: machine("6.12.0"), codes: [.pciNarrow, .pciSlow, .iommuTranslates]),
        Case(
            title: "a good slot",
            port: port("igc") {
                $0.slot = .init(address: "0000:01:00.0")
                $0.slot?.width = 4
                $0.slot?.mostWidth = 4
                $0.slot?.domain = "identity"
            }, machine: machine("6.12.0"), codes: []),
        Case(
            title: "workers on the other node",
            port: PortFacts(Interface(recorded: "eth1", index: 7, driver: "igc", numaNode: 1)),
            machine: machine("6.12.0", nodes: [0: [0, 1], 1: [2, 3]]), codes: [.farCPUs]),
        Case(
            title: "interrupts on one CPU",
            port: {
                var facts = PortFacts(Interface(recorded: "eth1", index: 7, driver: "igc", queues: 2))
                facts.slot = .init(address: "0000:01:00.0")
                facts.slot?.interrupts = [40: [0], 41: [0]]
                return facts
            }(), machine: machine("6.12.0"), codes: [.interruptsTogether]),
        Case(
            title: "too many queues", port: PortFacts(Interface(recorded: "eth1", index: 7, driver: "igc", queues: 128)),
            machine: machine("6.12.0"), codes: [.queuesRefused]),
        Case(
            title: "more queues than a pair has workers",
            port: PortFacts(Interface(recorded: "eth1", index: 7, driver: "igc", queues: 17)), machine: machine("6.12.0"),
            codes: [.queuesRefused]),
        Case(
            title: "a device without a wire", port: PortFacts(Interface(recorded: "d0", index: 7, driver: "", kind: "dummy")),
            machine: machine("6.12.0"), codes: [.kindRefused]),
    ]

    @Test(arguments: cases)
    func `what is written down of a port has these findings`(_ one: Case) {
        let found = Ground(ports: [one.port], demands: one.demands, machine: one.machine).findings()
        #expect(found.map(\.code) == one.codes, "\(found)")
    }

    @Test func `ports that spread frames otherwise get the commands that make them alike`() {
        func port(_ index: UInt32, key: [UInt8], print: UInt64, transform: UInt8 = 0) -> PortFacts {
            var facts = PortFacts(Interface(recorded: "eth\(index)", index: index, driver: "igc", queues: 4))
            facts.spreading = .init(key: key, tableSize: 128, tablePrint: print, transform: transform)
            return facts
        }
        let (key, other) = ([UInt8](0..<40), [UInt8](1..<41))
        let found = Ground(ports: [port(1, key: key, print: 1), port(2, key: other, print: 2)]).findings()
        #expect(found.map(\.code) == [.spreadingDiffers, .spreadingAsymmetric])
        let command = found[0].remedy.command ?? ""
        #expect(command.hasPrefix("ethtool -X eth1 equal 4 && ethtool -X eth2 equal 4 && ethtool -X eth2 hkey 00:01:02:"))
        let symmetric: [UInt8] = (0..<40).map { $0 % 2 == 0 ? 0x6d : 0x5a }
        #expect(Ground(ports: [port(1, key: symmetric, print: 1), port(2, key: symmetric, print: 1)]).findings() == [])
        #expect(
            Ground(ports: [port(1, key: key, print: 1, transform: 1), port(2, key: key, print: 1, transform: 1)]).findings() == []
        )
    }

    @Test func `ports on two nodes are a warning that no command mends`() {
        let ports = (0..<2).map { Interface(recorded: "eth\($0)", index: UInt32($0 + 1), driver: "igc", numaNode: Int32($0)) }
        let found = Ground(ports: ports.map { PortFacts($0) }).findings()
        #expect(found.map(\.code) == [.nodesDiffer] && found[0].remedy.command == nil)
    }
}

/// What a machine's facts mean.
@Suite struct MachineFindings {
    private func facts(_ change: (inout MachineFacts) -> Void) -> MachineFacts {
        var facts = MachineFacts()
        facts.release = "6.12.0"
        facts.allowedCPUs = [0, 1]
        change(&facts)
        return facts
    }

    @Test func `a machine of which nothing bad is known has no findings`() {
        #expect(facts { _ in }.findings() == [])
    }

    @Test func `each fact has its finding`() {
        let (netAdmin, netRaw, bpf) = (UInt64(1) << 12, UInt64(1) << 13, UInt64(1) << 39)
        let table: [(MachineFacts, Finding.Code, Finding.Severity)] = [
            (facts { $0.release = "5.15.0-91-generic" }, .kernelTooOld, .error),
            (facts { $0.features = [.xdpSocket: 97] }, .featureMissing, .error),
            (facts { $0.features = [.multiBuffer: 22] }, .featureMissing, .note),
            (facts { $0.features = [.bpf: 0] }, .featureUnknown, .note),
            (
                facts {
                    $0.features = [.bpf: EPERM]
                    $0.capabilities = 0
                }, .featureUnknown, .note
            ),
            (facts { $0.compilesBPF = false }, .jitOff, .warning),
            (facts { $0.capabilities = netAdmin | bpf }, .capabilityMissing, .error),
            (
                facts {
                    $0.capabilities = netAdmin | netRaw | bpf
                    $0.lockedMemory = 8 << 20
                }, .lockedMemory, .warning
            ),
            (facts { $0.hasBPFFileSystem = false }, .bpfFileSystem, .note),
            (
                facts {
                    $0.freeHugePages = 3
                    $0.hugePages = 10
                }, .fewHugePages, .note
            ),
        ]
        let scarce = facts { $0.availableMemory = 100 << 20 }.findings(bytes: 128 << 20)
        #expect(scarce.first { $0.code == .tooLittleMemory }?.what.contains("28 MiB are missing") == true)
        #expect(facts { $0.availableMemory = 128 << 20 }.findings() == [])
        let huge = facts {
            ($0.availableMemory, $0.freeHugePages, $0.hugePages) = (100 << 20, 64, 64)
        }
        #expect(huge.findings(bytes: 128 << 20) == [], "huge pages serve in place of ordinary ones")
        for (facts, code, severity) in table {
            let found = facts.findings()
            #expect(found.contains { $0.code == code && $0.severity == severity }, "\(code): \(found)")
        }
        let pages = table.last?.0.findings(bytes: 32 << 20).first?.remedy.command
        #expect(pages == "sysctl -w vm.nr_hugepages=23", "those in use, and the sixteen that are needed")
        // Who may lift the limit needs no other one; who has CAP_SYS_ADMIN needs no CAP_BPF.
        #expect(facts { $0.lockedMemory = 8 << 20 }.findings() == [])
        #expect(facts { $0.capabilities = netAdmin | netRaw | 1 << 21 }.findings() == [])
    }

    @Test func `workers want a CPU each, and isolated ones when they never sleep`() {
        let machine = facts { $0.isolatedCPUs = [] }
        #expect(machine.findings(workers: 3).map(\.code) == [.tooFewCPUs])
        #expect(machine.findings(workers: 2, polling: .spin).map(\.code) == [.sharedCPUs])
        #expect(facts { $0.isolatedCPUs = [1] }.findings(workers: 2, polling: .spin) == [])
        // A single worker has the last one.
        #expect(facts { $0.isolatedCPUs = [1] }.findings(workers: 1, polling: .spin) == [])
        #expect(facts { $0.isolatedCPUs = [0] }.findings(workers: 1, polling: .spin).map(\.code) == [.sharedCPUs])
    }

    @Test func `more queues in all than can have a worker are an error`() {
        let machine = facts { $0.allowedCPUs = Array(0..<64) }
        #expect(machine.findings(workers: 32) == [])
        let found = machine.findings(workers: 33)
        #expect(found.map(\.code) == [.tooManyQueues] && found.first?.severity == .error)
        #expect(found.first?.what.contains("33") == true && found.first?.why.contains("32") == true)
        #expect(machine.findings(workers: 5, most: 4).map(\.code) == [.tooManyQueues])
    }

    @Test(arguments: [
        ("6.1.0-37-amd64", KernelVersion(6, 1) as KernelVersion?), ("6.18.44-fc-v657", KernelVersion(6, 18, 44)),
        ("6.12-rc3", KernelVersion(6, 12)), ("6", nil), ("", nil), ("x.y", nil), ("99999999999999999999.1", nil),
    ])
    func `a release begins with its numbers`(_ release: String, _ version: KernelVersion?) {
        #expect(KernelVersion(release: release) == version)
    }
}
