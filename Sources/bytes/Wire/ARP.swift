// SPDX-License-Identifier: Apache-2.0
internal import Net

/// An ARP message for IPv4 over Ethernet (RFC 826).
private enum ARPField {
    static var hardwareType: Int { 0 }
    static var protocolType: Int { hardwareType + 2 }
    static var hardwareLength: Int { protocolType + 2 }
    static var protocolLength: Int { hardwareLength + 1 }
    static var operation: Int { protocolLength + 1 }
    static var senderHardware: Int { operation + 2 }
    static var senderProtocol: Int { senderHardware + 6 }
    static var targetHardware: Int { senderProtocol + 4 }
    static var targetProtocol: Int { targetHardware + 6 }
    static var length: Int { targetProtocol + 4 }

    /// Ethernet, IPv4, and the lengths of their addresses, as one number.
    static var ethernetAndIPv4: UInt64 { 0x0001_0800_0604 }
}

/// Reads an ARP request or reply. Other operations (reverse and inverse ARP) claim addresses in ways that nothing here judges.
///
/// Whether the sender may say what it says is for the inventory to decide; only what no host can be, is refused here. The
/// unspecified sender is a probe (RFC 5227, 1.1).
@_noLocks
func readARP(_ frame: borrowing RawSpan, into reading: inout Reading) -> DropReason? {
    let start = Int(reading.networkOffset)
    guard Int(reading.end) &- start >= ARPField.length else { return .truncated }
    let formatAndOperation = u64(frame, start &+ ARPField.hardwareType)
    let operation = formatAndOperation & 0xffff
    guard formatAndOperation >> 16 == ARPField.ethernetAndIPv4, operation == 1 || operation == 2 else { return .badNeighbour }

    reading.kind = .arp
    reading.link = .arp
    reading.claimedMAC = MACAddress(bits: u64(frame, start &+ ARPField.senderHardware) >> 16)
    reading.source = Address(v4: u32(frame, start &+ ARPField.senderProtocol))
    reading.destination = Address(v4: u32(frame, start &+ ARPField.targetProtocol))
    reading.leave(at: start &+ ARPField.length)
    reading.end = reading.payloadOffset
    guard reading.source.isUnspecified || isPossibleSource(reading.source) else { return .martian }
    return nil
}
