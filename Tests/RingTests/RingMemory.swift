// SPDX-License-Identifier: Apache-2.0
import Ring
import TestSupport

/// The four rings of a socket over plain memory, with both ends, from any position on.
@safe final class RingMemory: Sendable {
    let memory: PlainMemory
    let size: UInt32

    /// Rings of `size` slots whose positions all stand at `position`.
    init(size: UInt32, position: UInt32 = 0) {
        self.size = size
        memory = PlainMemory(byteCount: SocketRings.byteCount(size: size))
        for ring in 0..<4 {
            let start = ring * memory.byteCount / 4
            unsafe memory.base.storeBytes(of: position, toByteOffset: start, as: UInt32.self)
            unsafe memory.base.storeBytes(of: position, toByteOffset: start + 64, as: UInt32.self)
        }
    }

    /// Our ends, as the memory has them now.
    func ours() -> SocketRings { unsafe SocketRings(base: memory.base, size: size) }

    /// The kernel's ends, as the memory has them now.
    func kernels() -> KernelEnds { unsafe SocketRings.kernelEnds(base: memory.base, size: size) }

    /// What the kernel asks for at the transmit ring.
    func setTransmitFlags(_ flags: UInt32) {
        unsafe memory.base.storeBytes(of: flags, toByteOffset: memory.byteCount / 2 + 128, as: UInt32.self)
    }
}
