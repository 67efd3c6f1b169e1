// SPDX-License-Identifier: Apache-2.0

/// What a transport's header says in its checksum field.
public enum Checksum: Sendable, ExpressibleByIntegerLiteral {
    /// What it must be.
    case right
    /// One more than that.
    case wrong
    /// What a sender writes that leaves the rest to its NIC: the pseudo-header's sum, or 0 for SCTP. Where no pseudo-header enters, right.
    case partial
    /// Exactly this, whatever the packet holds; SCTP's field has it in its last two bytes.
    case exactly(UInt16)

    /// Exactly this.
    public init(integerLiteral value: UInt16) { self = .exactly(value) }

    /// The field's value, by the segment with the field as 0. `covered` is what the pseudo-header says of its length.
    func value(of segment: some Collection<UInt8>, covered: Int, protocolNumber: UInt8, in network: (any NetworkLayer)?) -> UInt16
    {
        let pseudo =
            network.map { wire($0.source) + wire($0.destination) + wire(UInt32(protocolNumber)) + wire(UInt32(covered)) } ?? []
        let right = internetChecksum(pseudo + segment)
        switch self {
        case .right: return right
        case .wrong: return right &+ 1
        case .partial: return pseudo.isEmpty ? right : ~internetChecksum(pseudo)
        case .exactly(let value): return value
        }
    }
}

/// The check of SCTP (RFC 9260, appendix A), bit by bit, as its four bytes stand on the wire.
public func castagnoli(_ bytes: [UInt8]) -> [UInt8] {
    var remainder: UInt32 = .max
    for byte in bytes {
        remainder ^= UInt32(byte)
        for _ in 0..<8 { remainder = remainder & 1 == 0 ? remainder >> 1 : remainder >> 1 ^ 0x82f6_3b78 }
    }
    return wire((~remainder).byteSwapped)
}
