// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The authentication header (RFC 4302, 2).
private enum AuthenticationField {
    static var nextHeader: Int { 0 }
    static var payloadLength: Int { nextHeader + 1 }
    static var reserved: Int { payloadLength + 1 }
    static var index: Int { reserved + 2 }
    static var sequence: Int { index + 4 }
    static var length: Int { sequence + 4 }
}

/// The encapsulating security payload (RFC 4303, 2).
private enum SecurityField {
    static var index: Int { 0 }
    static var sequence: Int { index + 4 }
    static var length: Int { sequence + 4 }
    /// Behind what is encrypted: length of the padding, next header.
    static var trailer: Int { 2 }
}

/// Indices below are reserved (RFC 4302, 2.4; RFC 4303, 2.1).
private var firstIndex: UInt32 { 256 }

/// Whether an authentication header of so many bytes has its fields and an index that can be. A length of 0 would have it end before its
/// sequence number.
@_noLocks
func isAuthentication(_ frame: borrowing RawSpan, _ start: Int, _ length: Int) -> Bool {
    length >= AuthenticationField.length && u32(frame, start &+ AuthenticationField.index) >= firstIndex
}

/// Reads a security payload. It has no ports: policy judges protocol 50.
@_noLocks
func readSecurityPayload(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    guard Int(reading.end) &- start >= SecurityField.length &+ SecurityField.trailer else { return .truncated }
    guard u32(frame, start &+ SecurityField.index) >= firstIndex else { return .badIPsec }
    reading.payloadOffset = UInt16(truncatingIfNeeded: start &+ SecurityField.length)
    return nil
}
