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
    sum &+ UInt64(UInt16(bigEndian: folded(nativeSum(frame, from: start, to: end))))
}

/// The sum of the bytes from `start` to `end` in the machine's order, under the same terms.
@_noLocks @inlinable @inline(__always)
func nativeSum(_ frame: borrowing RawSpan, from start: Int, to end: Int) -> UInt64 {
    // For the loads of the loop.
    precondition(start >= 0 && end <= frame.byteCount)
    var offset = start
    var (w0, w1, u0, u1) = (SIMD2<UInt64>(), SIMD2<UInt64>(), SIMD2<UInt64>(), SIMD2<UInt64>())
    while end &- offset >= shortLimit {
        let (a, b) = (native128(frame, inside: offset), native128(frame, inside: offset &+ 16))
        let (c, d) = (native128(frame, inside: offset &+ 32), native128(frame, inside: offset &+ 48))
        w0 &+= a &+ b
        w1 &+= c &+ d
        u0 &+= (a &>> 32) &+ (b &>> 32)
        u1 &+= (c &>> 32) &+ (d &>> 32)
        offset &+= shortLimit
    }
    w0 &+= w1
    u0 &+= u1
    return lowerAndUpper(w0[0] &+ w0[1], u0[0] &+ u0[1]) &+ nativeShortSum(frame, from: offset, to: end)
}

/// Bytes from which on a sum is worked out in wide steps of as many.
@inlinable var shortLimit: Int { @_noLocks get { 64 } }

/// As `nativeSum`, of fewer bytes than `shortLimit`: by the bits of their number. No loop, which the compiler would turn into a wide one
/// for a handful of words.
@_noLocks @inlinable @inline(__always)
func nativeShortSum(_ frame: borrowing RawSpan, from start: Int, to end: Int) -> UInt64 {
    // For all loads.
    precondition(start >= 0 && end <= frame.byteCount)
    let count = end &- start
    var offset = start
    var (words, upper): (UInt64, UInt64) = (0, 0)
    if count & 32 != 0 {
        for word in 0..<4 { add(native64(frame, inside: offset &+ word &* 8), to: &words, &upper) }
        offset &+= 32
    }
    if count & 16 != 0 {
        for word in 0..<2 { add(native64(frame, inside: offset &+ word &* 8), to: &words, &upper) }
        offset &+= 16
    }
    if count & 8 != 0 {
        add(native64(frame, inside: offset), to: &words, &upper)
        offset &+= 8
    }
    var sum = lowerAndUpper(words, upper)
    if count & 4 != 0 {
        sum &+= UInt64(native32(frame, inside: offset))
        offset &+= 4
    }
    if count & 2 != 0 {
        sum &+= UInt64(native16(frame, inside: offset))
        offset &+= 2
    }
    // The first byte of its word, whatever comes first in a number.
    if count & 1 != 0 { sum &+= UInt64(UInt16(littleEndian: UInt16(u8(frame, offset)))) }
    return sum
}

// A word of 64 bits stands for its two halves. Adding up words as they are, and their upper halves apart, takes one operation less than
// taking each word apart: both sums together tell the lower halves' again, because these alone never reach 64 bits.

/// The sum of all halves, by the sum of the words, which may have wrapped, and that of their upper halves.
@_noLocks @inlinable @inline(__always)
func lowerAndUpper(_ words: UInt64, _ upper: UInt64) -> UInt64 { words &- (upper << 32) &+ upper }

@_noLocks @inlinable @inline(__always)
func add(_ word: UInt64, to words: inout UInt64, _ upper: inout UInt64) {
    words &+= word
    upper &+= word >> 32
}

/// A word of 64 bits as the sum of its halves.
@_noLocks @inlinable @inline(__always)
func halves(_ word: UInt64) -> UInt64 { (word & 0xffff_ffff) &+ (word >> 32) }

/// The sum of a pseudo-header that a packet in the frame has, in the machine's order: the addresses are the IP header's, which lies in
/// the frame whole.
@_noLocks @inline(__always)
func nativePseudoHeader(_ frame: borrowing RawSpan, _ extent: PacketExtent, length: Int) -> UInt64 {
    let network = Int(extent.network)
    let rest = UInt64(UInt16(truncatingIfNeeded: length).bigEndian) &+ UInt64(UInt16(extent.number).bigEndian)
    // Both addresses stand in a row, at the end of either header.
    if extent.family == 4 { return rest &+ halves(native64(frame, inside: network &+ 12)) }
    let source = halves(native64(frame, inside: network &+ 8)) &+ halves(native64(frame, inside: network &+ 16))
    return rest &+ source &+ halves(native64(frame, inside: network &+ 24)) &+ halves(native64(frame, inside: network &+ 32))
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

/// Whether a sum folds to all ones, as that over a packet with its right checksum does. A multiple of 65535 folds to nothing else but
/// for 0.
@_noLocks @inlinable @inline(__always)
func isAllOnes(_ sum: UInt64) -> Bool {
    // 65535 is odd, so that multiplying by its inverse modulo 2^64 is one to one: it takes the multiple k * 65535 to k, of which there are
    // 0 to 2^64 / 65535, and all other numbers beyond. Less 1, so that 0 is beyond too. Two compares would cost a division's remainder.
    sum &* 0xfffe_fffe_fffe_ffff &- 1 < UInt64.max / 0xffff
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
