// SPDX-License-Identifier: Apache-2.0
internal import Flow
internal import Net
internal import Ring

/// What a burst's stages tell each other about one frame in hand: all that the short way asks, side by side in two lines of cache, the first
/// of which it touches over IPv6 alone, and where workers share a pair; a test pins that. What only the long way needs lies in columns of
/// its own (`BurstNotes`).
struct FrameNote: BitwiseCopyable {
    /// The worker that owns the frame's flow or datagram, by its number in the pair.
    var owner: UInt8 = 0
    /// Nothing: moves all that stands behind an IPv6 key into the second line.
    private let space: UInt64 = 0
    /// The key of the frame's flow, and who sent it, of packets.
    var keys = FlowKeys()
    /// What has happened to the frame beside being read: bits of `resolved`, `inTunnel` and so on.
    var steps: UInt8 = 0
    /// Those of the frame's descriptor.
    private var options: UInt8 = 0
    /// Of a frame that was recognised as a plain packet, what its connection needs; there is no reading of it then.
    var plain = PlainPacket()
    /// Why Wire could not read the frame, else `nil`; of a plain packet whose like was refused, why that was.
    var reason: DropReason?
    /// Bytes of the frame.
    private(set) var length: UInt32 = 0
    /// Entry that the hash's bucket suggests, or none.
    var candidate = FlowNumber.none
    /// Hash of the flow key, for packets; of a fragment that is to be held, its datagram's number.
    var hash: UInt64 = 0
    /// Where the frame lies in the packet memory.
    private(set) var address: UInt64 = 0

    /// Notes of no frame.
    init() {}

    /// A fragment whose ports are known by its datagram's first.
    static var resolved: UInt8 { @_noLocks get { 1 } }
    /// The reading is of the headers inside a tunnel; the tunnel itself is to be judged too.
    static var inTunnel: UInt8 { @_noLocks get { 2 } }
    /// A plain packet, of which there is no reading.
    static var plain: UInt8 { @_noLocks get { 4 } }
    /// A first frame whose question to policy is made.
    static var asked: UInt8 { @_noLocks get { 8 } }
    /// A plain datagram whose like was refused a moment ago, and ends without an answer.
    static var refused: UInt8 { @_noLocks get { 16 } }

    /// A plain packet that another worker owns.
    static var foreign: UInt8 { @_noLocks get { 32 } }
    /// A frame with a tag that may be a plain packet; of no stage but the first.
    static var tagged: UInt8 { @_noLocks get { 64 } }

    /// The frame; bit 0 of `options` is the port it came in by, bit 1 says that its `FragmentFacts` lie in the frame's headroom, bit 2 that
    /// its checksum is verified: there are no others.
    @inline(always) var descriptor: Descriptor {
        @_noLocks get { Descriptor(address: address, length: length, options: UInt32(options)) }
        @_noLocks set {
            (address, length, options) = (newValue.address, newValue.length, UInt8(truncatingIfNeeded: newValue.options))
        }
    }

    /// The port that the frame came in by.
    @inline(always) var port: UInt8 { @_noLocks get { options & 1 } }
}
