// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// How sockets come to be: the first one registers the UMEM, the others share it; zero-copy is tried first and copy second,
/// unless the operator chose.
extension XDPSocket {
    /// A queue of a port.
    public struct Place: Sendable, Equatable {
        /// The port.
        public let interface: Interface
        /// Its queue, from 0.
        public let queue: UInt32

        /// A place by its parts.
        public init(_ interface: Interface, queue: UInt32) {
            self.interface = interface
            self.queue = queue
        }
    }

    /// How long a queue's former owner may take to let go of it. After kill -9 `bind` says EBUSY for 20 to 40 ms on veth.
    static let patience: UInt64 = 2_000_000_000

    /// Opens and binds a socket at each place, all over one UMEM, in the order given. With `auto`, all of them are zero-copy or all
    /// copy: the kernel binds a socket that shares a UMEM the way the first one is bound.
    public static func open(
        at places: [Place], umem: UMEMArea, rings: RingSizes, copy: CopyMode, busyPoll: BusyPoll? = nil
    ) throws(LinkError) -> [XDPSocket] {
        do {
            return try unsafe openAll(places, umem, rings, copy, busyPoll)
        } catch LinkError.noZeroCopy where copy == .auto {
            // The first port can do it and another cannot. The sockets of this attempt are closed by now; their queues free
            // themselves soon, and `bind` waits for that.
            return try unsafe openAll(places, umem, rings, .copy, busyPoll)
        }
    }

    /// Opens and binds one more socket over the UMEM of `first`, which must still be bound: for a port that came back.
    public static func open(
        at place: Place, sharing first: XDPSocket, rings: RingSizes, busyPoll: BusyPoll? = nil
    ) throws(LinkError) -> XDPSocket {
        let socket = try create(at: place, rings: rings)
        try bind(
            socket, to: place, flags: CXDP_BIND_SHARED_UMEM, sharing: first.fileDescriptor, isZeroCopy: first.isZeroCopy)
        return try finish(socket, place, busyPoll)
    }

    private static func openAll(
        _ places: [Place], _ umem: UMEMArea, _ rings: RingSizes, _ copy: CopyMode, _ busyPoll: BusyPoll?
    ) throws(LinkError) -> [XDPSocket] {
        var sockets: [XDPSocket] = []
        for place in places {
            if let first = sockets.first {
                sockets.append(try open(at: place, sharing: first, rings: rings, busyPoll: busyPoll))
                continue
            }
            let socket = try create(at: place, rings: rings)
            let registered = unsafe cxdp_xsk_register_umem(
                socket.number, umem.address, umem.length, umem.frameSize, umem.headroom)
            if registered == -ENOBUFS { throw .memoryLimit(port: place.interface.name) }
            try checked(registered, "registering the packet memory for", place.interface.name)
            try bindFirst(socket, to: place, copy)
            sockets.append(try finish(socket, place, busyPoll))
        }
        return sockets
    }

    /// Binds the socket that registered the UMEM. A refused zero-copy leaves it as it was, so copy is tried with the same one: the
    /// memory is pinned only once.
    private static func bindFirst(_ socket: FileDescriptor, to place: Place, _ copy: CopyMode) throws(LinkError) {
        if copy != .copy {
            do {
                let flags = CXDP_BIND_ZERO_COPY | CXDP_BIND_NEED_WAKEUP
                return try bind(socket, to: place, flags: flags, sharing: nil, isZeroCopy: true)
            } catch LinkError.noZeroCopy where copy == .auto {
                // Copy, then.
            }
        }
        try bind(socket, to: place, flags: CXDP_BIND_COPY | CXDP_BIND_NEED_WAKEUP, sharing: nil, isZeroCopy: false)
    }

    private static func create(at place: Place, rings: RingSizes) throws(LinkError) -> FileDescriptor {
        let name = place.interface.name
        guard place.queue < RedirectProgram.queueLimit else { throw .tooManyQueues(port: name, queue: place.queue) }
        let socket = FileDescriptor(owning: try checked(cxdp_xsk_open(), "opening an AF_XDP socket for", name))
        try checked(
            cxdp_xsk_set_rings(socket.number, rings.receive, rings.transmit, rings.fill, rings.completion),
            "making rings for", name)
        return socket
    }

    /// Binds, and tries again while the queue's former owner is being cleaned up.
    private static func bind(
        _ socket: FileDescriptor, to place: Place, flags: Int, sharing first: Int32?, isZeroCopy: Bool
    ) throws(LinkError) {
        let (index, name) = (place.interface.index, place.interface.name)
        let deadline = unsafe cxdp_monotonic_ns() + patience
        while true {
            let bound = cxdp_xsk_bind(socket.number, index, place.queue, UInt32(flags), first ?? -1)
            switch -bound {
            case 0: return
            case EBUSY where unsafe cxdp_monotonic_ns() < deadline: usleep(500)
            case EBUSY: throw .queueBusy(port: name, queue: place.queue)
            // What a driver says that has no zero-copy (EOPNOTSUPP), or has none for this MTU (EINVAL).
            case EOPNOTSUPP where isZeroCopy, EINVAL where isZeroCopy:
                throw .noZeroCopy(port: name, queue: place.queue, errno: -bound)
            default: try checked(bound, "binding queue \(place.queue) of", name)
            }
        }
    }

    private static func finish(
        _ socket: FileDescriptor, _ place: Place, _ busyPoll: BusyPoll?
    ) throws(LinkError) -> XDPSocket {
        let result = try XDPSocket(owning: socket, interfaceIndex: place.interface.index, queue: place.queue)
        if let busyPoll { try result.setBusyPoll(busyPoll) }
        return result
    }
}
