// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What a machine's facts mean for pairs that are to run on it.
extension MachineFacts {
    /// The privileges without which no pair starts, by their numbers and names. CAP_SYS_ADMIN stands in for CAP_BPF.
    private static let needed: [(bits: [UInt64], name: String)] = [
        ([12], "CAP_NET_ADMIN"), ([13], "CAP_NET_RAW"), ([39, 21], "CAP_BPF"),
    ]
    private static let ipcLock: UInt64 = 14
    private static let systemResource: UInt64 = 24

    private var lackingCapabilities: [String] {
        Self.needed.filter { need in !need.bits.contains(where: holds) }.map(\.name)
    }

    private func holds(_ capability: UInt64) -> Bool { capabilities >> capability & 1 == 1 }

    /// Everything there is to say about the machine. `workers` is how many there will be, one for each queue of all pairs, `most` how
    /// many there can be, `polling` whether one of them never sleeps, `bytes` the memory of frames and flows together.
    public func findings(
        workers: Int = 1, most: Int = Demands.queuesInAllAtMost, polling: Demands.Poll = .wait, bytes: UInt64 = 128 << 20
    ) -> [Finding] {
        kernelFindings(polling) + privilegeFindings(bytes) + memoryFindings(bytes) + workerFindings(workers, most)
            + processorFindings(workers, polling)
    }

    private func kernelFindings(_ polling: Demands.Poll) -> [Finding] {
        var findings: [Finding] = []
        if let kernel, kernel < .oldest {
            findings.append(
                Finding(
                    .kernelTooOld, .error, what: "its kernel is Linux \(release)",
                    why: "the hand-over and the mode word need what came with \(KernelVersion.oldest)",
                    remedy: .advice("install a kernel from \(KernelVersion.oldest) on, and boot it")))
        }
        return findings + featureFindings(polling) + compilerFindings()
    }

    /// What the kernel refused of what was tried. A refusal for lack of privilege says nothing about the kernel.
    private func featureFindings(_ polling: Demands.Poll) -> [Finding] {
        let lacks = !lackingCapabilities.isEmpty
        var findings: [Finding] = []
        var untried: [KernelFeature] = []
        for feature in KernelFeature.allCases where !features.isEmpty {
            guard let code = features[feature], !(lacks && [EPERM, EACCES].contains(code)) else {
                untried.append(feature)
                continue
            }
            guard code != 0 else { continue }
            let isNeeded = feature.isNeeded || feature == .busyPoll && polling == .busy
            findings.append(
                Finding(
                    .featureMissing, isNeeded ? .error : .note,
                    what: "the kernel refuses \(feature.words) (\(reason(code)))",
                    why: isNeeded ? "Bulkhead is built on it" : "a pair that asks for it cannot have it",
                    remedy: .advice("start it outside containers that filter system calls, or boot a kernel that has it")))
        }
        if !untried.isEmpty {
            findings.append(
                Finding(
                    .featureUnknown, .note,
                    what: "whether the kernel has what Bulkhead needs could not be tried: "
                        + untried.map(\.words).joined(separator: ", "),
                    why: "the start may fail for it", remedy: .command("sudo bulkhead doctor")))
        }
        return findings
    }

    private func compilerFindings() -> [Finding] {
        guard compilesBPF == false else { return [] }
        return [
            Finding(
                .jitOff, .warning, what: "the kernel interprets BPF programs",
                why: "the redirect program runs for each frame, several times slower",
                remedy: .command("sysctl -w net.core.bpf_jit_enable=1"))
        ]
    }

    private func privilegeFindings(_ bytes: UInt64) -> [Finding] {
        var findings: [Finding] = []
        let lacking = lackingCapabilities
        if !lacking.isEmpty {
            findings.append(
                Finding(
                    .capabilityMissing, .error, what: "this process lacks \(lacking.joined(separator: ", "))",
                    why: "ports cannot be opened, and some of what is asked here cannot be seen",
                    remedy: .command("sudo bulkhead doctor")))
        }
        let lifts = holds(Self.ipcLock) || holds(Self.systemResource)
        if let lockedMemory, lockedMemory < bytes, !lifts {
            findings.append(
                Finding(
                    .lockedMemory, .warning, what: "\(lockedMemory >> 10) KiB of memory may be locked",
                    why: "packet memory is locked: \(bytes >> 20) MiB, and this process cannot lift the limit",
                    remedy: .command("ulimit -l unlimited")))
        }
        if !hasBPFFileSystem {
            findings.append(
                Finding(
                    .bpfFileSystem, .note, what: "no BPF file system is at \(BPFFileSystem.standardRoot)",
                    why: "what must outlive the daemon is pinned there; the start mounts it",
                    remedy: .command("mount -t bpf bpf \(BPFFileSystem.standardRoot)")))
        }
        return findings
    }

    private func memoryFindings(_ bytes: UInt64) -> [Finding] {
        let needed = Int((bytes + (2 << 20) - 1) >> 21)
        var findings: [Finding] = []
        if (freeHugePages ?? 0) < needed, let availableMemory, availableMemory < bytes {
            findings.append(
                Finding(
                    .tooLittleMemory, .error,
                    what: "packet memory and flow tables take \(bytes >> 20) MiB, and \(availableMemory >> 20) MiB can be had: "
                        + "\((bytes - availableMemory + (1 << 20) - 1) >> 20) MiB are missing",
                    why: "all of it is reserved at the start, so that it cannot run out in the middle of traffic",
                    remedy: .advice("lower `flows.capacity` (288 bytes a flow), or give the machine or the service more memory")))
        }
        if let free = freeHugePages, let all = hugePages, free < needed {
            findings.append(
                Finding(
                    .fewHugePages, .note,
                    what: "\(free) huge pages are free of \(needed) that packet memory and flow tables would fill",
                    why: "small pages serve too, with more TLB misses and a slower start",
                    remedy: .command("sysctl -w vm.nr_hugepages=\(all - free + needed)")))
        }
        return findings
    }

    private func workerFindings(_ workers: Int, _ most: Int) -> [Finding] {
        guard workers > most else { return [] }
        return [
            Finding(
                .tooManyQueues, .error, what: "the pairs have \(workers) queues in all",
                why: "each has a worker of its own, and \(most) can be served",
                remedy: .advice("give the ports fewer queues (ethtool -L), or leave a pair to another machine"))
        ]
    }

    private func processorFindings(_ workers: Int, _ polling: Demands.Poll) -> [Finding] {
        var findings: [Finding] = []
        if !allowedCPUs.isEmpty, workers > allowedCPUs.count {
            findings.append(
                Finding(
                    .tooFewCPUs, .warning, what: "\(workers) workers share \(allowedCPUs.count) CPUs",
                    why: "each wants one of its own: they take turns, and frames wait",
                    remedy: .advice("give the ports fewer queues (ethtool -L), or the service more CPUs (AllowedCPUs=)")))
        }
        // Workers take them from the last one down.
        let ours = Set(allowedCPUs.suffix(workers))
        if polling != .wait, ours.isDisjoint(with: isolatedCPUs) {
            findings.append(
                Finding(
                    .sharedCPUs, .note, what: "no CPU of the workers is isolated",
                    why: "a worker that never sleeps shares its CPU with whatever the scheduler puts there",
                    remedy: .advice("boot with isolcpus=\(Surroundings.list(Array(ours))) on the kernel's command line")))
        }
        return findings
    }
}
