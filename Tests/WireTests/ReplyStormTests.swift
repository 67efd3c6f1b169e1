// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

/// Whatever was readable, its reply is one that a host would take for its peer's.
@Suite("Replies to a storm") struct ReplyStormTests {
    /// What is wrong with a reply; `nil` when nothing is.
    static func flaw(in reply: [UInt8], to trigger: Reading, of frame: [UInt8]) -> String? {
        guard reply.count <= frame.count else { return "longer than its trigger" }
        let (reason, reading) = outcome(of: reply)
        if let reason { return "not readable: \(reason)" }
        guard reading.source == trigger.destination, reading.destination == trigger.source else { return "wrong addresses" }
        guard reading.sourceMAC == trigger.destinationMAC, reading.destinationMAC == trigger.sourceMAC else { return "MACs" }
        guard reading.vlans == trigger.vlans else { return "other VLANs" }
        guard reading.hopLimit == 64, reading.tunnel.depth == 0 else { return "hop limit \(reading.hopLimit)" }
        if trigger.protocolNumber == .tcp {
            guard reading.tcpFlags.contains(.rst), reading.sourcePort == trigger.destinationPort,
                reading.destinationPort == trigger.sourcePort
            else { return "no reset of the same connection" }
        } else {
            guard reading.marks.contains(.icmpError) else { return "no error" }
            let quoted = Array(reply[Int(reading.payloadOffset)..<Int(reading.end)])
            guard frame.dropFirst(Int(trigger.networkOffset)).starts(with: quoted) else { return "quotes something else" }
            guard quoted.count >= Int(trigger.transportOffset - trigger.networkOffset) + 8 else { return "quotes too little" }
        }
        return checksumFlaw(in: reply, reading)
    }

    /// Both checksums, worked out over bytes by the packet builder's own sum.
    static func checksumFlaw(in reply: [UInt8], _ reading: Reading) -> String? {
        let (network, transport, end) = (Int(reading.networkOffset), Int(reading.transportOffset), Int(reading.end))
        let isIPv4 = reading.isIPv4
        guard !isIPv4 || internetChecksum(Array(reply[network..<network + 20])) == 0 else { return "wrong IPv4 checksum" }
        let addresses = isIPv4 ? reply[network + 12..<network + 20] : reply[network + 8..<network + 40]
        let length = end - transport
        var pseudo = Array(addresses) + [0, reading.protocolNumber.rawValue, UInt8(length >> 8), UInt8(length & 255)]
        if reading.protocolNumber == .icmp { pseudo = [] }
        return internetChecksum(pseudo + reply[transport..<end]) == 0 ? nil : "wrong sum of the transport"
    }

    @Test func `each reply is read as one, sums up, is no longer than its trigger and keeps its tags`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("Replies to a storm: seed \(seed)")
        var random = PacketRandom(seed: seed)
        let frames = (Sample.all.map(\.packet) + Self.longer).map(\.bytes)
        var (readable, answered) = (0, 0)
        for round in 0..<60_000 {
            let mutant = random.mutated(frames[Int.random(in: frames.indices, using: &random)])
            let frame = round % 2 == 0 ? mutant : Totality.resummed(mutant)
            let (reason, reading) = outcome(of: frame)
            guard reason == nil else { continue }
            readable += 1
            let (written, _) = reply(to: frame, reading: reading)
            guard !written.isEmpty else { continue }
            answered += 1
            if let flaw = Self.flaw(in: written, to: reading, of: frame) {
                Issue.record("\(flaw): seed \(seed), round \(round): \(hexadecimal(frame)) got \(hexadecimal(written))")
            }
            let again = outcome(of: written).reading
            if !reply(to: written, reading: again).reply.isEmpty { Issue.record("a reply is answered: \(hexadecimal(written))") }
        }
        #expect(readable > 10_000 && answered > 5_000, "seed \(seed): \(answered) of \(readable)")
    }

    /// Frames with enough behind their headers to be quoted.
    static let longer: [Packet] = [
        Ethernet() / VLAN(10, tagType: 0x88a8) / VLAN(0, priority: 6) / IPv4() / UDP() / Payload(count: 99),
        Ethernet() / VLAN(0, priority: 1) / IPv6() / UDP() / Payload(count: 101),
        Ethernet() / IPv4(options: [1, 1, 1, 1]) / ICMP.echo() / Payload(count: 64),
        Ethernet() / IPv6() / ICMPv6.echo() / Payload(count: 64),
        Ethernet() / IPv4() / TCP([.ack], acknowledgement: 5, options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]) / Payload("x"),
    ]
}
