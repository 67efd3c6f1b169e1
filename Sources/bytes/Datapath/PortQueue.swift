// SPDX-License-Identifier: Apache-2.0
public import Net
public import Ring
public import Synchronization

/// One port of a worker's queue: the socket's four rings and what must be known of the port before a frame is sent to it.
@safe public struct PortQueue: ~Copyable {
    /// Fill, receive, transmit and completion ring of (port, queue).
    public var rings: SocketRings
    /// The AF_XDP socket, for the wake-up; -1 where no kernel is behind the rings.
    public let socket: Int32
    /// The most bytes that a frame which leaves by this port may have behind its Ethernet header and tags.
    let mtu: UInt32
    /// Longest frame without tags that may leave, in bytes without the wire's checksum.
    let longestUntagged: UInt32
    /// The port's own hardware address; a number that is none where it is not known.
    @usableFromInline let ownAddress: UInt64
    /// 1 while the port has a link; written by keeper.
    @usableFromInline let linkWord: UnsafePointer<Atomic<UInt32>>

    /// Bytes of an Ethernet header, and of the two tags that a frame may have.
    private static var ethernetHeader: UInt32 { 14 }
    private static var tags: UInt32 { 8 }

    /// A port's queue over mapped rings. The link word outlives it. A hardware address of 0 is not known. `maximumFrame` is the longest
    /// frame that may leave: the MTU, an Ethernet header and two tags.
    @unsafe public init(
        rings: consuming SocketRings, socket: Int32, maximumFrame: UInt32, hardwareAddress: MACAddress = MACAddress(bits: 0),
        linkWord: UnsafePointer<Atomic<UInt32>>
    ) {
        self.rings = rings
        self.socket = socket
        longestUntagged = max(maximumFrame, Self.ethernetHeader + Self.tags) - Self.tags
        mtu = longestUntagged - Self.ethernetHeader
        ownAddress = hardwareAddress.bits == 0 ? .max : hardwareAddress.bits
        unsafe self.linkWord = unsafe linkWord
    }

    /// Whether the port has a link.
    @inlinable public var hasLink: Bool {
        @_noLocks get { unsafe linkWord.pointee.load(ordering: .relaxed) != 0 }
    }
}

/// The time of a turn, read once and passed down: nothing below the worker reads a clock.
@frozen public struct Moment: BitwiseCopyable, Sendable {
    /// Nanoseconds of the monotonic clock.
    public var nanoseconds: UInt64
    /// Unix seconds, for expiry of policy alone; they never go back (`PolicyClock`).
    public var wall: UInt64
    /// Whole seconds of the monotonic clock, for drains and expected replies.
    public let seconds: UInt64

    /// A moment.
    @_noLocks @inlinable public init(nanoseconds: UInt64, wall: UInt64) {
        self.nanoseconds = nanoseconds
        self.wall = wall
        seconds = nanoseconds / 1_000_000_000
    }

    /// Ticks of 2²⁰ ns, about a millisecond: the flow table's time.
    @inlinable public var ticks: UInt32 { @_noLocks get { UInt32(truncatingIfNeeded: nanoseconds >> 20) } }
}
