// SPDX-License-Identifier: Apache-2.0
internal import Flow
internal import Net
internal import Ring

/// What a burst's stages tell each other about one frame in hand: all that the short way asks, side by side in two lines of cache. What only
/// the long way needs lies in columns of its own (`BurstNotes`).
struct FrameNote: BitwiseCopyable {
    /// The frame; bit 0 of `options` is the port it came in by, bit 1 says that its `FragmentFacts` lie in the frame's headroom.
    var descriptor = Descriptor(address: 0, length: 0)
    /// Hash of the flow key, for packets; of a fragment that is to be held, its datagram's number.
    var hash: UInt64 = 0
    /// Its key, and who sent the frame, of packets.
    var keys = FlowKeys()
    /// Of a frame that was recognised as a plain packet, what its connection needs; there is no reading of it then.
    var plain = PlainPacket()
    /// Entry that the hash's bucket suggests, or none.
    var candidate = FlowNumber.none
    /// What has happened to the frame beside being read: bits of `resolved`, `inTunnel` and so on.
    var steps: UInt8 = 0
    /// The worker that owns the frame's flow or datagram, by its number in the pair.
    var owner: UInt8 = 0
    /// Why Wire could not read the frame, else `nil`; of a plain packet whose like was refused, why that was.
    var reason: DropReason?

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

    /// The port that the frame came in by.
    @inline(always) var port: UInt8 { @_noLocks get { UInt8(truncatingIfNeeded: descriptor.options & 1) } }
}
