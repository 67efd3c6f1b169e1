// SPDX-License-Identifier: Apache-2.0
public import Net

/// An IPv4 header.
public struct IPv4: NetworkLayer {
    /// The addresses, as the packet goes.
    public var source, destination: Address
    /// Time to live and type of service.
    public var ttl, service: UInt8
    /// Identification.
    public var identification: UInt16
    /// The fragment flags.
    public var dontFragment, moreFragments: Bool
    /// Fragment offset in bytes.
    public var offset: Int
    /// Options, padded with zero bytes to whole words.
    public var options: [UInt8]
    /// The version, 4.
    public var version: UInt8
    /// Header length in words of 4 bytes; `nil` for the right one.
    public var headerWords: UInt8?
    /// Total length in bytes; `nil` for the right one.
    public var totalLength: UInt16?
    /// Header checksum; `nil` for the right one.
    public var checksum: UInt16?
    /// The protocol; `nil` for the next layer's.
    public var next: UInt8?

    /// A header; what is not given is right.
    public init(
        from source: Address = "10.0.0.1", to destination: Address = "10.0.0.2", ttl: UInt8 = 64, service: UInt8 = 0,
        identification: UInt16 = 0, dontFragment: Bool = false, moreFragments: Bool = false, offset: Int = 0,
        options: [UInt8] = [], version: UInt8 = 4, headerWords: UInt8? = nil, totalLength: UInt16? = nil,
        checksum: UInt16? = nil, next: UInt8? = nil
    ) {
        self.source = source
        self.destination = destination
        self.ttl = ttl
        self.service = service
        self.identification = identification
        self.dontFragment = dontFragment
        self.moreFragments = moreFragments
        self.offset = offset
        self.options = options
        self.version = version
        self.headerWords = headerWords
        self.totalLength = totalLength
        self.checksum = checksum
        self.next = next
    }

    /// What announces it to Ethernet.
    public var etherType: UInt16? { 0x0800 }
    /// What announces it to IP.
    public var protocolNumber: UInt8? { 4 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next layer: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        let options = options.paddedToWords
        let words = headerWords ?? UInt8(5 + options.count / 4)
        let flags: UInt16 = (dontFragment ? 0x4000 : 0) | (moreFragments ? 0x2000 : 0)
        var header = [version << 4 | words, service] + wire(totalLength ?? UInt16(20 + options.count + payload.count))
        header += wire(identification) + wire(flags | UInt16(offset / 8))
        header += [ttl, next ?? layer?.protocolNumber ?? 255, 0, 0] + wire(source) + wire(destination) + options
        header.write(checksum ?? internetChecksum(header), at: 10)
        return header + payload
    }

    /// The layer in a word or two.
    public var description: String { "IPv4(\(source) > \(destination))" }
}

/// An IPv6 header.
public struct IPv6: NetworkLayer {
    /// The addresses, as the packet goes.
    public var source, destination: Address
    /// Hop limit.
    public var hopLimit: UInt8
    /// The version, 6.
    public var version: UInt8
    /// Payload length in bytes; `nil` for the right one.
    public var payloadLength: UInt16?
    /// The next header; `nil` for the next layer's.
    public var next: UInt8?

    /// A header; what is not given is right.
    public init(
        from source: Address = "fd00::1", to destination: Address = "fd00::2", hopLimit: UInt8 = 64, version: UInt8 = 6,
        payloadLength: UInt16? = nil, next: UInt8? = nil
    ) {
        self.source = source
        self.destination = destination
        self.hopLimit = hopLimit
        self.version = version
        self.payloadLength = payloadLength
        self.next = next
    }

    /// What announces it to Ethernet.
    public var etherType: UInt16? { 0x86dd }
    /// What announces it to IP.
    public var protocolNumber: UInt8? { 41 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next layer: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        let first = [version << 4, 0, 0, 0] + wire(payloadLength ?? UInt16(payload.count))
        // An IPv4 address is written as its mapped form, which is what a test of those wants.
        let ends = [source, destination].flatMap { wire($0.high) + wire($0.low) }
        return first + [next ?? layer?.protocolNumber ?? 59, hopLimit] + ends + payload
    }

    /// The layer in a word or two.
    public var description: String { "IPv6(\(source) > \(destination))" }
}
