// SPDX-License-Identifier: Apache-2.0
public import Net

// The only way from bytes to numbers, and the only unsafe code of this room. Every load is checked against the span by the standard
// library; behind the readers' guards the compiler removes the check, so that it costs nothing and is there all the same.

/// One byte.
@_noLocks @inlinable @inline(__always)
func u8(_ bytes: borrowing RawSpan, _ offset: Int) -> UInt8 {
    // Bounds are checked by the callee, and each bit pattern is a number.
    unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self)
}

/// Two bytes in network order.
@_noLocks @inlinable @inline(__always)
func u16(_ bytes: borrowing RawSpan, _ offset: Int) -> UInt16 {
    // As in `u8`.
    unsafe UInt16(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
}

/// Three bytes in network order.
@_noLocks @inlinable @inline(__always)
func u24(_ bytes: borrowing RawSpan, _ offset: Int) -> UInt32 {
    UInt32(u16(bytes, offset)) << 8 | UInt32(u8(bytes, offset &+ 2))
}

/// Four bytes in network order.
@_noLocks @inlinable @inline(__always)
func u32(_ bytes: borrowing RawSpan, _ offset: Int) -> UInt32 {
    // As in `u8`.
    unsafe UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
}

/// Eight bytes in network order.
@_noLocks @inlinable @inline(__always)
func u64(_ bytes: borrowing RawSpan, _ offset: Int) -> UInt64 {
    // As in `u8`.
    unsafe UInt64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
}

/// Sixteen bytes of an IPv6 address.
@_noLocks @inlinable @inline(__always)
func address(_ bytes: borrowing RawSpan, _ offset: Int) -> Address {
    Address(high: u64(bytes, offset), low: u64(bytes, offset &+ 8))
}

// For sums over a range that has been compared with the span as a whole: in these the callee checks nothing.

/// Two bytes in the machine's order; they lie in the span.
@_noLocks @inlinable @inline(__always)
func native16(_ bytes: borrowing RawSpan, inside offset: Int) -> UInt16 {
    // As in `native64`.
    unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self)
}

/// Four bytes in the machine's order; they lie in the span.
@_noLocks @inlinable @inline(__always)
func native32(_ bytes: borrowing RawSpan, inside offset: Int) -> UInt32 {
    // As in `native64`.
    unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self)
}

/// Eight bytes in the machine's order; they lie in the span.
@_noLocks @inlinable @inline(__always)
func native64(_ bytes: borrowing RawSpan, inside offset: Int) -> UInt64 {
    // The caller has compared a range that holds them; each bit pattern is a number.
    unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
}

/// Sixteen bytes in the machine's order; they lie in the span.
@_noLocks @inlinable @inline(__always)
func native128(_ bytes: borrowing RawSpan, inside offset: Int) -> SIMD2<UInt64> {
    // As in `native64`.
    unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD2<UInt64>.self)
}
