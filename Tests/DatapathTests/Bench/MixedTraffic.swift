// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import TestSupport

/// Traffic of a few connections in whatever state they are, with the faults that networks and attackers put in: most frames are plain
/// or nearly so.
struct MixedTraffic {
    /// What goes on between two ends, as far as frames need it.
    private struct Conversation {
        var number: UInt16
        var isIPv4 = true
        var isDatagram = false
        var server: UInt64 = 2
        var service: UInt16 = 443
        var hasTimestamps = false
        /// The VLAN that its frames say they are in; 0 is a tag without one.
        var tag: UInt16?
        var steps = 0
        /// The next sequence number of the client's end, and of the server's.
        var next: (client: UInt32, server: UInt32) = (100, 900)
    }

    private static let timestamps: [UInt8] = [1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9]
    /// Services that the policy of these tests treats each in its own way, and those that Bulkhead looks into.
    private static let datagrams: [UInt16] = [53, 53, 53, 53, 53, 123, 123, 9, 81, 5353, 4789, 68, 3784]
    private static let segments: [UInt16] = [443, 443, 443, 443, 443, 8443, 8443, 80, 9]

    private var conversations: [Conversation] = []
    var random: PacketRandom

    init(seed: UInt64) {
        random = PacketRandom(seed: seed)
        conversations = (0..<24).map { Conversation(number: $0) }
        for place in conversations.indices { renew(place) }
    }

    /// The next frame, and the port that it comes in by.
    mutating func frame() -> (bytes: [UInt8], port: Int) {
        let place = pick(conversations.count)
        if pick(80) == 0 { renew(place) }
        if pick(60) == 0 { return (question().bytes, 0) }
        var isClient = conversations[place].steps == 0 || pick(2) == 0
        // The second step of a connection is its server's.
        if conversations[place].steps == 1 { isClient = false }
        let packet = packet(of: place, isClient: isClient)
        let isAstray = pick(40) == 0
        // Most handshakes are left alone, or few connections would come to be.
        let isOpening = conversations[place].steps < 3 && pick(8) != 0
        let port = isClient != isAstray ? 0 : 1
        guard pick(10) == 0, !isOpening else { return (packet.bytes, port) }
        return (damaged(packet), port)
    }

    private mutating func pick(_ count: Int) -> Int { Int(truncatingIfNeeded: random.next() >> 33) % count }

    private mutating func renew(_ place: Int) {
        // Other ports than before, but for some that are used again.
        var fresh = Conversation(number: (conversations[place].number + UInt16(pick(4)) * 24) % 960)
        fresh.isIPv4 = pick(2) == 0
        fresh.isDatagram = pick(3) == 0
        fresh.server = [2, 2, 2, 2, 2, 2, 2, 3, 50, 200][pick(10)]
        fresh.service =
            fresh.isDatagram ? Self.datagrams[pick(Self.datagrams.count)] : Self.segments[pick(Self.segments.count)]
        fresh.hasTimestamps = pick(2) == 0
        fresh.tag = [nil, nil, nil, 0, 5][pick(5)]
        fresh.next = (UInt32(truncatingIfNeeded: random.next()), UInt32(truncatingIfNeeded: random.next()))
        conversations[place] = fresh
    }

    /// A client asks a group, which makes it expect answers from anybody.
    private mutating func question() -> Packet {
        Ethernet(to: "01:00:5e:00:00:fb") / IPv4(from: client, to: "224.0.0.251")
            / UDP(from: 40_000 + UInt16(pick(24)), to: 5353) / Payload(count: 20)
    }

    private mutating func packet(of place: Int, isClient: Bool) -> Packet {
        let talk = conversations[place]
        var layers: [any PacketLayer] = [Ethernet(to: pick(200) == 0 ? "02:bb:00:00:00:00" : "02:00:00:00:00:02")]
        if let tag = talk.tag { layers.append(VLAN(tag)) }
        if pick(50) == 0 { layers.append(VLAN(UInt16(pick(3)))) }
        let number = isClient ? (1, talk.server) : (talk.server, 1)
        if talk.isIPv4 {
            let ends = (Address(v4: 0x0a00_0000 | UInt32(number.0)), Address(v4: 0x0a00_0000 | UInt32(number.1)))
            layers.append(
                IPv4(
                    from: ends.0, to: ends.1, ttl: UInt8([64, 64, 1, 0][pick(4)]), dontFragment: pick(2) == 0,
                    moreFragments: pick(80) == 0, offset: pick(80) == 0 ? 8 : 0, options: pick(60) == 0 ? [1, 1, 1, 1] : []))
        } else {
            let high: UInt64 = 0xfd00 << 48
            layers.append(IPv6(from: Address(high: high, low: UInt64(number.0)), to: Address(high: high, low: number.1)))
            if pick(60) == 0 { layers.append(Fragment(more: pick(2) == 0)) }
        }
        let there = 40_000 + talk.number
        let ports = isClient ? (there, talk.service) : (talk.service, there)
        let checksum: Checksum = [.right, .wrong, .partial, 0][pick(talk.steps < 3 ? 100 : 12) == 0 ? pick(4) : 0]
        if talk.isDatagram {
            layers.append(UDP(from: ports.0, to: ports.1, checksum: checksum))
            conversations[place].steps += 1
        } else {
            layers.append(segment(of: place, isClient: isClient, ports, checksum))
        }
        layers.append(Payload(count: [0, 0, 1, 7, 24, 63, 64, 200][pick(8)]))
        if pick(3) == 0 { layers.append(Padding(to: 60)) }
        if pick(30) == 0 { layers.append(Padding(pick(80))) }
        return Packet(layers)
    }

    private mutating func segment(of place: Int, isClient: Bool, _ ports: (UInt16, UInt16), _ checksum: Checksum) -> TCP {
        let talk = conversations[place]
        var (sequence, acknowledgement) =
            isClient ? (talk.next.client, talk.next.server) : (talk.next.server, talk.next.client)
        let usual: TCPFlags = talk.steps == 0 ? [.syn] : talk.steps == 1 ? [.syn, .ack] : pick(2) == 0 ? [.ack] : [.ack, .psh]
        let isOdd = talk.steps > 2 && pick(60) == 0
        let odd: [TCPFlags] = [[.fin, .ack], [.rst], [.rst, .ack], [.syn], [.syn, .ack], [.psh], [.ack, .urg], [.ack]]
        let flags = isOdd ? odd[pick(odd.count)] : usual
        switch pick(talk.steps < 3 ? 200 : 24) {
        case 0: sequence &+= [1, 1000, 65_535, 66_000, 200_000, 1 << 30, 1 << 31][pick(7)]
        case 1: sequence &-= [1, 1000, 65_535, 66_000, 200_000, 1 << 30, 1 << 31][pick(7)]
        case 2: acknowledgement &+= [1, 1000, 66_000, 1 << 31][pick(4)]
        case 3: acknowledgement &-= [1, 1000, 66_000, 67_000, 1 << 31][pick(5)]
        default: break
        }
        if !isOdd {
            // A SYN takes a number; of payloads both ends say nothing, so that some lie ahead of what was sent before.
            if talk.steps == 0 { conversations[place].next.client &+= 1 }
            if talk.steps == 1 { conversations[place].next.server &+= 1 }
            if talk.steps > 3, isClient { conversations[place].next.client &+= UInt32(pick(64)) }
            if talk.steps > 3, !isClient { conversations[place].next.server &+= UInt32(pick(64)) }
            conversations[place].steps += 1
        }
        let options = flags.contains(.syn) || !talk.hasTimestamps ? [] : Self.timestamps
        return TCP(
            from: ports.0, to: ports.1, flags, sequence: sequence, acknowledgement: flags.contains(.ack) ? acknowledgement : 0,
            window: [65_535, 65_535, 1000, 0][pick(4)], windowScale: flags.contains(.syn) && pick(2) == 0 ? 7 : nil,
            options: pick(60) == 0 ? [5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1] : options, checksum: checksum)
    }

    /// A frame with a few bytes changed, mostly under a header sum that is right again.
    private mutating func damaged(_ packet: Packet) -> [UInt8] {
        var frame = random.mutated(packet.bytes)
        guard pick(4) != 0, frame.count >= 34, frame[12] == 8, frame[13] == 0, frame[14] & 15 >= 5 else { return frame }
        let end = 14 + Int(frame[14] & 15) * 4
        guard end <= frame.count else { return frame }
        (frame[24], frame[25]) = (0, 0)
        let sum = internetChecksum(Array(frame[14..<end]))
        (frame[24], frame[25]) = (UInt8(sum >> 8), UInt8(sum & 0xff))
        return frame
    }
}
