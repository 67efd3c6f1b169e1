// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The IP header of a reply, of either family.
enum ReplyHeader {
    private static var ipv4Length: Int { @_noLocks get { 20 } }
    private static var ipv6Length: Int { @_noLocks get { 40 } }

    /// What hosts start from (IANA "IP Time To Live"). The trigger's own tells the way from its sender to here; back to it may be
    /// further than what is left of that. 255 would let a reply that loops live four times as long.
    private static var hopLimit: UInt8 { @_noLocks get { 64 } }

    /// Do-not-fragment, so that the identification may be 0 in every reply (RFC 6864, 4.1).
    private static var dontFragment: UInt16 { @_noLocks get { 0x4000 } }

    /// Bytes of the header: without options and extension headers, whatever the trigger has.
    @_noLocks @inline(__always)
    static func length(overIPv4: Bool) -> Int { overIPv4 ? ipv4Length : ipv6Length }

    /// Writes the header of a packet from the trigger's destination to its source, or onward, the way that the trigger goes, with so
    /// many bytes behind it.
    @_noLocks
    static func write(
        to reading: borrowing Reading, _ number: IPProtocol, service: UInt8, payload: Int, isOnward: Bool = false,
        into reply: inout MutableRawSpan, at start: Int
    ) {
        let (from, to) = isOnward ? (reading.source, reading.destination) : (reading.destination, reading.source)
        if reading.isIPv4 {
            let first = 0x4500_0000 | UInt32(service) << 16 | UInt32(truncatingIfNeeded: ipv4Length &+ payload)
            let third = UInt32(hopLimit) << 24 | UInt32(number.rawValue) << 16
            let sums = UInt64(first) &+ UInt64(dontFragment) &+ UInt64(third) &+ sum(of: from)
            put32(first, &reply, start)
            put32(UInt32(dontFragment), &reply, start &+ 4)
            put32(third | UInt32(checksum(of: sums &+ sum(of: to))), &reply, start &+ 8)
            put(from, &reply, start &+ 12)
            put(to, &reply, start &+ 16)
        } else {
            put32(0x6000_0000 | UInt32(service) << 20, &reply, start)
            put32(UInt32(truncatingIfNeeded: payload) << 16 | UInt32(number.rawValue) << 8 | UInt32(hopLimit), &reply, start &+ 4)
            put(from, &reply, start &+ 8)
            put(to, &reply, start &+ 24)
        }
    }
}
