// SPDX-License-Identifier: Apache-2.0
internal import Net

// The Internet checksum (RFC 1071). A running sum has 64 bits and is folded once at the end. Words of 32 bits add up to the same as
// their halves, because 2¹⁶ is 1 in one's complement; a frame has fewer than 2¹⁵ of them, so that the sum never wraps.

/// The sum with the bytes from `start` to `end` added to it; an odd last byte counts as if a zero followed it. `end` lies in the frame.
@_noLocks
func summed(_ frame: borrowing RawSpan, from start: Int, to end: Int, onto sum: UInt64) -> UInt64 {
    var sum = sum
    var offset = start
    while end &- offset >= 4 {
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

/// What a header's checksum field must hold for the given sum over the rest, the field counted as 0.
@_noLocks @inline(__always)
func checksum(of sum: UInt64) -> UInt16 {
    var folded = (sum & 0xffff_ffff) &+ (sum >> 32)
    folded = (folded & 0xffff) &+ (folded >> 16)
    folded = (folded & 0xffff) &+ (folded >> 16)
    folded = (folded & 0xffff) &+ (folded >> 16)
    return ~UInt16(truncatingIfNeeded: folded)
}
