// SPDX-License-Identifier: Apache-2.0
import Net
import Measure
import Ring
import Synchronization

/// The packet memory of a measurement: frames of 128 bytes side by side, so that a stream of 2²⁰ of them touches 64 MiB over IPv4 and
/// 128 MiB over IPv6, more than any cache of the machines that this was made for. In a real UMEM they lie 2,048 bytes apart; the
/// NIC or the kernel has just written them there, so that the worker finds them in a cache of its socket.
@safe final class Stream {
    static let frameSize = 128
    static let count = 1 << 20
    /// Frames behind the stream, in which connections are opened.
    static let spare = 4_096

    let memory: Pages
    private(set) var lengths: [UInt16]

    init(huge: Bool) {
        memory = Pages(count: (Self.count + Self.spare) * Self.frameSize, huge: huge)
        lengths = Array(repeating: 0, count: Self.count + Self.spare)
    }

    /// Writes a frame.
    func write(_ segment: Segment, at number: Int) {
        lengths[number] = unsafe UInt16(segment.write(at: memory.base + number * Self.frameSize))
    }

    /// Writes a frame of at most `frameSize` bytes.
    func write(_ frame: [UInt8], at number: Int) {
        precondition(frame.count <= Self.frameSize && number < lengths.count)
        lengths[number] = UInt16(frame.count)
        // In bounds by the line above.
        unsafe (memory.base + number * Self.frameSize).copyMemory(from: frame, byteCount: frame.count)
    }

    /// Shortens every frame of the stream to the given length, so that it ends inside a header.
    func cut(to length: UInt16) {
        for number in 0..<Self.count { lengths[number] = length }
    }

    /// The descriptor of a frame.
    func descriptor(_ number: Int) -> Descriptor {
        Descriptor(address: UInt64(number * Self.frameSize), length: UInt32(lengths[number]))
    }
}

/// The rings of one port over plain memory, and the kernel's side of them.
@safe final class PortRings {
    static let size: UInt32 = 4_096
    let memory: Pages
    private var kernel: KernelEnds

    init() {
        memory = Pages(count: SocketRings.byteCount(size: Self.size) + 64, huge: false)
        kernel = unsafe SocketRings.kernelEnds(base: memory.base, size: Self.size)
        unsafe memory.base.storeBytes(of: 1, toByteOffset: linkOffset, as: UInt32.self)
    }

    private var linkOffset: Int { SocketRings.byteCount(size: Self.size) }
    /// Where the word lies that says whether the port has a link.
    var link: UnsafeMutableRawPointer { unsafe memory.base + linkOffset }

    /// Receives a frame.
    func receive(_ descriptor: Descriptor) { kernel.receive.push(descriptor) }

    /// Receives every second frame of a part of the stream.
    func receive(_ stream: Stream, from first: Int, to end: Int) {
        let lengths = stream.lengths
        for number in stride(from: first, to: end, by: 2) {
            kernel.receive.push(Descriptor(address: UInt64(number * Stream.frameSize), length: UInt32(lengths[number])))
        }
    }

    /// Publishes what was received; sends and completes all that waits, and takes the free frames that were given.
    func settle() {
        kernel.receive.submit()
        let sent = kernel.transmit.peek(.max)
        for offset in 0..<sent { kernel.completion.push(kernel.transmit[offset].address) }
        kernel.transmit.release(sent)
        kernel.completion.submit()
        kernel.fill.release(kernel.fill.peek(.max))
    }
}
