// SPDX-License-Identifier: Apache-2.0
public import Net

/// A TCP header.
public struct TCP: PacketLayer {
    /// Ports.
    public var source, destination: UInt16
    /// Control bits.
    public var flags: TCPFlags
    /// Sequence and acknowledgement number.
    public var sequence, acknowledgement: UInt32
    /// Window, unscaled.
    public var window: UInt16
    /// Window scale option; `nil` for none.
    public var windowScale: UInt8?
    /// Other options, behind the window scale, padded with zero bytes to whole words.
    public var options: [UInt8]
    /// Data offset in words of 4 bytes; `nil` for the right one.
    public var dataOffset: UInt8?
    /// The checksum.
    public var checksum: Checksum

    /// A header; what is not given is right.
    public init(
        from source: UInt16 = 40000, to destination: UInt16 = 443, _ flags: TCPFlags = [.ack], sequence: UInt32 = 1000,
        acknowledgement: UInt32 = 0, window: UInt16 = 65535, windowScale: UInt8? = nil, options: [UInt8] = [],
        dataOffset: UInt8? = nil, checksum: Checksum = .right
    ) {
        self.source = source
        self.destination = destination
        self.flags = flags
        self.sequence = sequence
        self.acknowledgement = acknowledgement
        self.window = window
        self.windowScale = windowScale
        self.options = options
        self.dataOffset = dataOffset
        self.checksum = checksum
    }

    /// What announces it to IP.
    public var protocolNumber: UInt8? { 6 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        let options = ((windowScale.map { [3, 3, $0, 1] } ?? []) + options).paddedToWords
        let words = dataOffset ?? UInt8(5 + options.count / 4)
        var segment = wire(source) + wire(destination) + wire(sequence) + wire(acknowledgement)
        segment += [words << 4, flags.rawValue] + wire(window) + [0, 0, 0, 0] + options + payload
        segment.write(checksum.value(of: segment, covered: segment.count, protocolNumber: 6, in: network), at: 16)
        return segment
    }

    /// The layer in a word or two.
    public var description: String { "TCP(\(source) > \(destination), flags \(flags.rawValue))" }
}

/// A UDP header.
public struct UDP: PacketLayer {
    /// Ports.
    public var source, destination: UInt16
    /// Length in bytes; `nil` for the right one.
    public var length: UInt16?
    /// The checksum.
    public var checksum: Checksum

    /// A header; what is not given is right.
    public init(from source: UInt16 = 40000, to destination: UInt16 = 53, length: UInt16? = nil, checksum: Checksum = .right) {
        self.source = source
        self.destination = destination
        self.length = length
        self.checksum = checksum
    }

    /// What announces it to IP.
    public var protocolNumber: UInt8? { 17 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        var datagram = wire(source) + wire(destination) + wire(length ?? UInt16(8 + payload.count)) + [0, 0] + payload
        // What the length leaves out is not covered.
        let covered = min(max(Int(length ?? .max), 8), datagram.count)
        let sum = checksum.value(of: datagram.prefix(covered), covered: covered, protocolNumber: 17, in: network)
        if case .exactly = checksum { datagram.write(sum, at: 6) } else { datagram.write(sum == 0 ? 0xffff : sum, at: 6) }
        return datagram
    }

    /// The layer in a word or two.
    public var description: String { "UDP(\(source) > \(destination))" }
}

/// A UDP-Lite header (RFC 3828): UDP, but its length says how much the checksum covers.
public struct UDPLite: PacketLayer {
    /// The destination's port.
    public var destination: UInt16
    /// How much the checksum covers; 0 for all.
    public var coverage: UInt16
    /// The checksum.
    public var checksum: Checksum

    /// A header; what is not given is right.
    public init(to destination: UInt16 = 53, coverage: UInt16 = 0, checksum: Checksum = .right) {
        self.destination = destination
        self.coverage = coverage
        self.checksum = checksum
    }

    /// What announces it to IP.
    public var protocolNumber: UInt8? { 136 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        var datagram = wire(40000 as UInt16) + wire(destination) + wire(coverage) + [0, 0] + payload
        let covered = coverage == 0 ? datagram.count : min(max(Int(coverage), 8), datagram.count)
        let field = checksum.value(of: datagram.prefix(covered), covered: datagram.count, protocolNumber: 136, in: network)
        datagram.write(field, at: 6)
        return datagram
    }

    /// The layer in a word or two.
    public var description: String { "UDPLite(\(coverage))" }
}

/// An SCTP common header (RFC 9260, 3.1) with its chunks.
public struct SCTP: PacketLayer {
    /// Ports.
    public var source, destination: UInt16
    /// Verification tag.
    public var tag: UInt32
    /// The chunks, each padded to whole words.
    public var chunks: [UInt8]
    /// The checksum.
    public var checksum: Checksum

    /// A packet; what is not given is right.
    public init(
        from source: UInt16 = 40000, to destination: UInt16 = 3868, tag: UInt32 = 7, checksum: Checksum = .right,
        _ chunks: [UInt8]...
    ) {
        self.checksum = checksum
        self.source = source
        self.destination = destination
        self.tag = tag
        self.chunks = chunks.flatMap { $0.paddedToWords }
    }

    /// An INIT, whose tag is 0.
    public static func initiation(from source: UInt16 = 40000, to destination: UInt16 = 3868) -> SCTP {
        SCTP(from: source, to: destination, tag: 0, [1, 0, 0, 20, 0, 0, 0, 7, 0, 1, 0, 0, 0, 10, 0, 10, 0, 0, 0, 1])
    }

    /// A DATA chunk with a few bytes.
    public static func data(_ count: Int = 5) -> [UInt8] {
        [0, 3] + wire(UInt16(16 + count)) + [UInt8](repeating: 0, count: 12) + [UInt8](repeating: 0x61, count: count)
    }

    /// What announces it to IP.
    public var protocolNumber: UInt8? { 132 }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        var packet = wire(source) + wire(destination) + wire(tag) + [0, 0, 0, 0] + chunks + payload
        var check = castagnoli(packet)
        switch checksum {
        case .right: break
        case .wrong: check[3] &+= 1
        case .partial: check = [0, 0, 0, 0]
        case .exactly(let value): check = wire(UInt32(value))
        }
        packet.replaceSubrange(8..<12, with: check)
        return packet
    }

    /// The layer in a word or two.
    public var description: String { "SCTP(\(source) > \(destination))" }
}
