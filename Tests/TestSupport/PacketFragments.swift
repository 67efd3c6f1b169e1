// SPDX-License-Identifier: Apache-2.0
internal import Net

extension Packet {
    /// The packet cut into fragments, as a sender or router cuts it. It is Ethernet, one IPv4 or IPv6 header without options or
    /// extension headers, and anything behind that.
    ///
    /// - Parameters:
    ///   - size: bytes behind the IP header in each fragment but the last; a multiple of 8.
    ///   - identification: the datagram's number.
    public func fragments(of size: Int, identification: UInt32 = 7) -> [Packet] {
        let content = datagram
        return stride(from: 0, to: content.count, by: size).map { offset in
            let end = min(offset + size, content.count)
            return fragment(offset..<end, more: end < content.count, identification: identification)
        }
    }

    /// The fragment with some of the packet's bytes behind the IP header; bytes that it does not have are zero.
    public func fragment(_ range: Range<Int>, more: Bool, identification: UInt32 = 7) -> Packet {
        let content = datagram
        let piece = Payload(range.map { $0 < content.count ? content[$0] : 0 })
        guard let link = layers.first as? Ethernet else { preconditionFailure("\(self) has no Ethernet header") }
        if let network = layers.dropFirst().first as? IPv4 {
            let header = IPv4(
                from: network.source, to: network.destination, identification: UInt16(identification), moreFragments: more,
                offset: range.lowerBound, next: bytes[23])
            return link / header / piece
        }
        guard let network = layers.dropFirst().first as? IPv6 else { preconditionFailure("\(self) has no IP header") }
        let header = Fragment(offset: range.lowerBound, more: more, identification: identification, next: bytes[20])
        return link / IPv6(from: network.source, to: network.destination) / header / piece
    }

    /// The bytes behind the IP header.
    private var datagram: [UInt8] { Array(bytes[(layers.dropFirst().first is IPv4 ? 34 : 54)...]) }
}
