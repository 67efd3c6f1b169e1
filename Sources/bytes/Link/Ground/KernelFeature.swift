// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// What Bulkhead needs of a kernel, or can use, and how it is found out: by doing it, in a namespace of our own that ends with the probe.
/// A version number would not tell what a distribution has taken out, or a container's filter refuses.
public enum KernelFeature: String, Sendable, CaseIterable {
    /// The bpf(2) call answers us.
    case bpf
    /// A BPF map can be mapped into memory (Linux 5.5): the mode word.
    case mappedMap
    /// The redirect program is accepted, and attached by a BPF link (Linux 5.9).
    case redirectProgram
    /// AF_XDP sockets (CONFIG_XDP_SOCKETS).
    case xdpSocket
    /// The kernel says when it wants a kick (Linux 5.4).
    case needWakeUp
    /// The rings of a bound socket can be mapped, also by another process (Linux 6.1): the hand-over.
    case ringsAfterBind
    /// Frames may span descriptors (Linux 6.6).
    case multiBuffer
    /// A worker's own calls drive the device (Linux 5.11).
    case busyPoll

    /// Whether the daemon cannot do without it.
    var isNeeded: Bool { self != .multiBuffer && self != .busyPoll }

    /// What is missing with it, in words.
    var words: String {
        switch self {
        case .bpf: "the bpf(2) call"
        case .mappedMap: "BPF maps in memory"
        case .redirectProgram: "the redirect program by a BPF link"
        case .xdpSocket: "AF_XDP sockets (CONFIG_XDP_SOCKETS)"
        case .needWakeUp: "AF_XDP's wake-up flag"
        case .ringsAfterBind: "mapping the rings of a bound AF_XDP socket"
        case .multiBuffer: "AF_XDP frames over several descriptors"
        case .busyPoll: "preferred busy polling"
        }
    }

    /// Tries all of them: 0 for what works, else the error number; what could not be tried is missing. Nothing of it remains.
    static func probe() -> [KernelFeature: Int32] {
        var answers: [KernelFeature: Int32] = [.bpf: -cxdp_bpf_works()]
        var words: UnsafeMutablePointer<UInt32>?
        let map = cxdp_create_mode_map()
        answers[.mappedMap] = map < 0 ? -map : -(unsafe cxdp_map_mode_for_writing(map, &words))
        if let words = unsafe words { unsafe cxdp_unmap_mode(words) }
        if map >= 0 { close(map) }
        // Without a namespace of our own nothing is bound or attached anywhere.
        guard let namespace = try? NetworkNamespace() else { return answers }
        let inside = try? namespace.visit { probeLoopback() }
        return answers.merging(inside ?? [:]) { $1 }
    }

    /// On the loopback of the calling thread's namespace, which must be ours.
    private static func probeLoopback() -> [KernelFeature: Int32] {
        let loopback: UInt32 = 1
        var answers: [KernelFeature: Int32] = [:]
        answers[.redirectProgram] = probeProgram(loopback)
        let number = cxdp_xsk_open()
        answers[.xdpSocket] = number < 0 ? -number : 0
        guard number >= 0, unsafe cxdp_interface_set_up("lo", 1) == 0 else { return answers }
        let socket = FileDescriptor(owning: number)
        let (frames, size) = (64, UInt32(64))
        let area = unsafe mmap(nil, frames * 2048, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let area = unsafe area, unsafe area != MAP_FAILED else { return answers }
        defer { unsafe munmap(area, frames * 2048) }
        guard unsafe cxdp_xsk_register_umem(number, area, UInt64(frames * 2048), 2048, 0) == 0,
            cxdp_xsk_set_rings(number, size, size, size, size) == 0
        else { return answers }
        let usual = UInt32(CXDP_BIND_COPY | CXDP_BIND_NEED_WAKEUP)
        // A refused bind leaves the socket as it was.
        answers[.multiBuffer] = -cxdp_xsk_bind(number, loopback, 0, usual | UInt32(CXDP_BIND_MULTI_BUFFER), -1)
        let bound = answers[.multiBuffer] == 0 ? 0 : cxdp_xsk_bind(number, loopback, 0, usual, -1)
        answers[.needWakeUp] = -bound
        answers[.busyPoll] = -cxdp_xsk_busy_poll(socket.number, true, 20, 64)
        guard bound == 0 else { return answers }
        var rings = unsafe cxdp_rings()
        answers[.ringsAfterBind] = -(unsafe cxdp_xsk_map_rings(number, size, size, size, size, &rings))
        unsafe cxdp_xsk_unmap_rings(&rings)
        return answers
    }

    private static func probeProgram(_ loopback: UInt32) -> Int32 {
        let object = RedirectMaps.object
        var loaded = cxdp_redirect()
        var log = [CChar](repeating: 0, count: 4096)
        let answer = unsafe cxdp_redirect_load(object, object.count, -1, -1, -1, &loaded, &log, log.count)
        guard answer == 0 else { return -answer }
        let link = cxdp_link_create(loaded.program, loopback, UInt32(CXDP_ATTACH_GENERIC))
        for descriptor in [loaded.program, loaded.sockets, loaded.peer, loaded.mode] + (link >= 0 ? [link] : []) {
            close(descriptor)
        }
        return link < 0 ? -link : 0
    }
}
