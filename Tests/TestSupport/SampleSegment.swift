// SPDX-License-Identifier: Apache-2.0
public import Net

/// A TCP segment of one connection, as a test or a simulated host makes it.
public struct SampleSegment: Sendable, CustomStringConvertible {
    /// Whether the connection's first end sends it: the client, whichever end opens.
    public var isFromClient: Bool
    /// Control bits.
    public var flags: TCPFlags
    /// Sequence and acknowledgement number.
    public var sequence, acknowledgement: UInt32
    /// Window as in the header.
    public var window: UInt16
    /// Window scale option, for a SYN.
    public var scale: UInt8?
    /// Bytes of payload.
    public var length: Int

    /// A segment.
    public init(
        isFromClient: Bool, _ flags: TCPFlags, sequence: UInt32, acknowledgement: UInt32 = 0, window: UInt16 = 65535,
        scale: UInt8? = nil, length: Int = 0
    ) {
        self.isFromClient = isFromClient
        self.flags = flags
        self.sequence = sequence
        self.acknowledgement = acknowledgement
        self.window = window
        self.scale = scale
        self.length = length
    }

    /// Sequence numbers that it takes.
    public var span: UInt32 { UInt32(length) + (flags.contains(.syn) ? 1 : 0) + (flags.contains(.fin) ? 1 : 0) }

    /// What Wire would read of it, over either family.
    public func reading(isIPv4: Bool = true) -> Reading {
        let client = isIPv4 ? Address(v4: 0x0a00_0001) : Address(high: 0xfd00 << 48, low: 1)
        let server = isIPv4 ? Address(v4: 0x0a00_0002) : Address(high: 0xfd00 << 48, low: 2)
        var reading = Reading()
        reading.kind = .packet
        reading.protocolNumber = .tcp
        (reading.source, reading.sourcePort) = isFromClient ? (client, 40000) : (server, 443)
        (reading.destination, reading.destinationPort) = isFromClient ? (server, 443) : (client, 40000)
        reading.tcpFlags = flags
        (reading.sequence, reading.acknowledgement) = (sequence, acknowledgement)
        reading.window = window
        reading.windowScale = flags.contains(.syn) ? scale ?? 255 : 255
        (reading.payloadOffset, reading.end) = (54, UInt16(54 + length))
        return reading
    }

    /// The segment in a line.
    public var description: String {
        let names: [(TCPFlags, String)] = [(.syn, "S"), (.fin, "F"), (.rst, "R"), (.psh, "P"), (.ack, ".")]
        let letters = names.filter { flags.contains($0.0) }.map(\.1).joined()
        let shift = scale.map { " scale \($0)" } ?? ""
        return
            "\(isFromClient ? ">" : "<") \(letters) \(sequence):\(sequence &+ span) ack \(acknowledgement) win \(window)\(shift)"
    }
}
