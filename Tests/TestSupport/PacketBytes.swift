// SPDX-License-Identifier: Apache-2.0
public import Net

/// The bytes of a number in network order.
func wire<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (Number.bitWidth - 8 - 8 * $0)) }
}

/// The bytes of an address: four or sixteen.
func wire(_ address: Address) -> [UInt8] { address.isIPv4 ? wire(address.v4) : wire(address.high) + wire(address.low) }

/// The six bytes of a hardware address.
func wire(_ address: MACAddress) -> [UInt8] { Array(wire(address.bits).dropFirst(2)) }

/// The Internet checksum (RFC 1071) as it is written into a header whose checksum field is 0.
public func internetChecksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count, by: 2) {
        sum += UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
        sum = (sum & 0xffff) + (sum >> 16)
    }
    return ~UInt16(sum)
}

extension [UInt8] {
    /// Writes a number in network order over the bytes at an offset.
    mutating func write(_ number: UInt16, at offset: Int) { replaceSubrange(offset..<offset + 2, with: wire(number)) }

    /// The options with zero bytes behind them, up to a multiple of four.
    var paddedToWords: [UInt8] { self + [UInt8](repeating: 0, count: (4 - count % 4) % 4) }
}

extension Address: ExpressibleByStringLiteral {
    /// An address in a test's text; traps when it is none. `Address("text")` means this one; to test a refusal, pass a variable.
    public init(stringLiteral text: String) {
        guard let address = Address(text) else { preconditionFailure("\(text) is not an address") }
        self = address
    }
}

extension MACAddress: ExpressibleByStringLiteral {
    /// A hardware address in a test's text, six hexadecimal bytes with colons; traps when it is none.
    public init(stringLiteral text: String) {
        let bytes = text.split(separator: ":").compactMap { UInt8($0, radix: 16) }
        precondition(bytes.count == 6, "\(text) is not a hardware address")
        self.init(bits: bytes.reduce(0) { $0 << 8 | UInt64($1) })
    }
}
