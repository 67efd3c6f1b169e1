// SPDX-License-Identifier: Apache-2.0
internal import CXDP
public import Net

/// What test frames look like. The generator's program writes what changes from frame to frame into the template that this makes: addresses,
/// source port, number, time, and the checksums, which it works out from the sums of what does not change.
public struct FrameShape: Sendable {
    /// The sender's hardware address.
    public var from = MACAddress(bits: 0)
    /// The receiver's hardware address.
    public var to = MACAddress(bits: 0)
    /// Where frames come from: each flow has a source address and port of its own.
    public var sources: Prefix
    /// Where frames go, one address after the other.
    public var destinations: Prefix
    /// The destination port.
    public var port: UInt16 = 5432
    /// Length of a frame in bytes, VLAN tag included, FCS not.
    public var size = 60
    /// The VLAN of all frames.
    public var vlan: UInt16?
    /// Each frame opens a TCP connection, or tries to; else it is a UDP datagram with a number.
    public var isSYN = false

    /// Blocks of addresses that are set aside for measuring (RFC 2544 and RFC 5180), one half for each end.
    public static func benchmarking(isIPv6: Bool) -> (sources: Prefix, destinations: Prefix) {
        let (a, b) = isIPv6 ? ("2001:2::/112", "2001:2:0:1::/112") : ("198.18.0.0/16", "198.19.0.0/16")
        guard let sources = Prefix(a), let destinations = Prefix(b) else { preconditionFailure("both are written correctly") }
        return (sources, destinations)
    }

    /// Frames between two blocks of addresses.
    public init(sources: Prefix, destinations: Prefix) {
        (self.sources, self.destinations) = (sources, destinations)
    }

    /// Source ports of an address that flows use.
    static let portsOfAddress = 60_000

    private var isIPv6: Bool { !sources.address.isIPv4 }
    private var networkStart: Int { vlan == nil ? 14 : 18 }
    private var transportStart: Int { networkStart + (isIPv6 ? 40 : 20) }
    private var transportLength: Int { isSYN ? 20 : 8 + Int(CXDP_LAB_NUMBER_LENGTH) }

    /// The sizes that this shape can have: Ethernet's least, where its headers and number need no more, and one page's most.
    public var sizes: ClosedRange<Int> { max(60, transportStart + transportLength)...(vlan == nil ? 1514 : 1518) }

    /// The most flows at a time, renewed ones included.
    public var possibleFlows: Int { Self.hosts(of: sources).count * Self.portsOfAddress }

    /// The addresses of a block that flows use: the first one's last 32 bits, and how many. Network and broadcast address stay out.
    static func hosts(of block: Prefix) -> (first: UInt32, count: Int) {
        let low = UInt32(truncatingIfNeeded: block.address.low)
        let bits = min(16, 128 - block.mappedLength)
        return bits < 2 ? (low, 1 << bits) : (low + 1, (1 << bits) - 2)
    }

    /// Says why the generator cannot make such frames, if so.
    public func check(flows: Int) throws(LabError) {
        guard sources.address.isIPv4 == destinations.address.isIPv4 else { throw .families }
        guard sizes.contains(size) else { throw .size(demanded: size, fits: sizes) }
        guard flows <= possibleFlows else { throw .tooManyFlows(demanded: flows, possible: possibleFlows) }
    }

    /// The frame with 0 for all that changes.
    var template: [UInt8] {
        var bytes = Self.bytes(to.bits, 6) + Self.bytes(from.bits, 6)
        if let vlan { bytes += [0x81, 0] + Self.bytes(UInt64(vlan & 0xfff), 2) }
        bytes += isIPv6 ? [0x86, 0xdd] : [8, 0]
        bytes += isIPv6 ? headerIPv6 : headerIPv4
        bytes += isSYN ? headerSYN : headerUDP
        return bytes + [UInt8](repeating: 0, count: size - bytes.count)
    }

    /// What IP says that it carries, in bytes.
    private var carried: Int { isSYN ? transportLength : size - transportStart }
    private var `protocol`: UInt8 { isSYN ? 6 : 17 }

    private var headerIPv4: [UInt8] {
        let length = Self.bytes(UInt64(20 + carried), 2)
        // Don't fragment; the hop limit, and what follows, is the program's.
        return [0x45, 0] + length + [0, 0, 0x40, 0, 0, `protocol`] + [UInt8](repeating: 0, count: 10)
    }

    private var headerIPv6: [UInt8] {
        let length = Self.bytes(UInt64(carried), 2)
        return [0x60, 0, 0, 0] + length + [`protocol`, 0] + Self.prefix(sources) + Self.prefix(destinations)
    }

    /// An address whose last 32 bits are 0, which are the program's.
    private static func prefix(_ block: Prefix) -> [UInt8] {
        bytes(block.address.high, 8) + bytes(block.address.low & ~0xffff_ffff, 8)
    }

    private var headerUDP: [UInt8] { [0, 0] + Self.bytes(UInt64(port), 2) + Self.bytes(UInt64(carried), 2) + [0, 0] }

    private var headerSYN: [UInt8] {
        let (offset, flags): (UInt8, UInt8) = (5 << 4, 2)
        return [0, 0] + Self.bytes(UInt64(port), 2) + [UInt8](repeating: 0, count: 8) + [offset, flags, 0xfa, 0xf0, 0, 0, 0, 0]
    }

    /// Fills in the generator's orders what follows from the shape.
    func describe(in plan: inout cxdp_lab_plan, stream: UInt16) {
        let (sources, destinations) = (Self.hosts(of: sources), Self.hosts(of: destinations))
        (plan.source, plan.sources) = (sources.first, UInt32(sources.count))
        (plan.destination, plan.destinations) = (destinations.first, UInt32(destinations.count))
        (plan.is_tagged, plan.is_ipv6, plan.is_syn) = (vlan == nil ? 0 : 1, isIPv6 ? 1 : 0, isSYN ? 1 : 0)
        plan.stream = stream
        let frame = template
        // The hop limit is 64 in a byte that the template leaves 0.
        plan.network_sum = isIPv6 ? 0 : Self.sum(frame[networkStart..<(networkStart + 20)]) + 64 << 8
        let addresses = isIPv6 ? (networkStart + 8)..<(networkStart + 40) : (networkStart + 12)..<(networkStart + 20)
        let content = frame[transportStart..<(transportStart + carried)]
        plan.transport_sum = Self.sum(frame[addresses]) + UInt32(`protocol`) + UInt32(carried) + Self.sum(content)
        if !isSYN { plan.transport_sum += UInt32(CXDP_LAB_MARK) + UInt32(stream) }
    }

    /// The sum of 16-bit words (RFC 1071), not folded: a frame has too few of them to overflow.
    private static func sum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.enumerated().reduce(0) { $0 + ($1.offset % 2 == 0 ? UInt32($1.element) << 8 : UInt32($1.element)) }
    }

    private static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
    }
}
