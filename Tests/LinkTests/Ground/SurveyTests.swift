// SPDX-License-Identifier: Apache-2.0
import Glibc
@testable import Link
import Testing

/// Files of a made-up sysfs and procfs.
private func withFiles(_ files: [String: String], _ body: (Surroundings) throws -> Void) throws {
    let root = try temporaryFolder("bhk-sys")
    defer { _ = try? shell("rm -r \(root)") }
    for (name, text) in files.sorted(by: { $0.key < $1.key }) {
        let path = "\(root)/\(name)"
        try shell("mkdir -p $(dirname \(path)) && printf '%s\\n' '\(text)' > \(path)")
    }
    try body(Surroundings(sys: "\(root)/sys", proc: "\(root)/proc"))
}

extension Kernel {
    /// What is read of a port and of the machine.
    @Suite struct SurveyTests {
        @Test func `a name is read up to its end and no further, though its type has more room`() throws {
            // An entry as the last one of a buffer: behind it is memory that nobody may read.
            let page = Int(getpagesize())
            guard let pages = unsafe mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) else {
                Issue.record("no memory")
                return
            }
            defer { unsafe munmap(pages, 2 * page) }
            try #require(unsafe mprotect(pages + page, page, PROT_NONE) == 0)
            let entry = unsafe pages + page - 24
            unsafe (entry + 19).copyMemory(from: [UInt8]("eth0".utf8) + [0], byteCount: 5)
            #expect(unsafe Surroundings.name(of: entry.assumingMemoryBound(to: dirent.self)) == "eth0")
        }

        @Test func `a port's slot, its interrupts and the IOMMU's word are read from sysfs`() throws {
            let device = "sys/bus/pci/devices/0000:01:00.0"
            try withFiles([
                "\(device)/class": "0x020000", "\(device)/current_link_width": "4", "\(device)/max_link_width": "8",
                "\(device)/current_link_speed": "5.0 GT/s PCIe", "\(device)/max_link_speed": "8.0 GT/s PCIe",
                "\(device)/iommu_group/type": "DMA-FQ", "\(device)/msi_irqs/40": "msix", "\(device)/msi_irqs/41": "msix",
                "proc/irq/40/smp_affinity_list": "0", "proc/irq/41/smp_affinity_list": "1-3,5",
            ]) { files in
                let slot = try #require(PortFacts.Slot(at: "0000:01:00.0", files))
                #expect((slot.width, slot.mostWidth, slot.speed, slot.mostSpeed) == (4, 8, 5, 8))
                #expect(slot.domain == "DMA-FQ" && slot.interrupts == [40: [0], 41: [1, 2, 3, 5]])
                #expect(PortFacts.Slot(at: "0000:02:00.0", files) == nil && PortFacts.Slot(at: "", files) == nil)
            }
        }

        @Test func `a machine's pages, nodes, isolated CPUs and compiler are read from its files`() throws {
            try withFiles([
                "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "3",
                "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "10", "sys/devices/system/cpu/isolated": "2-3",
                "sys/devices/system/node/node0/cpulist": "0-1", "sys/devices/system/node/node1/cpulist": "2-3",
                "proc/sys/net/core/bpf_jit_enable": "0",
            ]) { files in
                let facts = MachineFacts.survey(files, probing: false)
                #expect(facts.freeHugePages == 3 && facts.hugePages == 10 && facts.isolatedCPUs == [2, 3])
                #expect(facts.nodes == [0: [0, 1], 1: [2, 3]] && facts.compilesBPF == false)
                #expect(facts.features == [:] && !facts.allowedCPUs.isEmpty && facts.kernel != nil)
            }
        }

        @Test func `the memory that can be had is the machine's, or what the tightest cgroup leaves`() throws {
            let info = "MemTotal: 8000 kB\nMemAvailable: 4000 kB"
            let groups = "1:name=systemd:/x\n0::/a.slice/b.service"
            let (outer, inner) = ("sys/fs/cgroup/a.slice", "sys/fs/cgroup/a.slice/b.service")
            let table: [([String: String], UInt64?)] = [
                ([:], nil),
                (["proc/meminfo": info], 4000 << 10),
                (["proc/meminfo": info, "proc/self/cgroup": groups, "\(inner)/memory.max": "max"], 4000 << 10),
                (
                    [
                        "proc/meminfo": info, "proc/self/cgroup": groups, "\(inner)/memory.max": "max",
                        "\(inner)/memory.current": "5",
                        "\(outer)/memory.max": "1000000", "\(outer)/memory.current": "400000",
                    ], 600_000
                ),
                (
                    [
                        "proc/meminfo": info, "proc/self/cgroup": groups, "\(inner)/memory.max": "4096",
                        "\(inner)/memory.current": "8192",
                    ], 0
                ),
            ]
            for (files, bytes) in table {
                try withFiles(files) { #expect(MachineFacts.survey($0, probing: false).availableMemory == bytes) }
            }
        }

        @Test func `this kernel has every feature, and probing leaves no interface or program behind`() throws {
            try inFreshNamespace {
                let before = try shell("ip -brief link")
                let facts = MachineFacts.survey()
                #expect(facts.features == Dictionary(uniqueKeysWithValues: KernelFeature.allCases.map { ($0, Int32(0)) }))
                #expect(try shell("ip -brief link") == before)
            }
        }

        @Test func `interrupts that do not wait for a busy poller are found, and wait after the command`() throws {
            try inFreshNamespace {
                try makeWire("bhk-a", "bhk-x")
                // The usual sysfs belongs to another namespace, where the name may be another port's.
                #expect(try PortFacts.survey("bhk-a").deferral == nil)
                let path = try temporaryFolder("bhk-sysfs")
                defer { _ = unsafe rmdir(path) }
                try shell("mount -t sysfs sysfs \(path)")
                defer { _ = unsafe umount2(path, 2) }
                func found() throws -> [Finding] {
                    let port = try PortFacts.survey("bhk-a", Surroundings(sys: path))
                    return Ground(ports: [port], demands: Demands(poll: .busy)).findings().filter {
                        $0.code == .busyPollUnprepared
                    }
                }
                let command = try #require(try found().first?.remedy.command)
                try shell(command)
                #expect(try found() == [])
            }
        }

        @Test func `what this host has and the kernel says of XDP is surveyed with the port`() throws {
            try inFreshNamespace {
                try makeWire("bhk-a", "bhk-x", queues: 2)
                try shell("ip address add 198.51.100.9/24 dev bhk-a && ip route add default via 198.51.100.1 dev bhk-a")
                let port = try PortFacts.survey("bhk-a")
                #expect(port.host.addresses == 1 && port.host.address == "198.51.100.9" && port.host.isDefaultRoute)
                #expect(port.abilities?.native == true && port.abilities?.zeroCopy == false)
                #expect(port.channels?.mostReceive == 2 && port.slot == nil)
                #expect(port.farEnd?.name == "bhk-x" && port.farEnd?.transmitQueues == 2)
                try shell("ip route del default && ip -6 address flush dev bhk-a")
                #expect(try !PortFacts.survey("bhk-a").host.isDefaultRoute)
            }
        }
    }
}
