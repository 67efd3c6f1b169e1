// SPDX-License-Identifier: Apache-2.0
internal import CXDP

/// The four rings of one AF_XDP socket, mapped into this process. Positions live in the memory that is shared with the kernel, so
/// that a process which receives the bound socket from another one goes on exactly where that one stopped.
///
/// The mappings hold the socket, whoever closes its descriptor: rings made from a `RingMapping` end with it, others with the
/// process.
public struct SocketRings: ~Copyable {
    /// Free frames for the kernel.
    public var fill: FillRing
    /// Frames that came in.
    public var receive: ReceiveRing
    /// Frames to send.
    public var transmit: TransmitRing
    /// Frames that were sent.
    public var completion: CompletionRing

    /// Maps the rings of a bound socket; every ring has `size` slots.
    public init(socket: Int32, size: UInt32) throws(RingError) {
        unsafe self.init(try RingMapping.map(socket, size))
    }

    fileprivate init(_ rings: cxdp_rings) {
        unsafe fill = Self.producer(rings.fill)
        unsafe receive = Self.consumer(rings.receive)
        unsafe transmit = Self.producer(rings.transmit)
        unsafe completion = Self.consumer(rings.completion)
    }

    /// Rings over memory that no kernel shares, for tests and replay: `base` has `byteCount(size:)` zeroed bytes.
    @unsafe public init(base: UnsafeMutableRawPointer, size: UInt32) {
        let step = Self.ringByteCount(size)
        unsafe fill = FillRing(producer: base, consumer: base + 64, flags: base + 128, slots: base + 192, size: size)
        let receiveBase = unsafe base + step
        unsafe receive = ReceiveRing(producer: receiveBase, consumer: receiveBase + 64, slots: receiveBase + 192, size: size)
        let transmitBase = unsafe base + 2 * step
        unsafe transmit = TransmitRing(
            producer: transmitBase, consumer: transmitBase + 64, flags: transmitBase + 128, slots: transmitBase + 192, size: size)
        let completionBase = unsafe base + 3 * step
        unsafe completion = CompletionRing(
            producer: completionBase, consumer: completionBase + 64, slots: completionBase + 192, size: size)
    }

    /// The other ends of rings over plain memory: what the kernel would be.
    @unsafe public static func kernelEnds(base: UnsafeMutableRawPointer, size: UInt32) -> KernelEnds {
        let step = ringByteCount(size)
        let (receive, transmit, completion) = unsafe (base + step, base + 2 * step, base + 3 * step)
        return unsafe KernelEnds(
            fill: ConsumerRing(producer: base, consumer: base + 64, slots: base + 192, size: size),
            receive: ProducerRing(
                producer: receive, consumer: receive + 64, flags: receive + 128, slots: receive + 192, size: size),
            transmit: ConsumerRing(producer: transmit, consumer: transmit + 64, slots: transmit + 192, size: size),
            completion: ProducerRing(
                producer: completion, consumer: completion + 64, flags: completion + 128, slots: completion + 192, size: size))
    }

    /// Bytes that rings over plain memory take.
    public static func byteCount(size: UInt32) -> Int { 4 * ringByteCount(size) }

    private static func ringByteCount(_ size: UInt32) -> Int { 192 + Int(size) * 16 }

    private static func producer<Slot: BitwiseCopyable>(_ ring: cxdp_ring) -> ProducerRing<Slot> {
        unsafe ProducerRing(
            producer: UnsafeMutableRawPointer(ring.producer), consumer: UnsafeMutableRawPointer(ring.consumer),
            flags: UnsafeMutableRawPointer(ring.flags), slots: ring.descriptors, size: ring.size)
    }

    private static func consumer<Slot: BitwiseCopyable>(_ ring: cxdp_ring) -> ConsumerRing<Slot> {
        unsafe ConsumerRing(
            producer: UnsafeMutableRawPointer(ring.producer), consumer: UnsafeMutableRawPointer(ring.consumer),
            slots: ring.descriptors, size: ring.size)
    }
}

/// The four rings of one socket, mapped for as long as this object lives. A socket whose rings are mapped stays bound to its queue,
/// so a port's next socket must wait for its end.
@safe public final class RingMapping {
    private var mapped: cxdp_rings

    /// Maps the rings of a bound socket; every ring has `size` slots.
    public init(socket: Int32, size: UInt32) throws(RingError) { unsafe mapped = try RingMapping.map(socket, size) }

    deinit { unsafe cxdp_xsk_unmap_rings(&mapped) }

    /// The rings; valid as long as this object lives.
    @unsafe public var rings: SocketRings { unsafe SocketRings(mapped) }

    fileprivate static func map(_ socket: Int32, _ size: UInt32) throws(RingError) -> cxdp_rings {
        var rings = unsafe cxdp_rings()
        let result = unsafe cxdp_xsk_map_rings(socket, size, size, size, size, &rings)
        guard result == 0 else { throw .rings(errno: -result) }
        return unsafe rings
    }
}

/// The kernel's side of rings over plain memory, for tests and replay.
public struct KernelEnds: ~Copyable {
    /// Where free frames come from.
    public var fill: ConsumerRing<UInt64>
    /// Where received frames go.
    public var receive: ProducerRing<Descriptor>
    /// Where frames to send come from.
    public var transmit: ConsumerRing<Descriptor>
    /// Where sent frames go.
    public var completion: ProducerRing<UInt64>
}
