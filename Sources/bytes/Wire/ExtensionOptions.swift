// SPDX-License-Identifier: Apache-2.0
internal import Net

/// An option of hop-by-hop and destination options: type, length of its data, data (RFC 8200, 4.2). The two highest bits of the type say
/// what a host does that does not know it.
private enum ExtensionOption {
    static var type: Int { 0 }
    static var dataLength: Int { type + 1 }
    static var length: Int { dataLength + 1 }

    /// The only one without a length.
    static var pad1: UInt8 { 0 }
    /// RFC 2711.
    static var routerAlert: UInt8 { 5 }
    /// RFC 2675.
    static var jumboPayload: UInt8 { 0xc2 }
    static var actionMask: UInt8 { 0xc0 }
}

/// Walks a list of options, which fills its header. An option that a host may skip passes; any other makes hosts that do not know it
/// discard the packet, and others read it differently: it carries a length of its own (jumbograms), or a source that is not the one
/// in the header (the home address of mobile IPv6, RFC 6275, 6.3). It is refused.
@_noLocks
func readExtensionOptions(
    _ frame: borrowing RawSpan, from start: Int, to end: Int, hasRouterAlert: inout Bool
) -> DropReason? {
    var offset = start
    while offset < end {
        let type = u8(frame, offset)
        if type == ExtensionOption.pad1 {
            offset &+= 1
            continue
        }
        guard end &- offset >= ExtensionOption.length else { return .extensionHeader }
        let length = Int(u8(frame, offset &+ ExtensionOption.dataLength))
        guard length <= end &- offset &- ExtensionOption.length else { return .extensionHeader }
        if type == ExtensionOption.jumboPayload { return .badLength }
        guard type & ExtensionOption.actionMask == 0 else { return .extensionHeader }
        if type == ExtensionOption.routerAlert {
            guard length == 2, !hasRouterAlert else { return .extensionHeader }
            hasRouterAlert = true
        }
        offset &+= ExtensionOption.length &+ length
    }
    return nil
}
