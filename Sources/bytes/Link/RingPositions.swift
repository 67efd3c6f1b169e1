// SPDX-License-Identifier: Apache-2.0
internal import CXDP

/// The positions of a socket's rings as another process than its worker sees them: what was lost with a worker that was killed.
public struct RingPositions: Sendable, Equatable {
    /// Frames that the kernel has put into the receive ring since the socket was made, modulo 2³².
    public let received: UInt32
    /// Frames in the transmit ring that the kernel has not taken.
    public let unsent: UInt32

    /// Reads the positions of a socket whose rings have `size` slots each; they are mapped for that moment only.
    public init(socket: Int32, size: UInt32) throws(LinkError) {
        var rings = unsafe cxdp_rings()
        let result = unsafe cxdp_xsk_map_rings(socket, size, size, size, size, &rings)
        try checked(result, "reading the rings of", "an AF_XDP socket")
        unsafe received = rings.receive.producer.pointee
        unsafe unsent = rings.transmit.producer.pointee &- rings.transmit.consumer.pointee
        unsafe cxdp_xsk_unmap_rings(&rings)
    }
}
