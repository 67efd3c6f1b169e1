// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing

/// A reading with the fields that a key is made of.
private func reading(
    _ source: Address, _ sourcePort: UInt16, _ destination: Address, _ destinationPort: UInt16, _ number: IPProtocol = .tcp
) -> Reading {
    var reading = Reading()
    reading.source = source
    reading.destination = destination
    reading.sourcePort = sourcePort
    reading.destinationPort = destinationPort
    reading.protocolNumber = number
    return reading
}

private func reversed(_ there: Reading) -> Reading {
    reading(there.destination, there.destinationPort, there.source, there.sourcePort, there.protocolNumber)
}

@Suite struct FlowKeys {
    /// Both families, smaller and larger source, the same address at both ends.
    static let readings = [
        reading("10.0.0.1", 40000, "10.0.0.2", 443), reading("10.0.0.2", 443, "10.0.0.1", 40000),
        reading("200.0.0.1", 1, "10.0.0.1", 2), reading("10.0.0.1", 9, "10.0.0.1", 8), reading("10.0.0.1", 8, "10.0.0.1", 9),
    ]
    static let readings6 = [
        reading("fd00::1", 40000, "fd00::2", 443), reading("fd00::1", 1, "2001:db8::1", 2),
        reading("fd00:0:0:1::1", 1, "fd00::2", 2), reading("fd00::1", 9, "fd00::1", 8),
    ]

    private func isSymmetric<Key: FlowKey>(_ type: Key.Type, _ there: Reading) -> Bool {
        let (key, sender) = Key.make(of: there, pair: 1)
        let (reverse, answerer) = Key.make(of: reversed(there), pair: 1)
        let (low, high) = key.ends
        let (first, second) = sender == .low ? (low, high) : (high, low)
        return Key.same(key, reverse) && sender == answerer.other && first == (there.source, there.sourcePort)
            && second == (there.destination, there.destinationPort)
    }

    @Test(arguments: readings)
    func `an IPv4 reply has its flow's key and comes from the other end`(there: Reading) {
        #expect(isSymmetric(FlowKey4.self, there))
    }

    @Test(arguments: readings + readings6)
    func `an IPv6 reply has its flow's key and comes from the other end`(there: Reading) {
        #expect(isSymmetric(FlowKey6.self, there))
    }

    /// Readings that differ from the first in one respect each.
    private static func variants(of base: Reading) -> [(Reading, UInt8)] {
        func with(_ change: (inout Reading) -> Void) -> (Reading, UInt8) {
            var variant = base
            change(&variant)
            return (variant, 1)
        }
        return [
            (base, 1), (base, 2), with { $0.protocolNumber = .udp }, with { $0.sourcePort += 1 },
            with { $0.destinationPort += 1 }, with { $0.source.low += 1 }, with { $0.destination.low += 16 },
            with { $0.vlans = VLANTags(10) }, with { $0.vlans = VLANTags(20) }, with { $0.vlans = VLANTags(10, 20) },
            with { $0.vlans = VLANTags(20, 10) }, with { $0.tunnel = Tunnel(.vxlan, identifier: 7, depth: 1) },
            with { $0.tunnel = Tunnel(.geneve, identifier: 7, depth: 1) },
            with { $0.tunnel = Tunnel(.vxlan, identifier: 8, depth: 1) },
            with { $0.tunnel = Tunnel(.vxlan, identifier: 7, depth: 2) },
            // Ports exchanged without the addresses: another connection.
            with { ($0.sourcePort, $0.destinationPort) = ($0.destinationPort, $0.sourcePort) },
        ]
    }

    private func areSeparate<Key: FlowKey>(_ type: Key.Type, _ base: Reading) {
        let keys = Self.variants(of: base).map { Key.make(of: $0.0, pair: $0.1).key }
        for (index, key) in keys.enumerated() {
            for (other, second) in keys.enumerated() { #expect(Key.same(key, second) == (index == other), "\(index) \(other)") }
        }
    }

    @Test func `pair, protocol, ends, tags and tunnel each make another flow`() {
        areSeparate(FlowKey4.self, Self.readings[0])
        areSeparate(FlowKey6.self, Self.readings6[0])
        var highBits = Self.readings6[0]
        highBits.source.high ^= 1
        let (one, other) = (FlowKey6.make(of: Self.readings6[0], pair: 1).key, FlowKey6.make(of: highBits, pair: 1).key)
        #expect(!FlowKey6.same(one, other))
    }

    @Test func `echo requests of both sides are two flows, each with its reply`() {
        let request = reading("10.0.0.1", 7, "10.0.0.2", 0x0800, .icmp)
        let reply = reading("10.0.0.2", 0x0800, "10.0.0.1", 7, .icmp)
        let counter = reading("10.0.0.2", 7, "10.0.0.1", 0x0800, .icmp)
        let keys = [request, reply, counter].map { FlowKey4.make(of: $0, pair: 0).key }
        #expect(FlowKey4.same(keys[0], keys[1]))
        #expect(!FlowKey4.same(keys[0], keys[2]))
    }
}

@Suite struct FlowHashes {
    private static func secret(_ random: inout PacketRandom) -> HashSecret { HashSecret { _ in random.next() } }

    /// Chi-square of 100,000 keys over 1,024 buckets, by ten bits of their hashes; about 1,023 ± 45 for random ones.
    private static func chiSquare<Key: FlowKey>(_ keys: [Key], _ secret: HashSecret, shift: UInt64) -> Double {
        var counts = [Double](repeating: 0, count: 1024)
        for key in keys { counts[Int(key.hash(secret) >> shift & 1023)] += 1 }
        let expected = Double(keys.count) / 1024
        return counts.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
    }

    /// What a client or a scan makes: neighbouring addresses and ports.
    private static func dense(_ index: Int, _ source: Address, _ destination: Address) -> Reading {
        var source = source
        source.low += UInt64(index / 1000)
        return reading(source, UInt16(32768 + index % 1000), destination, 443)
    }

    @Test func `the secret changes the hash, the key's every word too`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = PacketRandom(seed: seed)
        let (one, two) = (Self.secret(&random), Self.secret(&random))
        let key = FlowKey4(low: 1, high: 2, ports: 3, vlans: 4, tunnel: 5, context: 6)
        #expect(key.hash(one) == key.hash(one))
        #expect(key.hash(one) != key.hash(two), "seed \(seed)")
        let changes: [(inout FlowKey4) -> Void] = [
            { $0.low ^= 1 }, { $0.high ^= 1 }, { $0.ports ^= 1 }, { $0.vlans ^= 1 }, { $0.tunnel ^= 1 }, { $0.context ^= 1 },
        ]
        for (index, change) in changes.enumerated() {
            var other = key
            change(&other)
            #expect(other.hash(one) != key.hash(one), "word \(index), seed \(seed)")
        }
        let six = FlowKey6.make(of: reading("fd00::1", 1, "fd00::2", 2), pair: 0).key
        let changes6: [(inout FlowKey6) -> Void] = [
            { $0.low.high ^= 1 << 40 }, { $0.low.high ^= 1 }, { $0.low.low ^= 1 << 40 }, { $0.low.low ^= 1 },
            { $0.high.high ^= 1 << 40 }, { $0.high.high ^= 1 }, { $0.high.low ^= 1 << 40 }, { $0.high.low ^= 1 },
            { $0.ports ^= 1 }, { $0.vlans ^= 1 }, { $0.tunnel ^= 1 }, { $0.context ^= 1 },
        ]
        for (index, change) in changes6.enumerated() {
            var other = six
            change(&other)
            #expect(other.hash(one) != six.hash(one), "word \(index), seed \(seed)")
        }
    }

    /// Strong universality promises the mean over all secrets, not each one: dense keys make an arithmetic progression, which a few
    /// secrets spread less well than chance would.
    @Test(arguments: [0, 22, 54] as [UInt64])
    func `dense keys spread, by low, middle and high bits`(shift: UInt64) {
        let four = (0..<100_000).map { FlowKey4.make(of: Self.dense($0, "10.0.0.1", "10.9.0.1"), pair: 0).key }
        let six = (0..<100_000).map { FlowKey6.make(of: Self.dense($0, "fd00::1", "fd00:9::1"), pair: 0).key }
        let values = (1...8 as ClosedRange<UInt64>).flatMap { seed in
            var random = PacketRandom(seed: seed)
            let secret = Self.secret(&random)
            return [Self.chiSquare(four, secret, shift: shift), Self.chiSquare(six, secret, shift: shift)]
        }
        let mean = values.reduce(0, +) / Double(values.count)
        print("FlowHashes: shift \(shift), chi-square mean \(Int(mean)), worst \(Int(values.max() ?? 0))")
        #expect(mean < 2048)
    }

    @Test func `dense keys collide no more than chance allows`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = PacketRandom(seed: seed)
        let secret = Self.secret(&random)
        let keys = (0..<100_000).map { Self.dense($0, "10.0.0.1", "10.9.0.1") }
        let hashes = Set(keys.map { FlowKey4.make(of: $0, pair: 0).key.hash(secret) })
        // 10¹⁰ / 2 pairs at 2⁻³² each: one collision or two.
        #expect(hashes.count >= 99_980, "seed \(seed)")
    }
}
