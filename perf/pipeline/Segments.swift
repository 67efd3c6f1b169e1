// SPDX-License-Identifier: Apache-2.0
import Measure
import Net

/// A connection of the measured traffic, by its number. Addresses, ports, the end that opens it and the port of the pair that this
/// end is behind follow from the number alone. Which end of the flow's key opens it is as random as in a network.
struct Connection {
    let client, server: Address
    let clientPort: UInt16
    let serverPort: UInt16
    /// The port of the pair that the client is behind.
    let port: Int

    init(client: Address, server: Address, clientPort: UInt16, serverPort: UInt16, port: Int) {
        (self.client, self.server, self.clientPort, self.serverPort, self.port) = (client, server, clientPort, serverPort, port)
    }

    init(_ number: Int, isIPv4: Bool) {
        var mixed = Seeded(UInt64(number) &* 2 &+ 1)
        let random = mixed.next()
        // 24 bits tell 16 million connections apart.
        let (near, far) = (UInt32(number) & 0xff_ffff, UInt32(truncatingIfNeeded: random) & 0xff_ffff)
        let isLow = random >> 40 & 1 == 0
        if isIPv4 {
            client = Address(v4: (isLow ? 0x0a00_0000 : 0x0c00_0000) | near)
            server = Address(v4: 0x0b00_0000 | far)
        } else {
            client = Address(high: (isLow ? 0xfd00 : 0xfd02) << 48, low: UInt64(near) << 8 | 1)
            server = Address(high: 0xfd01 << 48, low: UInt64(far) << 8 | 1)
        }
        clientPort = UInt16(truncatingIfNeeded: 1_024 + random >> 44 % 60_000)
        serverPort = 443
        port = Int(truncatingIfNeeded: random >> 41 & 1)
    }

    /// Both ends' first sequence numbers.
    static let (clientStart, serverStart): (UInt32, UInt32) = (1_000, 500_000)

    /// What the handshake says, in its order; the second goes the other way.
    func handshake(_ step: Int) -> Segment {
        switch step {
        case 0: segment(fromClient: true, 0x02, Self.clientStart, 0)
        case 1: segment(fromClient: false, 0x12, Self.serverStart, Self.clientStart &+ 1)
        default: segment(fromClient: true, 0x10, Self.clientStart &+ 1, Self.serverStart &+ 1)
        }
    }

    /// A data segment of six bytes from either end.
    func data(fromClient: Bool) -> Segment {
        let (mine, other) = fromClient ? (Self.clientStart, Self.serverStart) : (Self.serverStart, Self.clientStart)
        var segment = segment(fromClient: fromClient, 0x18, mine &+ 1, other &+ 1)
        segment.payload = 6
        return segment
    }

    private func segment(fromClient: Bool, _ flags: UInt8, _ sequence: UInt32, _ acknowledgement: UInt32) -> Segment {
        Segment(
            source: fromClient ? client : server, destination: fromClient ? server : client,
            sourcePort: fromClient ? clientPort : serverPort, destinationPort: fromClient ? serverPort : clientPort, flags: flags,
            sequence: sequence, acknowledgement: acknowledgement)
    }
}

/// A TCP segment or a UDP datagram in an Ethernet frame, without options and with right checksums.
struct Segment {
    var source, destination: Address
    var sourcePort, destinationPort: UInt16
    var flags: UInt8
    var sequence, acknowledgement: UInt32
    /// Bytes behind the header, all zero.
    var payload = 0
    /// UDP instead, without flags and numbers.
    var isDatagram = false

    /// Writes the frame and says how long it is, 60 bytes at least.
    @discardableResult
    func write(at start: UnsafeMutableRawPointer) -> Int {
        var bytes = unsafe Bytes(start: start)
        let isIPv4 = source.isIPv4
        let length = (isDatagram ? 8 : 20) + payload
        bytes.put(UInt64(0x0200_0000_0002_0200))
        bytes.offset = 8
        bytes.put(UInt32(0x0000_0001))
        bytes.put(UInt16(isIPv4 ? 0x0800 : 0x86dd))
        if isIPv4 { bytes.putIPv4(self, length) } else { bytes.putIPv6(self, length) }
        let transport = bytes.offset
        bytes.put(sourcePort)
        bytes.put(destinationPort)
        if isDatagram {
            bytes.put(UInt16(length))
            bytes.put(UInt16(0))
        } else {
            bytes.put(sequence)
            bytes.put(acknowledgement)
            bytes.put(UInt16(0x5000) | UInt16(flags))
            bytes.put(UInt16(65_535))
            bytes.put(UInt32(0))
        }
        while bytes.offset < transport + length || bytes.offset < 60 { bytes.put(UInt8(0)) }
        var sum = UInt64(length) + (isDatagram ? 17 : 6)
        sum += Bytes.sum(source) + Bytes.sum(destination)
        sum += bytes.sum(from: transport, to: transport + length)
        bytes.offset = transport + (isDatagram ? 6 : 16)
        bytes.put(Bytes.folded(sum))
        return max(60, transport + length)
    }
}

/// Writes numbers in network order, one behind the other.
@safe struct Bytes {
    let start: UnsafeMutableRawPointer
    var offset = 0

    init(start: UnsafeMutableRawPointer) { unsafe self.start = start }

    mutating func put<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        // A frame of 128 bytes has room for all that is written here.
        unsafe start.storeBytes(of: number.bigEndian, toByteOffset: offset, as: Number.self)
        offset += MemoryLayout<Number>.size
    }

    mutating func putIPv4(_ segment: Segment, _ length: Int) {
        let header = offset
        put(UInt16(0x4500))
        put(UInt16(20 + length))
        put(UInt32(0x0000_4000))
        put(UInt16(0x4000) | (segment.isDatagram ? 17 : 6))
        put(UInt16(0))
        put(segment.source.v4)
        put(segment.destination.v4)
        let end = offset
        offset = header + 10
        put(Self.folded(sum(from: header, to: end)))
        offset = end
    }

    mutating func putIPv6(_ segment: Segment, _ length: Int) {
        put(UInt32(0x6000_0000))
        put(UInt16(length))
        put(UInt16(segment.isDatagram ? 17 : 6) << 8 | 64)
        put(segment.source.high)
        put(segment.source.low)
        put(segment.destination.high)
        put(segment.destination.low)
    }

    /// The sum of 16-bit words (RFC 1071) between two places; `end - from` is even.
    func sum(from: Int, to end: Int) -> UInt64 {
        var sum: UInt64 = 0
        for place in stride(from: from, to: end, by: 2) {
            sum += unsafe UInt64(UInt16(bigEndian: start.loadUnaligned(fromByteOffset: place, as: UInt16.self)))
        }
        return sum
    }

    static func sum(_ address: Address) -> UInt64 {
        let (high, low) = (address.isIPv4 ? 0 : address.high, address.isIPv4 ? UInt64(address.v4) : address.low)
        return (high >> 32) + (high & 0xffff_ffff) + (low >> 32) + (low & 0xffff_ffff)
    }

    static func folded(_ sum: UInt64) -> UInt16 {
        var sum = sum
        while sum >> 16 != 0 { sum = (sum >> 16) + (sum & 0xffff) }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}
