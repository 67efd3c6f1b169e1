// SPDX-License-Identifier: Apache-2.0
import Datapath
import Net
import Ring
import Synchronization
import TestSupport

/// One port of a worker's queue with rings over plain memory. The bench is the kernel: it receives into frames of the fill ring and
/// sends what the transmit ring holds.
@safe final class PortBench {
    let memory: PlainMemory
    let frames: PlainMemory
    let size: UInt32
    private var kernel: KernelEnds
    private let link = PlainMemory(byteCount: 64)

    /// Frames that were completed so far.
    private(set) var sentCount = 0

    init(size: UInt32, frames: PlainMemory) {
        self.size = size
        self.frames = frames
        memory = PlainMemory(byteCount: SocketRings.byteCount(size: size))
        kernel = unsafe SocketRings.kernelEnds(base: memory.base, size: size)
        hasLink = true
    }

    /// Whether the port has a link, as keeper would write it.
    var hasLink: Bool {
        get { unsafe linkWord.pointee.load(ordering: .relaxed) != 0 }
        set { unsafe linkWord.pointee.store(newValue ? 1 : 0, ordering: .relaxed) }
    }

    private var linkWord: UnsafePointer<Atomic<UInt32>> {
        unsafe UnsafePointer(link.base.assumingMemoryBound(to: Atomic<UInt32>.self))
    }

    /// The worker's side.
    func queue(maximumFrame: UInt32, socket: Int32 = -1, hardwareAddress: MACAddress) -> PortQueue {
        unsafe PortQueue(
            rings: SocketRings(base: memory.base, size: size), socket: socket, maximumFrame: maximumFrame,
            hardwareAddress: hardwareAddress, linkWord: linkWord)
    }

    /// Receives a frame: false where the worker gave no free frame, or left no room.
    func receive(_ bytes: [UInt8]) -> Bool {
        precondition(bytes.count <= 2048 - 256)
        guard kernel.fill.peek(1) == 1, kernel.receive.free(1) > 0 else { return false }
        // 256 bytes of headroom, as the kernel leaves them.
        let address = kernel.fill[0] + 256
        kernel.fill.release(1)
        frames.write(bytes, at: Int(address))
        pretendToReceive(Descriptor(address: address, length: UInt32(bytes.count)))
        return true
    }

    /// Puts any descriptor into the receive ring.
    func pretendToReceive(_ descriptor: Descriptor) {
        kernel.receive.push(descriptor)
        kernel.receive.submit()
    }

    /// Takes a free frame away from the fill ring, without a word.
    func takeFree() -> UInt64? {
        guard kernel.fill.peek(1) == 1 else { return nil }
        let address = kernel.fill[0]
        kernel.fill.release(1)
        return address
    }

    /// Sends up to `limit` frames of the transmit ring and completes them, as long as the completion ring has room. Slots without a
    /// valid address are skipped, as the kernel does.
    func send(limit: UInt32 = .max) -> [[UInt8]] {
        var sent: [[UInt8]] = []
        var count: UInt32 = 0
        let ready = kernel.transmit.peek(limit)
        while count < ready && kernel.completion.free(1) > 0 {
            let descriptor = kernel.transmit[count]
            count += 1
            guard descriptor.address < UInt64(frames.byteCount) else { continue }
            sent.append(frames.bytes(at: Int(descriptor.address), count: Int(descriptor.length)))
            kernel.completion.push(descriptor.address)
        }
        kernel.transmit.release(count)
        kernel.completion.submit()
        sentCount += sent.count
        return sent
    }

    /// Frames that wait to be sent, dead slots included.
    var waiting: UInt32 { kernel.transmit.peek(.max) }

    /// Asks to be woken by the worker, or not.
    func wantsWakeUp(_ wants: Bool) {
        unsafe memory.base.storeBytes(of: wants ? 1 : 0, toByteOffset: memory.byteCount / 2 + 128, as: UInt32.self)
    }

    /// Notes every frame in the four rings.
    func enter(into ledger: inout FrameLedger, as name: String) {
        for (ring, place) in ["fill", "receive", "transmit", "completion"].enumerated() {
            let start = ring * memory.byteCount / 4
            let producer = unsafe memory.base.load(fromByteOffset: start, as: UInt32.self)
            var position = unsafe memory.base.load(fromByteOffset: start + 64, as: UInt32.self)
            let stride = ring == 0 || ring == 3 ? 8 : 16
            while position != producer {
                let slot = start + 192 + Int(position & (size - 1)) * stride
                let address = unsafe memory.base.load(fromByteOffset: slot, as: UInt64.self)
                // A slot that was withdrawn holds no frame.
                if address != .max { ledger.note(address, in: "\(place) ring of \(name)") }
                position &+= 1
            }
        }
    }
}
