// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Zeroed memory of this process in the place of a memory file: page-aligned, and taken from the machine only where it is touched.
@safe final class ReplayMemory {
    /// The first byte; valid as long as this object lives.
    let base: UnsafeMutableRawPointer
    let byteCount: Int

    init(byteCount: Int) {
        self.byteCount = max(byteCount, 1)
        let mapped = unsafe mmap(nil, self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            fatalError("the machine has no \(byteCount) bytes of memory for this capture")
        }
        unsafe base = mapped
    }

    /// Memory that holds the given bytes.
    convenience init(_ bytes: [UInt8]) {
        self.init(byteCount: bytes.count)
        write(bytes, at: 0)
    }

    deinit { _ = unsafe munmap(base, byteCount) }

    /// Bytes from an offset on.
    func bytes(at offset: Int, count: Int) -> [UInt8] {
        precondition(offset >= 0 && count >= 0 && offset + count <= byteCount)
        // Inside the memory, by the line above.
        return unsafe Array(UnsafeRawBufferPointer(start: base + offset, count: count))
    }

    /// Writes bytes at an offset.
    func write(_ bytes: [UInt8], at offset: Int) {
        precondition(offset >= 0 && offset + bytes.count <= byteCount)
        // Inside the memory, by the line above.
        unsafe bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { unsafe (base + offset).copyMemory(from: start, byteCount: source.count) }
        }
    }
}
