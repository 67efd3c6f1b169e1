// SPDX-License-Identifier: Apache-2.0

/// A block of addresses in CIDR notation (RFC 4632, RFC 4291 2.3). The bits behind the length are zero: a text with host bits
/// set is refused, because it usually means that somebody meant another block.
public struct Prefix: Hashable, Sendable {
    /// The first address of the block.
    public let address: Address
    /// The length in bits as written: 0 to 32 for IPv4, 0 to 128 for IPv6.
    public let length: Int

    /// A prefix, or `nil` when the length does not fit the family or host bits are set.
    public init?(_ address: Address, length: Int) {
        guard length >= 0, length <= (address.isIPv4 ? 32 : 128) else { return nil }
        self.address = address
        self.length = length
        guard masked(address) == address else { return nil }
    }

    /// The block of a length that holds the address, or `nil` when the length does not fit the family.
    public init?(covering member: Address, length: Int) {
        guard length >= 0, length <= (member.isIPv4 ? 32 : 128) else { return nil }
        address = Self.masked(member, to: member.isIPv4 ? length + 96 : length)
        self.length = length
    }

    /// The block of one address.
    public init(host address: Address) {
        self.address = address
        length = address.isIPv4 ? 32 : 128
    }

    /// Whether the block is a single address.
    public var isHost: Bool { length == (address.isIPv4 ? 32 : 128) }

    /// The length in the 128-bit space that both families share.
    public var mappedLength: Int { address.isIPv4 ? length + 96 : length }

    /// Whether an address of the same family lies in the block.
    public func contains(_ other: Address) -> Bool {
        other.isIPv4 == address.isIPv4 && masked(other) == address
    }

    /// Whether the other block lies in this one.
    public func contains(_ other: Prefix) -> Bool { other.length >= length && contains(other.address) }

    private func masked(_ other: Address) -> Address { Self.masked(other, to: mappedLength) }

    /// The address with all but its first bits zero; `bits` count in the space that both families share.
    private static func masked(_ other: Address, to bits: Int) -> Address {
        let high = bits == 0 ? 0 : bits >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(bits))
        let low = bits <= 64 ? 0 : bits == 128 ? UInt64.max : ~(UInt64.max >> UInt64(bits - 64))
        return Address(high: other.high & high, low: other.low & low)
    }
}

extension Prefix: CustomStringConvertible, LosslessStringConvertible {
    /// A prefix from `10.0.0.0/8`, `fd00::/8` or a bare address, which is the block of itself.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = Address(String(parts[0])) else { return nil }
        guard parts.count == 2 else {
            self.init(host: address)
            return
        }
        let digits = parts[1]
        let isNumber = !digits.isEmpty && digits.count <= 3 && digits.utf8.allSatisfy { (48...57).contains($0) }
        guard isNumber, let length = Int(digits) else { return nil }
        self.init(address, length: length)
    }

    /// CIDR notation, also for a single address.
    public var description: String { "\(address)/\(length)" }
}
