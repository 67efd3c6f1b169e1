// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Ring

/// The positions of a socket's rings as another process than its worker sees them: what was lost with a worker that was killed.
public struct RingPositions: Sendable, Equatable {
    /// Frames that the kernel has put into the receive ring since the socket was made, modulo 2³².
    public let received: UInt32
    /// Forwarded frames in the transmit ring that the kernel has not taken.
    public let unsent: UInt32
    /// Generated frames in the transmit ring that the kernel has not taken.
    public let unsentGenerated: UInt32

    /// Reads the positions of a socket whose rings have `size` slots each, over frames of `frameSize` bytes; the rings are mapped for
    /// that moment only. A generated frame lies at the start of its UMEM frame, a received one behind the headroom; what was taken
    /// back from the ring names no frame at all (see `Lane.withdraw`).
    public init(socket: Int32, size: UInt32, frameSize: UInt32) throws(LinkError) {
        var rings = unsafe cxdp_rings()
        let result = unsafe cxdp_xsk_map_rings(socket, size, size, size, size, &rings)
        try checked(result, "reading the rings of", "an AF_XDP socket")
        unsafe received = rings.receive.producer.pointee
        let (first, last) = unsafe (rings.transmit.consumer.pointee, rings.transmit.producer.pointee)
        let descriptors = unsafe rings.transmit.descriptors.assumingMemoryBound(to: Descriptor.self)
        var (forwarded, generated) = (UInt32(0), UInt32(0))
        // No more than the ring holds, whatever its positions say; the mask keeps every slot inside it.
        for step in 0..<min(last &- first, size) {
            let address = unsafe descriptors[Int((first &+ step) & (size - 1))].address
            guard address != .max else { continue }
            if address & UInt64(frameSize - 1) == 0 { generated += 1 } else { forwarded += 1 }
        }
        (unsent, unsentGenerated) = (forwarded, generated)
        unsafe cxdp_xsk_unmap_rings(&rings)
    }
}
