// SPDX-License-Identifier: Apache-2.0
internal import Net

/// Next-header values that are extension headers (IANA "IPv6 Extension Header Types") or belong to their chain. The security payload (50)
/// is none here: what it encrypts nobody reads, so it is a protocol of its own.
enum ExtensionHeader {
    static var hopByHop: UInt8 { @_noLocks get { 0 } }
    static var routing: UInt8 { @_noLocks get { 43 } }
    static var fragment: UInt8 { @_noLocks get { 44 } }
    static var authentication: UInt8 { @_noLocks get { 51 } }
    /// No next header: the packet ends here.
    static var none: UInt8 { @_noLocks get { 59 } }
    static var destinationOptions: UInt8 { @_noLocks get { 60 } }
    static var mobility: UInt8 { @_noLocks get { 135 } }
    static var hostIdentity: UInt8 { @_noLocks get { 139 } }
    static var shim6: UInt8 { @_noLocks get { 140 } }
}

/// What most extension headers begin with (RFC 8200, 4.3 to 4.6; RFC 6564).
private enum ExtensionField {
    static var nextHeader: Int { 0 }
    static var extensionLength: Int { nextHeader + 1 }
    static var body: Int { extensionLength + 1 }
    /// The unit of the length, and the length of the shortest.
    static var unit: Int { 8 }
    /// Limits of a chain: so many headers, so many bytes.
    static var mostHeaders: Int { 8 }
    static var mostBytes: Int { 256 }
}

/// The Fragment header (RFC 8200, 4.5).
private enum FragmentField {
    static var nextHeader: Int { 0 }
    static var reserved: Int { nextHeader + 1 }
    static var offsetAndMore: Int { reserved + 1 }
    static var identification: Int { offsetAndMore + 2 }

    /// The offset is in units of 8 bytes and stands 3 bits to the left: masked, it is the offset in bytes.
    static var offsetMask: UInt16 { 0xfff8 }
    static var moreMask: UInt16 { 1 }
}

/// Whether a number stands for an extension header. IPv4 knows one of them: authentication.
@_noLocks
func isExtensionHeader(_ number: UInt8, overIPv4: Bool) -> Bool {
    if number == ExtensionHeader.authentication { return true }
    guard !overIPv4 else { return false }
    switch number {
    case 0, 43, 44, 60, 135, 139, 140: return true
    default: return false
    }
}

/// Where the walk along a chain is, and what it has met.
private struct Chain {
    var offset: Int
    let start: Int
    var headers = 0
    /// A bit for each kind of header, in the order of `ExtensionHeader`.
    var seen: UInt8 = 0
    var destinationOptions = 0
    var hasRouterAlert = false
}

/// Walks the chain from `transportOffset` on, to the first header that is none of it. It may have 8 headers and 256 bytes. Any order
/// is read, as hosts must (RFC 8200, 4.1), but hop-by-hop options stand first, and no header comes twice, destination options three
/// times: of two Fragment headers or routes, each reader takes another (CVE-2023-4809).
///
/// A fragment that is not the first has no chain to walk; that of a first one must be whole (RFC 7112). An atomic fragment (offset 0,
/// nothing follows; RFC 6946) is read as if it were none.
@_noLocks
func readExtensions(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    var chain = Chain(offset: Int(reading.transportOffset), start: Int(reading.transportOffset))
    let overIPv4 = reading.isIPv4
    while isExtensionHeader(reading.protocolNumber.rawValue, overIPv4: overIPv4) {
        let number = reading.protocolNumber.rawValue
        let available = Int(reading.end) &- chain.offset
        guard available >= ExtensionField.unit else { return .truncated }
        let length = extensionLength(frame, at: chain.offset, of: number)
        guard length <= available else { return .truncated }
        chain.headers &+= 1
        guard chain.headers <= ExtensionField.mostHeaders, chain.offset &+ length &- chain.start <= ExtensionField.mostBytes
        else { return .extensionHeader }
        if let reason = readExtension(frame, number, length: length, &chain) { return reason }
        let next = u8(frame, chain.offset &+ ExtensionField.nextHeader)
        // Messages of mobility, host identity and shim6 end the packet: they are what policy judges.
        if next == ExtensionHeader.none, isMessage(number) { break }
        let header = chain.offset
        chain.offset &+= length
        reading.protocolNumber = IPProtocol(rawValue: next)
        reading.leave(at: chain.offset)
        if number == ExtensionHeader.fragment {
            reading.identification = u32(frame, header &+ FragmentField.identification)
            let offsetAndMore = u16(frame, header &+ FragmentField.offsetAndMore)
            let offset = offsetAndMore & FragmentField.offsetMask
            let more = offsetAndMore & FragmentField.moreMask != 0
            if let reason = noteFragment(offset: offset, more: more, into: &reading) { return reason }
            // What a later fragment is a part of, the first one says; but that can be neither of these.
            guard offset != 0 else { continue }
            return next == ExtensionHeader.hopByHop || next == ExtensionHeader.fragment ? .extensionHeader : nil
        }
    }
    return endOfChain(frame, chain, into: &reading)
}

/// Whether an extension header that ends its packet is a message of its own (RFC 6275, 6.1; RFC 7401, 5.1; RFC 5533, 5.3).
@_noLocks
func isMessage(_ number: UInt8) -> Bool {
    number == ExtensionHeader.mobility || number == ExtensionHeader.hostIdentity || number == ExtensionHeader.shim6
}

/// The length of an extension header in bytes: units of 8 beyond the first, of 4 beyond the first two for authentication (RFC 4302, 2.2).
@_noLocks
func extensionLength(_ frame: borrowing RawSpan, at offset: Int, of number: UInt8) -> Int {
    let length = Int(u8(frame, offset &+ ExtensionField.extensionLength))
    if number == ExtensionHeader.fragment { return ExtensionField.unit }
    if number == ExtensionHeader.authentication { return (length &+ 2) &* 4 }
    return (length &+ 1) &* ExtensionField.unit
}

/// Checks one header, which lies in the packet.
@_noLocks
private func readExtension(_ frame: borrowing RawSpan, _ number: UInt8, length: Int, _ chain: inout Chain) -> DropReason? {
    let body = chain.offset &+ ExtensionField.body
    let end = chain.offset &+ length
    if number == ExtensionHeader.destinationOptions {
        chain.destinationOptions &+= 1
        guard chain.destinationOptions <= 2 else { return .extensionHeader }
        return readExtensionOptions(frame, from: body, to: end, hasRouterAlert: &chain.hasRouterAlert)
    }
    let bit: UInt8
    switch number {
    case 0: bit = 1
    case 43: bit = 2
    case 44: bit = 4
    case 51: bit = 8
    case 135: bit = 16
    case 139: bit = 32
    default: bit = 64
    }
    guard chain.seen & bit == 0 else { return .extensionHeader }
    chain.seen |= bit
    if number == ExtensionHeader.hopByHop {
        guard chain.headers == 1 else { return .extensionHeader }
        return readExtensionOptions(frame, from: body, to: end, hasRouterAlert: &chain.hasRouterAlert)
    }
    if number == ExtensionHeader.routing { return isDone(frame, body) ? nil : .extensionHeader }
    if number == ExtensionHeader.authentication { return isAuthentication(frame, chain.offset, length) ? nil : .badIPsec }
    return nil
}

/// Whether a routing header (RFC 8200, 4.4) has done its work: no segment is left, so the destination is the last one. With segments
/// left the packet goes on to where policy was not asked about. Types 0 and 1 are refused in any case (RFC 5095, RFC 3692).
@_noLocks
private func isDone(_ frame: borrowing RawSpan, _ body: Int) -> Bool {
    u8(frame, body) >= 2 && u8(frame, body &+ 1) == 0
}

/// What the end of the chain must fit: a router alert belongs to ICMPv6 or RSVP (RFC 6398), and neighbour discovery is never
/// fragmented, atomic fragments included (RFC 6980): guards on switches would not see it there.
@_noLocks
private func endOfChain(_ frame: borrowing RawSpan, _ chain: Chain, into reading: inout Reading) -> DropReason? {
    let number = reading.protocolNumber.rawValue
    if chain.hasRouterAlert, number != IPProtocol.icmp6.rawValue, number != 46 { return .extensionHeader }
    guard chain.seen & 4 != 0, number == IPProtocol.icmp6.rawValue, Int(reading.end) > chain.offset else { return nil }
    return isNeighbourDiscovery(u8(frame, chain.offset)) ? .badNeighbour : nil
}
