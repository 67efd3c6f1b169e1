// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// The cyclic redundancy check of SCTP (RFC 9260, appendix A; polynomial of Castagnoli), eight bytes a step: each byte of a step is
/// looked up in the table for its distance from the step's end, and what is found is added up without carries ("slicing by eight",
/// Kounavis and Berry 2005). A machine has an instruction for it that Swift does not reach.
///
/// The tables take 8 KiB. They are no constant, because hot code may not run the initialiser of one: a worker owns them.
public struct CRC32C: ~Copyable, Sendable {
    /// The polynomial, its bits turned around: the lowest bit is that of the highest power.
    private static var polynomial: UInt32 { 0x82f6_3b78 }
    /// Eight tables of 256: what a byte adds that so many bytes follow.
    private let tables: InlineArray<2048, UInt32>
    /// Never read. What has an atomic is borrowed by its address; without one the tables would be copied for each call (`FlowTable`).
    private let anchor = Atomic<UInt8>(0)

    /// The tables.
    public init() {
        var tables = InlineArray<2048, UInt32>(repeating: 0)
        for byte in 0..<256 {
            var remainder = UInt32(byte)
            for _ in 0..<8 { remainder = remainder & 1 == 0 ? remainder >> 1 : remainder >> 1 ^ CRC32C.polynomial }
            tables[byte] = remainder
        }
        for index in 256..<2048 { tables[index] = tables[index - 256] >> 8 ^ tables[Int(tables[index - 256] & 0xff)] }
        self.tables = tables
    }

    /// The remainder with the bytes from `start` to `end` behind what led to `remainder`. The range lies in the frame.
    @_noLocks
    borrowing func advanced(_ remainder: UInt32, over frame: borrowing RawSpan, from start: Int, to end: Int) -> UInt32 {
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
    borrowing func advancedByFourZeros(_ remainder: UInt32) -> UInt32 {
        let bytes = UInt64(remainder)
        return entry(768, bytes) ^ entry(512, bytes >> 8) ^ entry(256, bytes >> 16) ^ entry(0, bytes >> 24)
    }

    @_noLocks @inline(__always)
    private borrowing func entry(_ table: Int, _ byte: UInt64) -> UInt32 {
        tables[table &+ Int(truncatingIfNeeded: byte & 0xff)]
    }
}
