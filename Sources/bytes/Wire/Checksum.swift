// SPDX-License-Identifier: Apache-2.0
internal import Net

// The Internet checksum (RFC 1071). A running sum has 64 bits and is folded once at the end. Words of 32 bits add up to the same as
// their halves, because 2¹⁶ is 1 in one's complement; a frame has fewer than 2¹⁵ of them, so that the sum never wraps. The order of
// the bytes in a word turns the order of those in the sum and changes nothing else (RFC 1071, 2 B), so that the bulk is added up in
// the machine's order and turned once.

/// The sum with the bytes from `start` to `end` added to it; an odd last byte counts as if a zero followed it. The range lies in the
/// frame.
@_noLocks @inline(always)
func summed(_ frame: borrowing RawSpan, from start: Int, to end: Int, onto sum: UInt64) -> UInt64 {
    // Once for all loads of both loops.
    precondition(start >= 0 && end <= frame.byteCount)
    var offset = start
    var native: UInt64 = 0
    if end &- offset >= 64 {
        let lower = SIMD2<UInt64>(repeating: 0xffff_ffff)
        var (first, second) = (SIMD2<UInt64>(), SIMD2<UInt64>())
        repeat {
            let (a, b) = (native128(frame, inside: offset), native128(frame, inside: offset &+ 16))
            let (c, d) = (native128(frame, inside: offset &+ 32), native128(frame, inside: offset &+ 48))
            first &+= ((a & lower) &+ (b & lower)) &+ ((a &>> 32) &+ (b &>> 32))
            second &+= ((c & lower) &+ (d & lower)) &+ ((c &>> 32) &+ (d &>> 32))
            offset &+= 64
        } while end &- offset >= 64
        first &+= second
        native = first[0] &+ first[1]
    }
    while end &- offset >= 8 {
        let word = native64(frame, inside: offset)
        native &+= (word & 0xffff_ffff) &+ (word >> 32)
        offset &+= 8
    }
    var sum = sum &+ UInt64(UInt16(bigEndian: folded(native)))
    if end &- offset >= 4 {
        sum &+= UInt64(u32(frame, offset))
        offset &+= 4
    }
    if end &- offset >= 2 {
        sum &+= UInt64(u16(frame, offset))
        offset &+= 2
    }
    if offset < end { sum &+= UInt64(u8(frame, offset)) << 8 }
    return sum
}

/// The sum of an address's bytes: of its four for IPv4, of all sixteen for IPv6.
@_noLocks @inline(__always)
func sum(of address: Address) -> UInt64 {
    if address.isIPv4 { return UInt64(address.v4) }
    return (address.high >> 32) &+ (address.high & 0xffff_ffff) &+ (address.low >> 32) &+ (address.low & 0xffff_ffff)
}

/// The sum of a pseudo-header (RFC 9293, 3.1; RFC 8200, 8.1): both addresses, the transport's length and its protocol number.
@_noLocks @inline(__always)
func pseudoHeaderSum(_ a: Address, _ b: Address, length: Int, _ number: IPProtocol) -> UInt64 {
    sum(of: a) &+ sum(of: b) &+ UInt64(truncatingIfNeeded: length) &+ UInt64(number.rawValue)
}

/// What a header's checksum field must hold for the given sum over the rest, the field counted as 0. With the field in the sum, it is
/// 0 where the field is right.
@_noLocks @inline(__always)
func checksum(of sum: UInt64) -> UInt16 { ~folded(sum) }

/// The sum in 16 bits: carries are added to the lower end. 0 only for 0.
@_noLocks @inline(__always)
func folded(_ sum: UInt64) -> UInt16 {
    var folded = (sum & 0xffff_ffff) &+ (sum >> 32)
    folded = (folded & 0xffff) &+ (folded >> 16)
    folded = (folded & 0xffff) &+ (folded >> 16)
    folded = (folded & 0xffff) &+ (folded >> 16)
    return UInt16(truncatingIfNeeded: folded)
}
