// SPDX-License-Identifier: Apache-2.0
internal import Net

// The only way from numbers to bytes. Every store is checked against the span by the standard library; the writers compare the
// length of the whole reply with the span before they store its first byte.

/// Stores one byte.
@_noLocks @inline(__always)
func put8(_ number: UInt8, _ bytes: inout MutableRawSpan, _ offset: Int) {
    bytes.storeBytes(of: number, toByteOffset: offset, as: UInt8.self)
}

/// Stores two bytes in network order.
@_noLocks @inline(__always)
func put16(_ number: UInt16, _ bytes: inout MutableRawSpan, _ offset: Int) {
    bytes.storeBytes(of: number.bigEndian, toByteOffset: offset, as: UInt16.self)
}

/// Stores four bytes in network order.
@_noLocks @inline(__always)
func put32(_ number: UInt32, _ bytes: inout MutableRawSpan, _ offset: Int) {
    bytes.storeBytes(of: number.bigEndian, toByteOffset: offset, as: UInt32.self)
}

/// Stores an address: four bytes for IPv4, sixteen for IPv6.
@_noLocks
func put(_ address: Address, _ bytes: inout MutableRawSpan, _ offset: Int) {
    if address.isIPv4 { return put32(address.v4, &bytes, offset) }
    bytes.storeBytes(of: address.high.bigEndian, toByteOffset: offset, as: UInt64.self)
    bytes.storeBytes(of: address.low.bigEndian, toByteOffset: offset &+ 8, as: UInt64.self)
}

/// Stores a hardware address.
@_noLocks @inline(__always)
func put(_ address: MACAddress, _ bytes: inout MutableRawSpan, _ offset: Int) {
    put16(UInt16(truncatingIfNeeded: address.bits >> 32), &bytes, offset)
    put32(UInt32(truncatingIfNeeded: address.bits), &bytes, offset &+ 2)
}

/// Copies the frame's bytes from `start` to `end` to `offset`; both ranges lie in their spans.
@_noLocks
func copy(_ frame: borrowing RawSpan, from start: Int, to end: Int, into bytes: inout MutableRawSpan, at offset: Int) {
    var done = 0
    while end &- start &- done >= 8 {
        bytes.storeBytes(of: u64(frame, start &+ done).bigEndian, toByteOffset: offset &+ done, as: UInt64.self)
        done &+= 8
    }
    while start &+ done < end {
        put8(u8(frame, start &+ done), &bytes, offset &+ done)
        done &+= 1
    }
}
