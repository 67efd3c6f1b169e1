// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The IPv6 header (RFC 8200, 3).
private enum IPv6Field {
    static var versionClassAndLabel: Int { 0 }
    static var payloadLength: Int { versionClassAndLabel + 4 }
    static var nextHeader: Int { payloadLength + 2 }
    static var hopLimit: Int { nextHeader + 1 }
    static var source: Int { hopLimit + 1 }
    static var destination: Int { source + 16 }
    static var length: Int { destination + 16 }
}

/// The Fragment header (RFC 8200, 4.5).
private enum FragmentField {
    static var nextHeader: Int { 0 }
    static var reserved: Int { nextHeader + 1 }
    static var offsetAndMore: Int { reserved + 1 }
    static var identification: Int { offsetAndMore + 2 }
    static var length: Int { identification + 4 }

    /// The offset is in units of 8 bytes and stands 3 bits to the left: masked, it is the offset in bytes.
    static var offsetMask: UInt16 { 0xfff8 }
    static var moreMask: UInt16 { 1 }
}

/// Next-header values that are extension headers (IANA "IPv6 Extension Header Types"); 253 and 254 are left out because they are
/// experimental protocols as well, and not read either way.
private enum ExtensionHeader {
    static var hopByHop: UInt8 { 0 }
    static var routing: UInt8 { 43 }
    static var fragment: UInt8 { 44 }
    static var security: UInt8 { 50 }
    static var authentication: UInt8 { 51 }
    static var destinationOptions: UInt8 { 60 }
    static var mobility: UInt8 { 135 }
    static var hostIdentity: UInt8 { 139 }
    static var shim6: UInt8 { 140 }
}

/// Reads the IPv6 header and, of the extension headers, only the Fragment header, and only in first place. A payload length of 0
/// would be a jumbogram (RFC 2675) or nothing, and is refused.
@_noLocks
func readIPv6(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.networkOffset)
    let available = frame.byteCount &- start
    guard available >= IPv6Field.length else { return .truncated }
    let payloadLength = Int(u16(frame, start &+ IPv6Field.payloadLength))
    guard u8(frame, start) >> 4 == 6, payloadLength > 0, payloadLength <= available &- IPv6Field.length else { return .badLength }

    reading.kind = .packet
    reading.source = address(frame, start &+ IPv6Field.source)
    reading.destination = address(frame, start &+ IPv6Field.destination)
    // First of all: a mapped address would make the rest of the path take the packet for IPv4.
    guard !reading.source.isIPv4, !reading.destination.isIPv4 else { return .martian }
    reading.hopLimit = u8(frame, start &+ IPv6Field.hopLimit)
    reading.protocolNumber = IPProtocol(rawValue: u8(frame, start &+ IPv6Field.nextHeader))
    reading.transportOffset = UInt16(truncatingIfNeeded: start &+ IPv6Field.length)
    reading.payloadOffset = reading.transportOffset
    reading.end = UInt16(truncatingIfNeeded: start &+ IPv6Field.length &+ payloadLength)
    reading.mark(MarkBit.dontFragment)
    if reading.destination.isMulticast { reading.mark(MarkBit.group) }

    guard isExtensionHeader(reading.protocolNumber) else { return nil }
    guard reading.protocolNumber.rawValue == ExtensionHeader.fragment else { return .extensionHeader }
    return readFragmentHeader(frame, into: &reading)
}

/// Reads the Fragment header. An atomic fragment (offset 0, nothing follows; RFC 6946) is of kind `fragment` too, without the mark.
/// What follows another extension header or a second Fragment header is refused (CVE-2023-4809).
@_noLocks
private func readFragmentHeader(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.transportOffset)
    guard Int(reading.end) &- start >= FragmentField.length else { return .truncated }
    reading.protocolNumber = IPProtocol(rawValue: u8(frame, start &+ FragmentField.nextHeader))
    reading.transportOffset = UInt16(truncatingIfNeeded: start &+ FragmentField.length)
    reading.payloadOffset = reading.transportOffset
    guard !isExtensionHeader(reading.protocolNumber) else { return .extensionHeader }
    let offsetAndMore = u16(frame, start &+ FragmentField.offsetAndMore)
    return readFragment(
        offset: offsetAndMore & FragmentField.offsetMask, more: offsetAndMore & FragmentField.moreMask != 0,
        identification: u32(frame, start &+ FragmentField.identification), into: &reading)
}

@_noLocks
private func isExtensionHeader(_ number: IPProtocol) -> Bool {
    switch number.rawValue {
    case ExtensionHeader.hopByHop, ExtensionHeader.routing, ExtensionHeader.fragment, ExtensionHeader.security,
        ExtensionHeader.authentication, ExtensionHeader.destinationOptions, ExtensionHeader.mobility,
        ExtensionHeader.hostIdentity, ExtensionHeader.shim6:
        true
    default: false
    }
}
