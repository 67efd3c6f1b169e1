// SPDX-License-Identifier: Apache-2.0

/// The cyclic redundancy check of SCTP (RFC 9260, appendix A; polynomial of Castagnoli), eight bytes a step: each byte of a step is
/// looked up in the table for its distance from the step's end, and what is found is added up without carries ("slicing by eight",
/// Kounavis and Berry 2005). A machine has an instruction for it that Swift does not reach.
///
/// The tables take 8 KiB, and are made once in a process. Hot code may not ask whether that has happened, so a worker takes a copy of this
/// value, which is a pointer to them, when it begins.
@safe public struct CRC32C: BitwiseCopyable, @unchecked Sendable {
    /// The tables, made when this is first asked for and kept for good.
    public static let shared = CRC32C()

    /// The polynomial, its bits turned around: the lowest bit is that of the highest power.
    private static var polynomial: UInt32 { 0x82f6_3b78 }
    /// Eight tables of 256: what a byte adds that so many bytes follow.
    private let tables: UnsafePointer<UInt32>
    private static var size: Int { 2048 }

    private init() {
        let tables = UnsafeMutablePointer<UInt32>.allocate(capacity: CRC32C.size)
        for byte in 0..<256 {
            var remainder = UInt32(byte)
            for _ in 0..<8 { remainder = remainder & 1 == 0 ? remainder >> 1 : remainder >> 1 ^ CRC32C.polynomial }
            unsafe tables[byte] = remainder
        }
        for index in 256..<CRC32C.size {
            unsafe tables[index] = tables[index - 256] >> 8 ^ tables[Int(tables[index - 256] & 0xff)]
        }
        unsafe self.tables = UnsafePointer(tables)
    }

    /// The remainder with the bytes from `start` to `end` behind what led to `remainder`. The range lies in the frame.
    @_noLocks
    func advanced(_ remainder: UInt32, over frame: borrowing RawSpan, from start: Int, to end: Int) -> UInt32 {
        var (remainder, offset) = (remainder, start)
        while end &- offset >= 8 {
            // The first byte is the lowest one.
            let bytes = u64(frame, offset).byteSwapped ^ UInt64(remainder)
            remainder = entry(1792, bytes) ^ entry(1536, bytes >> 8) ^ entry(1280, bytes >> 16) ^ entry(1024, bytes >> 24)
            remainder ^= entry(768, bytes >> 32) ^ entry(512, bytes >> 40) ^ entry(256, bytes >> 48) ^ entry(0, bytes >> 56)
            offset &+= 8
        }
        while offset < end {
            remainder = remainder >> 8 ^ entry(0, UInt64(remainder) ^ UInt64(u8(frame, offset)))
            offset &+= 1
        }
        return remainder
    }

    /// The remainder with four zero bytes behind what led to it.
    @_noLocks
    func advancedByFourZeros(_ remainder: UInt32) -> UInt32 {
        let bytes = UInt64(remainder)
        return entry(768, bytes) ^ entry(512, bytes >> 8) ^ entry(256, bytes >> 16) ^ entry(0, bytes >> 24)
    }

    @_noLocks @inline(__always)
    private func entry(_ table: Int, _ byte: UInt64) -> UInt32 {
        // `table` is one of the eight multiples of 256 above.
        unsafe tables[table &+ Int(truncatingIfNeeded: byte & 0xff)]
    }
}
