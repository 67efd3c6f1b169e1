// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport

/// A packet cut into fragments, as a sender or router cuts it.
///
/// - Parameters:
///   - packet: Ethernet, one network header without options or extension headers, a transport, a payload.
///   - size: bytes of the packet's payload in each fragment but the last; a multiple of 8.
///   - identification: the datagram's number.
func fragments(of packet: Packet, size: Int, identification: UInt32 = 7) -> [Packet] {
    let bytes = packet.bytes
    let isIPv4 = packet.layers.contains { $0 is IPv4 }
    let start = isIPv4 ? 34 : 54
    let content = Array(bytes[start...])
    let number = isIPv4 ? bytes[23] : bytes[20]
    return stride(from: 0, to: content.count, by: size).map { offset in
        let end = min(offset + size, content.count)
        let piece = Payload(Array(content[offset..<end]))
        return fragment(
            at: offset, more: end < content.count, like: packet, next: number, identification: identification) / piece
    }
}

/// The headers of a fragment of a packet, before its bytes.
func fragment(at offset: Int, more: Bool, like packet: Packet, next: UInt8, identification: UInt32 = 7) -> Packet {
    guard let link = packet.layers.first as? Ethernet else { preconditionFailure("\(packet) has no Ethernet header") }
    for layer in packet.layers {
        if let network = layer as? IPv4 {
            return link
                / IPv4(
                    from: network.source, to: network.destination, identification: UInt16(identification), moreFragments: more,
                    offset: offset, next: next)
        }
        if let network = layer as? IPv6 {
            return link / IPv6(from: network.source, to: network.destination)
                / Fragment(offset: offset, more: more, identification: identification, next: next)
        }
    }
    preconditionFailure("\(packet) has no network header")
}

/// A question to the web server's UDP port 53, which lets the client in, with so many bytes.
func question(_ count: Int, over6: Bool = false, to port: UInt16 = 53, from source: UInt16 = 40000) -> Packet {
    let bytes = Payload((0..<count).map { UInt8(truncatingIfNeeded: $0) })
    if over6 { return Ethernet() / IPv6(from: client6, to: web6) / UDP(from: source, to: port) / bytes }
    return Ethernet() / IPv4(from: client, to: web) / UDP(from: source, to: port) / bytes
}

/// A bench in which a fragment was dropped for a reason of the fragment table.
func provokeByFragments(_ reason: DropReason) throws -> PairBench {
    let bench = try PairBench()
    let pieces = fragments(of: question(64), size: 24)
    switch reason {
    case .fragmentOverlap:
        try bench.receive([pieces[0], fragment(at: 16, more: true, like: pieces[0], next: 17) / Payload(count: 16)])
        bench.turn()
    case .fragmentTimeout:
        try bench.receive([pieces[1]])
        bench.turn()
        bench.clock.pass(seconds: 15)
        bench.turn()
    default:
        // An eighth of the worker's 512 frames may wait.
        for number in 0..<65 as Range<UInt32> {
            try bench.receive([
                fragment(at: 24, more: true, like: pieces[0], next: 17, identification: number) / Payload(count: 16)
            ])
            bench.turn()
        }
    }
    return bench
}
