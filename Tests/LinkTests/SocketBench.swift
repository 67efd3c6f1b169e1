// SPDX-License-Identifier: Apache-2.0
import CXDP
import Glibc
import Link
import Testing

/// Bound sockets over one memory file, with their rings mapped: the least that lets a test see a frame arrive.
@safe final class SocketBench {
    static let sizes = RingSizes(receive: 64, transmit: 64, fill: 128, completion: 64)
    static let frameSize = 2048
    static let framesPerSocket = 64

    let sockets: [XDPSocket]
    let memory: UnsafeMutableRawPointer
    let memoryFile: Int32
    private let length: Int
    private var rings: [cxdp_rings] = unsafe []

    init(at places: [XDPSocket.Place], copy: CopyMode = .auto) throws {
        length = Self.frameSize * Self.framesPerSocket * places.count
        memoryFile = unsafe cxdp_memfd_create("bhk-umem", UInt64(length), false)
        guard memoryFile >= 0, let area = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, memoryFile, 0) else {
            throw Failure(description: "no memory file")
        }
        unsafe memory = area
        let umem = unsafe UMEMArea(address: area, length: UInt64(length), frameSize: UInt32(Self.frameSize))
        sockets = try unsafe XDPSocket.open(at: places, umem: umem, rings: Self.sizes, copy: copy)
        unsafe rings = try sockets.map { try unsafe Self.map($0.fileDescriptor) }
        for index in sockets.indices { fill(index) }
    }

    deinit {
        for index in unsafe rings.indices { unsafe cxdp_xsk_unmap_rings(&rings[index]) }
        unsafe munmap(memory, length)
        close(memoryFile)
    }

    static func map(_ descriptor: Int32) throws -> cxdp_rings {
        var result = unsafe cxdp_rings()
        let answer = unsafe cxdp_xsk_map_rings(
            descriptor, sizes.receive, sizes.transmit, sizes.fill, sizes.completion, &result)
        guard answer == 0 else { throw Failure(description: "the rings cannot be mapped: errno \(-answer)") }
        return unsafe result
    }

    /// Gives a socket its share of the frames.
    private func fill(_ index: Int) {
        let ring = unsafe rings[index].fill
        let slots = unsafe ring.descriptors.assumingMemoryBound(to: UInt64.self)
        for frame in 0..<Self.framesPerSocket {
            unsafe slots[frame] = UInt64((index * Self.framesPerSocket + frame) * Self.frameSize)
        }
        unsafe ring.producer.pointee = UInt32(Self.framesPerSocket)
        _ = unsafe cxdp_xsk_receive_kick(sockets[index].fileDescriptor)
    }

    /// The next frame in a socket's receive ring. The frame is not given back.
    func receive(_ index: Int, within milliseconds: Int = patience) -> [UInt8]? {
        unsafe Self.receive(from: rings[index].receive, memory: memory, within: milliseconds)
    }

    static func receive(from ring: cxdp_ring, memory: UnsafeMutableRawPointer, within milliseconds: Int = patience) -> [UInt8]? {
        for _ in 0..<milliseconds {
            let position = unsafe ring.consumer.pointee
            // Read in another loop turn than the system call, so the compiler cannot keep it.
            if unsafe ring.producer.pointee != position {
                let slot = unsafe ring.descriptors + Int(position % ring.size) * 16
                let address = unsafe slot.load(as: UInt64.self)
                let length = unsafe slot.load(fromByteOffset: 8, as: UInt32.self)
                unsafe ring.consumer.pointee = position + 1
                return unsafe Array(UnsafeRawBufferPointer(start: memory + Int(address), count: Int(length)))
            }
            usleep(1000)
        }
        return nil
    }

    /// Sends a frame out of a socket, from the last frame of its share.
    func transmit(_ frame: [UInt8], from index: Int) {
        let ring = unsafe rings[index].transmit
        let address = ((index + 1) * Self.framesPerSocket - 1) * Self.frameSize
        unsafe (memory + address).copyMemory(from: frame, byteCount: frame.count)
        let position = unsafe ring.producer.pointee
        let slot = unsafe ring.descriptors + Int(position % ring.size) * 16
        unsafe slot.storeBytes(of: UInt64(address), as: UInt64.self)
        unsafe slot.storeBytes(of: UInt64(frame.count), toByteOffset: 8, as: UInt64.self)
        unsafe ring.producer.pointee = position + 1
        #expect(unsafe cxdp_xsk_kick(sockets[index].fileDescriptor) == 0)
    }
}
