// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Wire

// The doors from an array of bytes to Wire's functions, which take spans. Each span is of an array that lives as long as the call.

/// Reads a frame, see `Wire.read`.
func read(_ frame: [UInt8], into reading: inout Reading) -> DropReason? {
    unsafe frame.withUnsafeBytes { unsafe Wire.read(RawSpan(_unsafeBytes: $0), into: &reading) }
}

/// Reads what a frame carries, see `Wire.readInner`.
func readInner(_ frame: [UInt8], of outer: Reading, into inner: inout Reading) -> DropReason? {
    unsafe frame.withUnsafeBytes { unsafe Wire.readInner(RawSpan(_unsafeBytes: $0), of: outer, into: &inner) }
}

/// Holds a packet's checksum against its bytes, see `Wire.checksumState`.
func checksumState(of reading: Reading, in frame: [UInt8]) -> ChecksumState {
    let extent = PacketExtent(reading)
    return unsafe frame.withUnsafeBytes { unsafe Wire.checksumState(of: extent, in: RawSpan(_unsafeBytes: $0), .shared) }
}
