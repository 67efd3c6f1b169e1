// SPDX-License-Identifier: Apache-2.0
internal import CXDP
import Glibc
internal import Ring

/// The least forwarder that AF_XDP allows: both directions, one thread, no policy. It looks at checksums on the way.
@safe final class TestForwarder {
    /// Checksums of UDP and TCP.
    struct Sums {
        /// Those that are right.
        var complete = 0
        /// Those that are not: what a source leaves to a device that is not there.
        var halfMade = 0
    }

    private static let (frameSize, frameCount, ringSize) = (2048, 2048, UInt32(512))

    let sockets: [XDPSocket]
    private let memory: UnsafeMutableRawPointer
    private var first: SocketRings
    private var second: SocketRings
    private var free: [UInt64]
    private(set) var frames = 0
    var sums = Sums()
    /// A frame to look for.
    var sought: [UInt8] = [] { didSet { hasFound = false } }
    private(set) var hasFound = false

    /// Binds to queue 0 of both ports, which are in the calling thread's namespace.
    init(_ ports: [Interface]) throws {
        let length = Self.frameSize * Self.frameCount
        let area = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let area = unsafe area, unsafe area != MAP_FAILED else {
            throw LinkError.refused(doing: "mapping", on: "packet memory", errno: errno)
        }
        unsafe memory = area
        _ = PinnedMemory.lift()
        let umem = unsafe UMEMArea(address: area, length: UInt64(length), frameSize: UInt32(Self.frameSize))
        let size = Self.ringSize
        sockets = try unsafe XDPSocket.open(
            at: ports.map { XDPSocket.Place($0, queue: 0) }, umem: umem,
            rings: RingSizes(receive: size, transmit: size, fill: size, completion: size), copy: .auto)
        first = try SocketRings(socket: sockets[0].fileDescriptor, size: size)
        second = try SocketRings(socket: sockets[1].fileDescriptor, size: size)
        free = (0..<Self.frameCount).map { UInt64($0 * Self.frameSize) }
        Self.refill(&first, &free)
        Self.refill(&second, &free)
    }

    deinit { unsafe munmap(memory, Self.frameSize * Self.frameCount) }

    var isZeroCopy: Bool { sockets.allSatisfy(\.isZeroCopy) }

    /// One turn of both directions; the frames that it forwarded.
    func turn() -> Int {
        Self.reclaim(&first, &free)
        Self.reclaim(&second, &free)
        Self.refill(&first, &free)
        Self.refill(&second, &free)
        let count = forward(0) + forward(1)
        for socket in sockets {
            // In copy mode a call sends 32 frames at most; the next turn kicks again.
            _ = unsafe cxdp_xsk_kick(socket.fileDescriptor)
        }
        frames += count
        return count
    }

    private func forward(_ port: Int) -> Int {
        let count = port == 0 ? first.receive.peek(64) : second.receive.peek(64)
        guard count > 0 else { return 0 }
        for offset in 0..<count {
            let descriptor = port == 0 ? first.receive[offset] : second.receive[offset]
            look(descriptor)
            let room = port == 0 ? second.transmit.free(1) : first.transmit.free(1)
            if room == 0 {
                free.append(descriptor.address & ~UInt64(Self.frameSize - 1))
            } else if port == 0 {
                second.transmit.push(Descriptor(address: descriptor.address, length: descriptor.length))
            } else {
                first.transmit.push(Descriptor(address: descriptor.address, length: descriptor.length))
            }
        }
        if port == 0 {
            first.receive.release(count)
            second.transmit.submit()
        } else {
            second.receive.release(count)
            first.transmit.submit()
        }
        return Int(count)
    }

    private func look(_ descriptor: Descriptor) {
        // The kernel's own descriptors lie inside the area that it was given.
        let bytes = unsafe UnsafeRawBufferPointer(start: memory + Int(descriptor.address), count: Int(descriptor.length))
        if !sought.isEmpty, unsafe bytes.elementsEqual(sought) { hasFound = true }
        switch unsafe Self.hasCompleteSum(bytes) {
        case true?: sums.complete += 1
        case false?: sums.halfMade += 1
        case nil: break
        }
    }

    /// Whether the checksum of an untagged IPv4 frame with UDP or TCP is right (RFC 1071); nil for other frames.
    static func hasCompleteSum(_ frame: UnsafeRawBufferPointer) -> Bool? {
        guard frame.count >= 34, unsafe frame[12] == 8, unsafe frame[13] == 0 else { return nil }
        let header = Int(unsafe frame[14] & 15) * 4
        let total = Int(unsafe frame[16]) << 8 | Int(unsafe frame[17])
        let `protocol` = unsafe frame[23]
        guard [6, 17].contains(`protocol`), header >= 20, total >= header, frame.count >= 14 + total else { return nil }
        var sum = UInt32(`protocol`) + UInt32(total - header)
        for place in (26..<34) { unsafe sum += UInt32(frame[place]) << (place % 2 == 0 ? 8 : 0) }
        for place in (14 + header)..<(14 + total) {
            unsafe sum += UInt32(frame[place]) << ((place - header) % 2 == 0 ? 8 : 0)
        }
        while sum > 0xffff { sum = (sum & 0xffff) + sum >> 16 }
        return sum == 0xffff
    }

    private static func reclaim(_ rings: inout SocketRings, _ free: inout [UInt64]) {
        let count = rings.completion.peek(ringSize)
        for offset in 0..<count { free.append(rings.completion[offset] & ~UInt64(frameSize - 1)) }
        rings.completion.release(count)
    }

    private static func refill(_ rings: inout SocketRings, _ free: inout [UInt64]) {
        let count = min(rings.fill.free(ringSize), UInt32(free.count))
        for _ in 0..<count { rings.fill.push(free.removeLast()) }
        rings.fill.submit()
    }
}
