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
    /// The checksum; `nil` for the right one.
    public var checksum: UInt16?

    /// A header; what is not given is right.
    public init(
        from source: UInt16 = 40000, to destination: UInt16 = 443, _ flags: TCPFlags = [.ack], sequence: UInt32 = 1000,
        acknowledgement: UInt32 = 0, window: UInt16 = 65535, windowScale: UInt8? = nil, options: [UInt8] = [],
        dataOffset: UInt8? = nil, checksum: UInt16? = nil
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
        segment.write(checksum ?? transportChecksum(segment, protocolNumber: 6, in: network), at: 16)
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
    /// The checksum; `nil` for the right one.
    public var checksum: UInt16?

    /// A header; what is not given is right.
    public init(from source: UInt16 = 40000, to destination: UInt16 = 53, length: UInt16? = nil, checksum: UInt16? = nil) {
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
        let sum = transportChecksum(datagram, protocolNumber: 17, in: network)
        datagram.write(checksum ?? (sum == 0 ? 0xffff : sum), at: 6)
        return datagram
    }

    /// The layer in a word or two.
    public var description: String { "UDP(\(source) > \(destination))" }
}

/// A VXLAN header (RFC 7348); stands in a `UDP(to: 4789)`.
public struct VXLAN: PacketLayer {
    /// VXLAN network identifier, 24 bits.
    public var identifier: UInt32

    /// A header with its network identifier.
    public init(_ identifier: UInt32) { self.identifier = identifier }

    /// The header with the payload behind it.
    public func bytes(around payload: [UInt8], next: (any PacketLayer)?, network: (any NetworkLayer)?) -> [UInt8] {
        [8, 0, 0, 0] + wire(identifier << 8) + payload
    }

    /// The layer in a word or two.
    public var description: String { "VXLAN(\(identifier))" }
}
