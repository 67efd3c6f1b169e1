// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc
internal import Net
internal import Ring

/// Two ports in a namespace of their own, the redirect program on both, and the far ends in two more.
@safe final class TestBench {
    static let (sourceAddress, sinkAddress) = (UInt32(0xc633_6401), UInt32(0xc633_6402))  // 198.51.100.1 and .2 (RFC 5737)
    static let (sourceEnd, sinkEnd) = ("bh-source", "bh-sink")

    let source: NetworkNamespace
    let sink: NetworkNamespace
    private let middle: NetworkNamespace
    private let programs: [Redirection]
    private let mode: FileDescriptor
    private let modeWords: UnsafeMutablePointer<UInt32>
    private let forwarder: TestForwarder

    /// One port's program, its maps and its link, none of them pinned.
    private struct Redirection {
        let program, sockets, peer, link: FileDescriptor
    }

    init() throws {
        (source, middle, sink) = (try NetworkNamespace(), try NetworkNamespace(), try NetworkNamespace())
        try Self.plug(middle, "bh-in", to: source, Self.sourceEnd, Self.sourceAddress)
        try Self.plug(middle, "bh-out", to: sink, Self.sinkEnd, Self.sinkAddress)
        let map = FileDescriptor(owning: try checked(cxdp_create_mode_map(), "making", "a mode word"))
        var words: UnsafeMutablePointer<UInt32>?
        try checked(unsafe cxdp_map_mode_for_writing(map.number, &words), "mapping", "a mode word")
        guard let words = unsafe words else { throw LinkError.refused(doing: "mapping", on: "a mode word", errno: EINVAL) }
        (mode, unsafe modeWords) = (map, unsafe words)
        let ports = try middle.visit { try ["bh-in", "bh-out"].map { try Interface(named: $0) } }
        programs = try middle.visit { try ports.map { try Self.attach(to: $0, mode: map) } }
        forwarder = try middle.visit { try TestForwarder(ports) }
        try middle.visit {
            // The kernel looks the number up in the namespace of the thread that says it.
            for (one, other) in [(0, 1), (1, 0)] {
                try checked(
                    cxdp_map_set(programs[one].peer.number, 0, ports[other].index), "naming the peer of", ports[one].name)
            }
        }
        try insertSockets()
    }

    deinit { unsafe cxdp_unmap_mode(modeWords) }

    /// A veth pair with one end in the middle, both up, and an address at the far end. IPv6 is off: its stack would speak unasked.
    private static func plug(
        _ middle: NetworkNamespace, _ port: String, to there: NetworkNamespace, _ end: String, _ address: UInt32
    ) throws {
        for namespace in [middle, there] {
            try namespace.visit {
                let file = unsafe open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC)
                guard file >= 0 else { return }
                _ = unsafe write(file, "1", 1)
                close(file)
            }
        }
        try middle.visit {
            try checked(unsafe cxdp_veth_create(port, end, there.descriptor), "making the veth", port)
            try checked(unsafe cxdp_interface_set_up(port, 1), "setting up", port)
        }
        try there.visit {
            try checked(unsafe cxdp_interface_set_ipv4(end, address.bigEndian), "giving an address to", end)
            try checked(unsafe cxdp_interface_set_up(end, 1), "setting up", end)
        }
    }

    private static func attach(to port: Interface, mode: FileDescriptor) throws -> Redirection {
        let object = RedirectMaps.object
        var loaded = cxdp_redirect()
        var log = [CChar](repeating: 0, count: 16384)
        let answer = unsafe cxdp_redirect_load(object, object.count, -1, -1, mode.number, &loaded, &log, log.count)
        guard answer == 0 else { throw LinkError.programRefused(errno: -answer, log: text(log)) }
        close(loaded.mode)
        let program = FileDescriptor(owning: loaded.program)
        let (sockets, peer) = (FileDescriptor(owning: loaded.sockets), FileDescriptor(owning: loaded.peer))
        let link = cxdp_link_create(program.number, port.index, UInt32(CXDP_ATTACH_NATIVE))
        try checked(link, "attaching the redirect program to", port.name)
        return Redirection(program: program, sockets: sockets, peer: peer, link: FileDescriptor(owning: link))
    }

    /// Whether frames cross without a copy.
    var isZeroCopy: Bool { forwarder.isZeroCopy }
    /// The checksums of UDP and TCP that the forwarder has seen.
    var sums: TestForwarder.Sums { forwarder.sums }
    /// Frames that it forwarded.
    var frames: Int { forwarder.frames }

    func forgetSums() { forwarder.sums = TestForwarder.Sums() }

    func setMode(_ value: PortMode) { unsafe cxdp_write_mode(modeWords, value.rawValue, 0) }

    func insertSockets() throws {
        for (program, socket) in zip(programs, forwarder.sockets) {
            try checked(
                cxdp_map_set(program.sockets.number, 0, UInt32(socket.fileDescriptor)), "giving a socket to", "the self-test")
        }
    }

    func removeSockets() throws {
        for program in programs {
            try checked(cxdp_map_delete(program.sockets.number, 0), "taking a socket from", "the self-test")
        }
    }

    /// The offload that leaves checksums half made, at the source.
    func setChecksumOffload(_ on: Bool) throws {
        try source.visit {
            let answer = unsafe cxdp_interface_set_offload(Self.sourceEnd, Int32(CXDP_OFFLOAD_TX_CHECKSUM), on)
            try checked(answer, "setting checksum offload of", Self.sourceEnd)
        }
        try sink.visit {
            let answer = unsafe cxdp_interface_set_offload(Self.sinkEnd, Int32(CXDP_OFFLOAD_TX_CHECKSUM), on)
            try checked(answer, "setting checksum offload of", Self.sinkEnd)
        }
    }

    /// GRO at the sink, which is NAPI there.
    func setGRO(_ on: Bool) throws {
        try sink.visit {
            let answer = unsafe cxdp_interface_set_offload(Self.sinkEnd, Int32(CXDP_OFFLOAD_GRO), on)
            try checked(answer, "setting GRO of", Self.sinkEnd)
        }
    }

    /// Lets the forwarder work while `isDone` says no, for so long at most; whether it was done.
    func turn(within milliseconds: Int, until isDone: () -> Bool) -> Bool {
        let end = cxdp_monotonic() &+ UInt64(milliseconds) * 1_000_000
        repeat {
            if forwarder.turn() == 0 { usleep(50) }
            if isDone() { return true }
        } while cxdp_monotonic() < end
        return false
    }

    private func cxdp_monotonic() -> UInt64 { unsafe cxdp_monotonic_ns() }

    /// Looks for a frame in what the forwarder takes in.
    func watch(for frame: [UInt8]) { forwarder.sought = frame }

    /// Whether it came in, byte for byte.
    var hasFound: Bool { forwarder.hasFound }
}
