// SPDX-License-Identifier: Apache-2.0

/// What is known of drivers: since when they can do zero-copy, and where they bite. Kernels are those of the upstream series; a driver
/// from elsewhere says so by a version that is not the kernel's.
struct DriverNote {
    /// A port, and what is asked of it.
    struct Case {
        let port: PortFacts
        let demands: Demands
        let kernel: KernelVersion?
        let release: String
        /// Whether frames may cross without a copy there.
        let mayZeroCopy: Bool
        /// CPUs of the machine.
        let cpus: Int
    }

    let drivers: Set<String>
    let code: Finding.Code
    let severity: Finding.Severity
    let what: String
    let why: String
    /// Whether it bites in this case.
    let applies: @Sendable (Case) -> Bool
    /// What mends it in this case.
    let remedy: @Sendable (Case) -> Finding.Remedy

    /// The first kernel in which a driver, by the name that `ethtool -i` shows, can do zero-copy. (isovalent/ebpf-docs,
    /// BPF_PROG_TYPE_XDP.md, 2026-07.)
    static let zeroCopySince: [String: KernelVersion] = [
        "i40e": KernelVersion(4, 20), "ixgbe": KernelVersion(4, 20), "mlx5_core": KernelVersion(5, 3), "ice": KernelVersion(5, 5),
        "st_gmac": KernelVersion(5, 13), "igc": KernelVersion(5, 14), "nfp": KernelVersion(5, 18),
        "fsl_dpaa2_eth": KernelVersion(6, 2), "tsnep": KernelVersion(6, 4), "gve": KernelVersion(6, 4),
        "virtio_net": KernelVersion(6, 11), "igb": KernelVersion(6, 14), "idpf": KernelVersion(6, 18),
        "icssg-prueth": KernelVersion(6, 19),
    ]

    /// Drivers with native XDP that copy in every kernel so far. (The same list; ENA does it only out of the tree.)
    static let alwaysCopy: Set<String> = [
        "bnxt_en", "ena", "veth", "tun", "vmxnet3", "hv_netvsc", "mvneta", "rvu-nicpf", "rvu_nicpf", "ionic", "fbnic", "iavf",
        "ixgbevf",
    ]

    /// Every bug and trap that is looked for.
    static let all: [DriverNote] = [
        DriverNote(
            drivers: ["ice"], code: .iceKill, severity: .warning,
            what: "this kernel's ice driver crashes when a process with zero-copy sockets is killed",
            why: "seen with kill -9 on Linux 6.1.95 and later of its series, 6.6 and 6.11",
            applies: { one in
                guard one.mayZeroCopy, let kernel = one.kernel else { return false }
                return kernel.isSeries(6, 1) && kernel.patch >= 95 || kernel.isSeries(6, 6) || kernel.isSeries(6, 11)
            },
            remedy: { _ in .advice("set `copy: copy` for the pair, or boot another kernel") }),
        DriverNote(
            drivers: ["ice"], code: .carrierBlinks, severity: .note,
            what: "its link goes down and up when zero-copy starts or ends",
            why: "the driver resets its queues; neighbours see it, and a switch may take its time",
            applies: { $0.mayZeroCopy }, remedy: { _ in .advice("set `copy: copy` for the pair where that matters") }),
        DriverNote(
            drivers: ["ice"], code: .deepRing, severity: .warning, what: "its receive ring is deeper than 2048",
            why: "zero-copy stalled with 4096 descriptors", applies: { $0.mayZeroCopy && ($0.port.receiveRing ?? 0) > 2048 },
            remedy: { .command("ethtool -G \($0.port.name) rx 2048 tx 2048") }),
        DriverNote(
            drivers: ["mlx5_core"], code: .mlx5QueueTwins, severity: .warning,
            what: "this driver is not the kernel's own and may number zero-copy queues beyond the others",
            why: "so did the kernel's before 6.1: sockets on the first queues then see no frame",
            applies: { one in
                guard one.mayZeroCopy, !one.port.driverVersion.isEmpty else { return false }
                return one.port.driverVersion != one.release
            },
            remedy: { _ in .advice("set `copy: copy` for the pair, or use the kernel's own driver") }),
        DriverNote(
            drivers: ["mlx5_core"], code: .mlx5SmallFrames, severity: .note,
            what: "it sends small frames one by one unless told otherwise",
            why: "zero-copy transmission is then slower than the wire", applies: { $0.mayZeroCopy },
            remedy: { .command("ethtool --set-priv-flags \($0.port.name) xdp_tx_mpwqe on") }),
        DriverNote(
            drivers: ["ena"], code: .enaZeroCopy, severity: .warning, what: "this ENA driver offers zero-copy",
            why: "it is not the kernel's own; it was seen to reset the device, and to be slower than copying",
            applies: { $0.mayZeroCopy && $0.port.abilities?.zeroCopy == true },
            remedy: { _ in .advice("set `copy: copy` for the pair") }),
        DriverNote(
            drivers: ["ena"], code: .enaChannels, severity: .error, what: "more than half of its queues are in use",
            why: "ENA needs the other half for XDP, and refuses the program",
            applies: { one in
                guard !one.demands.generic, let channels = one.port.channels, channels.mostCombined > 1 else { return false }
                return channels.combined > channels.mostCombined / 2
            },
            remedy: { .command("ethtool -L \($0.port.name) combined \(max(1, ($0.port.channels?.mostCombined ?? 2) / 2))") }),
        DriverNote(
            drivers: ["i40e"], code: .i40eBusyPoll, severity: .note,
            what: "with busy polling it was seen to hold frames in groups of eight",
            why: "a lone frame waits for its group", applies: { $0.demands.poll == .busy },
            remedy: { _ in .advice("set `poll: wait` or `poll: spin` for the pair") }),
        DriverNote(
            drivers: ["ixgbe"], code: .ixgbeBusyPoll, severity: .warning,
            what: "busy polling was seen to fail on this kernel's ixgbe",
            why: "frames stop after a while (Linux 6.14)",
            applies: { $0.demands.poll == .busy && $0.kernel?.isSeries(6, 14) == true },
            remedy: { _ in .advice("set `poll: wait` or `poll: spin` for the pair") }),
        DriverNote(
            drivers: ["st_gmac"], code: .stmmacStall, severity: .warning,
            what: "its zero-copy reception stops for good when a reader stalls", why: "the device does not start again by itself",
            applies: { $0.mayZeroCopy }, remedy: { _ in .advice("set `copy: copy` for the pair") }),
        DriverNote(
            drivers: ["virtio_net"], code: .virtioQueues, severity: .note,
            what: "it has no queue of its own for what XDP redirects",
            why: "in open and bypass the CPUs take turns at its queues, behind a lock",
            applies: { one in
                guard let channels = one.port.channels else { return false }
                return Int(channels.mostCombined) < Int(channels.combined) + one.cpus
            },
            remedy: { _ in .advice("give the virtual machine's port more queues on its host: those in use and one a CPU") }),
        DriverNote(
            drivers: ["iavf", "ixgbevf", "igbvf"], code: .virtualFunction, severity: .warning, what: "it is a virtual function",
            why: "it gets frames for other addresses only when the host behind it trusts it", applies: { _ in true },
            remedy: { _ in .advice("on that host: `ip link set dev PF vf NUMBER trust on spoofchk off`") }),
    ]
}
