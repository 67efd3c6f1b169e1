// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Memory aligned to a page of 2 MiB, with huge pages where they are asked for and the kernel gives them.
@safe package final class Pages {
    /// The first byte.
    package let base: UnsafeMutableRawPointer
    /// Bytes that were asked for.
    package let count: Int

    /// Zeroed memory, every page of it there.
    package init(count: Int, huge: Bool) {
        self.count = count
        let rounded = max((count + 0x1f_ffff) & ~0x1f_ffff, 0x20_0000)
        unsafe base = .allocate(byteCount: rounded, alignment: 0x20_0000)
        unsafe madvise(base, rounded, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: rounded)
    }

    deinit { unsafe base.deallocate() }

    /// Writes to every cache line.
    package func sweep() {
        for line in stride(from: 0, to: count, by: 64) {
            // `line` is below the count.
            unsafe base.storeBytes(
                of: unsafe base.load(fromByteOffset: line, as: UInt8.self) &+ 1, toByteOffset: line, as: UInt8.self)
        }
    }
}
