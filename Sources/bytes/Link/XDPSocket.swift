// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc

/// The packet memory to register with the kernel: a mapping of whole frames.
@unsafe public struct UMEMArea {
    /// Its start, aligned to a page.
    public var address: UnsafeMutableRawPointer
    /// Its length in bytes, a multiple of the frame size.
    public var length: UInt64
    /// The size of a frame: 2048 or 4096.
    public var frameSize: UInt32
    /// Bytes kept free at a frame's start, beside the kernel's own 256.
    public var headroom: UInt32

    /// An area by its parts.
    public init(address: UnsafeMutableRawPointer, length: UInt64, frameSize: UInt32, headroom: UInt32 = 0) {
        unsafe self.address = address
        unsafe self.length = length
        unsafe self.frameSize = frameSize
        unsafe self.headroom = headroom
    }
}

/// The number of descriptors in each of the kernel's four rings, powers of two.
public struct RingSizes: Sendable, Equatable {
    /// Received frames.
    public var receive: UInt32
    /// Frames to send.
    public var transmit: UInt32
    /// Free frames for reception.
    public var fill: UInt32
    /// Frames that were sent.
    public var completion: UInt32

    /// Sizes by name.
    public init(receive: UInt32, transmit: UInt32, fill: UInt32, completion: UInt32) {
        self.receive = receive
        self.transmit = transmit
        self.fill = fill
        self.completion = completion
    }
}

/// What an operator demands of a pair's sockets (`copy:` in the configuration).
public enum CopyMode: String, Sendable, CaseIterable {
    /// Zero-copy where the driver can, else copy; what came of it is reported.
    case auto
    /// Zero-copy or not at all.
    case zeroCopy = "zero-copy"
    /// Copy, also where the driver could do without.
    case copy
}

/// Busy polling: the worker's own calls drive the device, which keeps reception on the worker's CPU.
public struct BusyPoll: Sendable, Equatable {
    /// How long the kernel looks for frames in one call, in microseconds.
    public var microseconds: UInt32
    /// How many frames one call may take in.
    public var budget: UInt32

    /// The usual values: 20 microseconds, 64 frames (a burst).
    public init(microseconds: UInt32 = 20, budget: UInt32 = 64) {
        self.microseconds = microseconds
        self.budget = budget
    }
}

/// The kernel's six counters of a socket (XDP_STATISTICS), in frames or descriptors since it was made.
public struct SocketStatistics: Sendable, Equatable {
    /// Dropped for other reasons than a full ring.
    public var receiveDropped: UInt64
    /// Descriptors of ours in the fill ring that the kernel refused.
    public var receiveInvalidDescriptors: UInt64
    /// Descriptors of ours in the transmit ring that the kernel refused.
    public var transmitInvalidDescriptors: UInt64
    /// Dropped because the receive ring was full.
    public var receiveRingFull: UInt64
    /// Times that the kernel wanted a free frame and the fill ring had none.
    public var fillRingEmpty: UInt64
    /// Times that the kernel looked for a frame to send and the transmit ring had none.
    public var transmitRingEmpty: UInt64
}

/// A bound AF_XDP socket: one queue of one port. It knows how to be made, handed over and asked; its rings are mapped by whoever
/// works on them (`cxdp_xsk_map_rings`). The sockets of a pair share one UMEM, so that a frame goes from port to port by its
/// descriptor; each has a fill and a completion ring of its own.
public final class XDPSocket {
    private let socket: FileDescriptor
    /// The port's number.
    public let interfaceIndex: UInt32
    /// The queue of the port.
    public let queue: UInt32
    /// Whether frames pass without a copy, as the kernel itself says.
    public let isZeroCopy: Bool

    /// The socket's descriptor, to be put into a map, polled, or sent to another process. Owned by this object.
    public var fileDescriptor: Int32 { socket.number }

    init(owning socket: FileDescriptor, interfaceIndex: UInt32, queue: UInt32) throws(LinkError) {
        let zeroCopy = cxdp_xsk_is_zero_copy(socket.number)
        isZeroCopy = try checked(zeroCopy, "asking for the options of queue \(queue) on", "port number \(interfaceIndex)") == 1
        self.socket = socket
        self.interfaceIndex = interfaceIndex
        self.queue = queue
    }

    /// Takes over a bound socket that another process made; the descriptor is closed with this object.
    public convenience init(adopting fileDescriptor: Int32, interfaceIndex: UInt32, queue: UInt32) throws(LinkError) {
        try self.init(owning: FileDescriptor(owning: fileDescriptor), interfaceIndex: interfaceIndex, queue: queue)
    }

    /// The kernel's counters now.
    public func statistics() throws(LinkError) -> SocketStatistics {
        var kernel = cxdp_statistics()
        try checked(
            unsafe cxdp_xsk_statistics(socket.number, &kernel), "reading the statistics of queue \(queue) on",
            "port number \(interfaceIndex)")
        return SocketStatistics(
            receiveDropped: kernel.rx_dropped, receiveInvalidDescriptors: kernel.rx_invalid_descs,
            transmitInvalidDescriptors: kernel.tx_invalid_descs, receiveRingFull: kernel.rx_ring_full,
            fillRingEmpty: kernel.rx_fill_ring_empty_descs, transmitRingEmpty: kernel.tx_ring_empty_descs)
    }

    /// Switches busy polling on. Needs CAP_NET_ADMIN, so it is done before a socket is handed to a process without it.
    public func setBusyPoll(_ busyPoll: BusyPoll) throws(LinkError) {
        try checked(
            cxdp_xsk_busy_poll(socket.number, true, busyPoll.microseconds, busyPoll.budget), "busy polling queue \(queue) of",
            "port number \(interfaceIndex)")
    }
}
