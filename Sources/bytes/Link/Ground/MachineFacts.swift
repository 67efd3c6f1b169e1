// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// What there is to know about a machine before a pair starts on it. A plain value: surveyed on the spot, or written down from another
/// machine.
public struct MachineFacts: Sendable, Equatable {
    /// What `uname -r` says.
    public var release = ""
    /// The kernel's version; nil when the release does not tell.
    public var kernel: KernelVersion? { KernelVersion(release: release) }
    /// Effective capabilities of the caller, a bit each (CAP_…).
    public var capabilities = UInt64.max
    /// RLIMIT_MEMLOCK in bytes; nil when there is no limit.
    public var lockedMemory: UInt64?
    /// Bytes of ordinary memory that can be had without pushing others out, and that this process's cgroup allows; nil when neither tells.
    public var availableMemory: UInt64?
    /// Free huge pages of 2 MiB; nil when the kernel has none.
    public var freeHugePages: Int?
    /// Huge pages of 2 MiB in all.
    public var hugePages: Int?
    /// Whether a BPF file system is at /sys/fs/bpf.
    public var hasBPFFileSystem = true
    /// Whether the kernel compiles BPF programs; nil when it does not tell.
    public var compilesBPF: Bool?
    /// What was tried of the kernel's features, and the error number that came of it, 0 for none.
    public var features: [KernelFeature: Int32] = [:]
    /// CPUs that this process may use, ascending.
    public var allowedCPUs: [Int] = []
    /// CPUs that the scheduler leaves alone (isolcpus).
    public var isolatedCPUs: [Int] = []
    /// The CPUs of each NUMA node.
    public var nodes: [Int: [Int]] = [:]

    /// A machine of which nothing is known yet.
    public init() {}

    /// Looks at this machine. `probing` also tries the kernel's features, for which a network namespace is made for a moment.
    public static func survey(_ surroundings: Surroundings = Surroundings(), probing: Bool = true) -> MachineFacts {
        var facts = MachineFacts()
        var names = utsname()
        if unsafe uname(&names) == 0 { facts.release = text(names.release) }
        facts.capabilities = cxdp_effective_capabilities()
        let limit = cxdp_memlock()
        facts.lockedMemory = limit == .max ? nil : limit
        facts.availableMemory = availableMemory(surroundings)
        let pages = "\(surroundings.sys)/kernel/mm/hugepages/hugepages-2048kB"
        facts.freeHugePages = surroundings.number("\(pages)/free_hugepages")
        facts.hugePages = surroundings.number("\(pages)/nr_hugepages")
        facts.hasBPFFileSystem = unsafe cxdp_is_bpffs(BPFFileSystem.standardRoot) == 1
        facts.compilesBPF = surroundings.number("\(surroundings.proc)/sys/net/core/bpf_jit_enable").map { $0 != 0 }
        facts.surveyCPUs(surroundings)
        if probing { facts.features = KernelFeature.probe() }
        return facts
    }

    /// What the machine has left, or less where a cgroup of this process allows less (memory.max of cgroup v2, of it and of all above).
    private static func availableMemory(_ surroundings: Surroundings) -> UInt64? {
        func line(_ file: String, _ begin: String) -> Substring? {
            surroundings.text("\(surroundings.proc)/\(file)")?.split(separator: "\n").first { $0.hasPrefix(begin) }
        }
        let words = line("meminfo", "MemAvailable:")?.split(separator: " ")
        var least = words?.dropFirst().first.flatMap { UInt64($0) }.map { $0 << 10 }
        var parts = line("self/cgroup", "0::/")?.dropFirst(3).split(separator: "/") ?? []
        while !parts.isEmpty {
            let folder = "\(surroundings.sys)/fs/cgroup/" + parts.joined(separator: "/")
            if let most = surroundings.number("\(folder)/memory.max"), let used = surroundings.number("\(folder)/memory.current")
            {
                least = min(least ?? .max, UInt64(max(0, most - used)))
            }
            parts.removeLast()
        }
        return least
    }

    private mutating func surveyCPUs(_ surroundings: Surroundings) {
        var cpus = [Int32](repeating: 0, count: 1024)
        let count = unsafe cxdp_allowed_cpus(&cpus, UInt32(cpus.count))
        allowedCPUs = count > 0 ? cpus.prefix(Int(count)).map { Int($0) } : []
        isolatedCPUs = Surroundings.list(surroundings.text("\(surroundings.sys)/devices/system/cpu/isolated") ?? "")
        let folder = "\(surroundings.sys)/devices/system/node"
        for name in surroundings.names(in: folder) where name.hasPrefix("node") {
            guard let number = Int(name.dropFirst(4)) else { continue }
            nodes[number] = Surroundings.list(surroundings.text("\(folder)/\(name)/cpulist") ?? "")
        }
    }
}
