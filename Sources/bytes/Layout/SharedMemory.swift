// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Glibc
public import Ring

/// A memory file with shared ownership, for the rooms above that know neither rings nor C: control's counters, board and events, the
/// snapshot that it publishes and the address map that it goes on writing. Unmapped with its last owner.
@safe public final class SharedMemory: @unchecked Sendable {
    private let file: MemoryFile

    /// Takes over a mapped file.
    public init(_ file: consuming MemoryFile) { self.file = file }

    /// Maps what another process sent, for reading only or for both.
    public convenience init(adopting descriptor: Int32, writable: Bool) throws(RingError) {
        self.init(writable ? try MemoryFile(adopting: descriptor) : try MemoryFile(reading: descriptor))
    }

    /// Maps, for reading and writing, what another process sent, if it is what the header says and nobody can change its size.
    public convenience init(adopting descriptor: Int32, expecting header: MemoryHeader) throws(RingError) {
        let file = try MemoryFile(adopting: descriptor)
        try file.expectSeals()
        try file.expect(header)
        self.init(file)
    }

    /// A writable file of zeros that can neither shrink nor grow.
    public static func create(_ name: String, byteCount: Int) throws(RingError) -> SharedMemory {
        SharedMemory(try MemoryFile.create(name, byteCount: byteCount))
    }

    /// A file of zeros with a header, as keeper makes it: in huge pages where `huge` is asked for and enough are free, on the given NUMA
    /// node if that is not negative, and with every page reserved.
    public static func create(
        _ name: String, byteCount: Int, header: MemoryHeader, huge: Bool = false, node: Int32 = -1
    ) throws(RingError) -> SharedMemory {
        let memory = SharedMemory(try MemoryFile.create(name, byteCount: byteCount, huge: huge))
        // Before the pages are touched. Far memory is slow, not wrong: a refusal is no error.
        _ = unsafe cxdp_bind_memory_to_node(memory.base, UInt64(memory.byteCount), node)
        try memory.file.populate()
        memory.file.write(header)
        return memory
    }

    /// A descriptor of a new file that holds a snapshot image and can never change again; the caller closes it.
    public static func seal(image: [UInt8]) throws(RingError) -> Int32 {
        let descriptor = unsafe cxdp_memfd_create("bulkhead-snapshot", UInt64(image.count), false)
        guard descriptor >= 0 else { throw .memory("cannot make \(image.count) bytes for a snapshot", errno: -descriptor) }
        var written = 0
        while written < image.count {
            let count = unsafe image.withUnsafeBytes { bytes in
                unsafe pwrite(descriptor, bytes.baseAddress! + written, image.count - written, off_t(written))
            }
            guard count > 0 else {
                let code = errno
                close(descriptor)
                throw .memory("cannot write a snapshot", errno: code)
            }
            written += count
        }
        let seals = CXDP_SEAL_SEAL | CXDP_SEAL_SHRINK | CXDP_SEAL_GROW | CXDP_SEAL_WRITE
        let result = cxdp_memfd_seal(descriptor, Int32(seals))
        guard result == 0 else {
            close(descriptor)
            throw .memory("cannot seal a snapshot", errno: -result)
        }
        return descriptor
    }

    /// The descriptor, to be sent; it stays this object's.
    public var descriptor: Int32 { file.descriptor }
    /// The first byte; valid as long as this object lives.
    @unsafe public var base: UnsafeMutableRawPointer { unsafe file.base }
    /// Bytes mapped.
    public var byteCount: Int { file.byteCount }
}
