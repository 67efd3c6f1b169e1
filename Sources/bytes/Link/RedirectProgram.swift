// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// The redirect program on one port: three maps and a BPF link, all pinned, so that frames go the declared way while no process of
/// ours lives, and the next one takes over without losing a frame.
///
/// The link is what holds the program on the port. Closing this object leaves the pin, and so the program, where they are;
/// `detach()` takes both away.
public final class RedirectProgram {
    /// The receive queues that the socket map has room for.
    public static let queueLimit: UInt32 = 64

    /// How the program came to the port.
    public enum Origin: Sendable, Equatable {
        /// Nothing of ours was there.
        case attached
        /// A former process left it; it was brought up to date in place.
        case adopted
        /// Pins of a port that had been deleted, or that could not be used, were removed first.
        case replaced
    }

    static let pinNames = ["link", "program", "sockets", "peer"]

    let program: FileDescriptor
    let sockets: FileDescriptor
    let peer: FileDescriptor
    let link: FileDescriptor
    let folder: String
    let fileSystem: BPFFileSystem

    /// The port's name.
    public let port: String
    /// The port's number.
    public let interfaceIndex: UInt32
    /// How the program came to the port.
    public let origin: Origin

    init(
        _ maps: RedirectMaps, link: FileDescriptor, on interface: Interface, pinned folder: String, in fileSystem: BPFFileSystem,
        origin: Origin
    ) {
        (program, sockets, peer) = (maps.program, maps.sockets, maps.peer)
        self.link = link
        self.folder = folder
        self.fileSystem = fileSystem
        port = interface.name
        interfaceIndex = interface.index
        self.origin = origin
    }

    /// How the kernel runs it now, read back; nil when it is no longer on the port (a deleted port, or a forced removal).
    public var attachedMode: XDPMode? {
        guard let now = try? Interface(index: interfaceIndex), now.xdpProgram != 0 else { return nil }
        return Int64(now.xdpProgram) == cxdp_program_id(program.number) ? now.xdp : nil
    }

    /// From now on the queue's frames go to this socket (a descriptor, bound to this port and queue). Do it only once policy is
    /// loaded: until then they go the declared way.
    public func insert(socket: Int32, queue: UInt32) throws(LinkError) {
        guard queue < Self.queueLimit else { throw .tooManyQueues(port: port, queue: queue) }
        try checked(cxdp_map_set(sockets.number, queue, UInt32(socket)), "giving a socket to queue \(queue) of", port)
    }

    /// From now on the queue has no socket, and its frames go the declared way. An empty place is no error.
    public func remove(queue: UInt32) throws(LinkError) {
        try Self.clear(sockets, queue, "taking the socket from queue \(queue) of", port)
    }

    /// Names the port to which frames go in `open` and `bypass`, by its number. The kernel forgets it when that port is deleted.
    public func setPeer(ifindex: UInt32) throws(LinkError) {
        try checked(cxdp_map_set(peer.number, 0, ifindex), "naming the peer of", port)
    }

    /// From now on there is no peer: what would go there is dropped.
    public func clearPeer() throws(LinkError) {
        try Self.clear(peer, 0, "forgetting the peer of", port)
    }

    /// The number of the peer, or nil when there is none.
    public var peerIndex: UInt32? {
        var index: UInt32 = 0
        return unsafe cxdp_map_get(peer.number, 0, &index) == 0 ? index : nil
    }

    /// Takes the program off the port and removes its pins. Frames then go to the host's stack.
    public func detach() {
        // A port that was deleted in the meantime has nothing to detach, and its pins go all the same.
        _ = cxdp_link_detach(link.number)
        fileSystem.remove(Self.pinNames, in: folder)
    }

    /// What the program makes of a frame that arrives on queue 0, without sending it (BPF_PROG_TEST_RUN).
    public func trial(frame: [UInt8]) throws(LinkError) -> Action {
        let action = unsafe cxdp_program_test(program.number, frame, UInt32(frame.count))
        return Action(rawValue: try checked(action, "trying the program of", port)) ?? .aborted
    }

    /// What a program says about a frame (enum xdp_action).
    public enum Action: Int32, Sendable {
        /// An error in the program.
        case aborted = 0
        /// Away with it.
        case drop = 1
        /// To the host's stack.
        case pass = 2
        /// Back out of the port.
        case transmit = 3
        /// To a socket or to another port.
        case redirect = 4
    }

    /// Deletes an entry; one that is empty is no error. An array-like map says EINVAL for it on older kernels.
    private static func clear(_ map: FileDescriptor, _ key: UInt32, _ doing: String, _ port: String) throws(LinkError) {
        let answer = cxdp_map_delete(map.number, key)
        if answer != -ENOENT { try checked(answer, doing, port) }
    }
}

/// A loaded program and the maps that belong to its port.
struct RedirectMaps {
    let program: FileDescriptor
    let sockets: FileDescriptor
    let peer: FileDescriptor

    /// Loads the embedded object over the pair's mode word, and over the port's maps where it has some.
    init(mode: ModeWord, sockets: FileDescriptor? = nil, peer: FileDescriptor? = nil) throws(LinkError) {
        let object = Self.object
        var loaded = cxdp_redirect()
        var log = [CChar](repeating: 0, count: 16384)
        let answer = unsafe cxdp_redirect_load(
            object, object.count, sockets?.number ?? -1, peer?.number ?? -1, mode.fileDescriptor, &loaded, &log, log.count)
        guard answer == 0 else {
            throw answer == -EPERM
                ? .privilege(doing: "loading", on: "the redirect program") : .programRefused(errno: -answer, log: text(log))
        }
        close(loaded.mode)
        program = FileDescriptor(owning: loaded.program)
        self.sockets = FileDescriptor(owning: loaded.sockets)
        self.peer = FileDescriptor(owning: loaded.peer)
    }

    /// The ELF object as `embed-bpf` wrote it: two letters a byte.
    static var object: [UInt8] {
        // A StaticString's bytes live as long as the process; its length is that of its literal.
        let letters = unsafe UnsafeBufferPointer(start: redirectObject.utf8Start, count: redirectObject.utf8CodeUnitCount)
        let zero = UInt8(ascii: "a")
        return stride(from: 0, to: letters.count, by: 2).map {
            unsafe (letters[$0] - zero) << 4 | (letters[$0 + 1] - zero)
        }
    }
}
