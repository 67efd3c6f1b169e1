// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("Denial cache") struct DenialCacheTests {
    private let client: (Address, UInt16) = ("10.0.0.1", 5000)
    private let server: (Address, UInt16) = ("10.0.0.2", 80)
    private let hash: UInt64 = 0x1234_5678_9abc_def0

    /// A cache that an expectation can name, because it is not copied with it.
    private final class Kept {
        var cache = DenialCache()
        let hash: UInt64

        init(_ reading: borrowing Reading, hash: UInt64) {
            self.hash = hash
            keep(reading, isReject: true, .unjudged)
        }

        func keep(_ reading: borrowing Reading, isReject: Bool, _ reason: DropReason) {
            keep(reading, isReject: isReject, reason, port: 0)
        }

        func keep(
            _ reading: borrowing Reading, isReject: Bool, _ reason: DropReason, port: UInt8, judged: UInt32 = 100,
            generation: UInt32 = 3
        ) {
            let keys = FlowKeys(of: reading, pair: 0)
            let denial = Denial(
                generation: generation, epoch: 7, judged: judged, isReject: isReject, reason: reason, sender: keys.sender,
                port: port)
            cache.keep(denial, keys, hash: hash)
        }

        func find(
            _ reading: borrowing Reading, port: UInt8 = 0, generation: UInt32 = 3, epoch: UInt32 = 7, now: UInt32 = 100
        ) -> Denial? {
            cache.find(
                FlowKeys(of: reading, pair: 0), hash: hash, port: port, generation: generation, epoch: epoch, now: now)
        }
    }

    @Test func `a refusal is found by its whole key, its sender, its port and both stamps, for a second`() {
        let reading = Reading.tcp(2, from: client, to: server)
        let kept = Kept(reading, hash: hash)
        let denial = kept.find(reading, now: 100 + 952)
        #expect(denial?.isReject == true && denial?.reason == .unjudged)
        #expect(kept.find(reading, now: 100 + 953) == nil)
        #expect(kept.find(reading, now: 99) == nil, "a clock that went back")
        #expect(kept.find(reading, port: 1) == nil)
        #expect(kept.find(reading, generation: 4) == nil)
        #expect(kept.find(reading, epoch: 8) == nil)
        #expect(kept.find(.tcp(2, from: server, to: client)) == nil, "the other direction is another question")
        #expect(kept.find(.packet(.udp, from: client, to: server)) == nil)
        #expect(kept.find(.tcp(2, from: (client.0, 5001), to: server)) == nil)
        var tagged = Reading.tcp(2, from: client, to: server)
        tagged.vlans = VLANTags(7)
        #expect(kept.find(tagged) == nil)
        var tunnelled = Reading.tcp(2, from: client, to: server)
        tunnelled.tunnel = Tunnel(.vxlan, identifier: 7, depth: 1)
        #expect(kept.find(tunnelled) == nil)
    }

    @Test func `IPv6 is kept as IPv4 is, and apart from it`() {
        let reading = Reading.tcp(2, from: ("fd00::1", 5000), to: ("fd00::2", 80))
        let kept = Kept(reading, hash: hash)
        #expect(kept.find(reading) != nil)
        #expect(kept.find(.tcp(2, from: ("fd00::3", 5000), to: ("fd00::2", 80))) == nil)
        #expect(kept.find(.tcp(2, from: client, to: server)) == nil)
    }

    @Test func `two lines hold the last two refusals that meet in both, and an empty cache knows nothing`() {
        let kept = Kept(.tcp(2, from: client, to: server), hash: hash)
        kept.keep(.tcp(2, from: client, to: (server.0, 81)), isReject: false, .denied)
        kept.keep(.tcp(2, from: client, to: (server.0, 81)), isReject: false, .contested)
        #expect(kept.find(.tcp(2, from: client, to: (server.0, 81)))?.reason == .contested)
        #expect(kept.find(.tcp(2, from: client, to: server))?.reason == .unjudged)
        kept.keep(.tcp(2, from: client, to: (server.0, 82)), isReject: false, .denied)
        #expect(kept.find(.tcp(2, from: client, to: (server.0, 82))) != nil)
        #expect(kept.find(.tcp(2, from: client, to: (server.0, 81))) != nil)
        #expect(kept.find(.tcp(2, from: client, to: server)) == nil)
        let zero = Reading.packet(IPProtocol(rawValue: 0), from: (Address(v4: 0), 0), to: (Address(v4: 0), 0))
        let empty = DenialCache()
        for port in [0, 255] as [UInt8] {
            let found = empty.find(FlowKeys(of: zero, pair: 0), hash: 0, port: port, generation: 0, epoch: 0, now: 0)
            #expect(found == nil)
        }
    }

    @Test func `two ends that both send, and two ports, do not take each other's lines`() {
        let (asked, answered) = (Reading.tcp(2, from: client, to: server), Reading.tcp(2, from: server, to: client))
        let kept = Kept(asked, hash: hash)
        kept.keep(answered, isReject: false, .denied)
        #expect(kept.find(asked)?.reason == .unjudged)
        #expect(kept.find(answered)?.reason == .denied)
        let other = Kept(asked, hash: hash)
        other.keep(asked, isReject: false, .denied, port: 1)
        #expect(other.find(asked, port: 0)?.reason == .unjudged)
        #expect(other.find(asked, port: 1)?.reason == .denied)
    }

    @Test(arguments: [true, false])
    func `refusals by the thousand move apart until each has a line of its own`(isIPv4: Bool) {
        var cache = DenialCache()
        var random = Seeded(20)
        let hashes = (0..<2_000).map { _ in random.next() }
        func keys(_ number: Int) -> FlowKeys {
            let from = isIPv4 ? Address(v4: 0x0a00_0000 | UInt32(number)) : Address(high: 0xfd00 << 48, low: UInt64(number + 1))
            let to = isIPv4 ? server.0 : Address("fd00::2")
            return FlowKeys(of: .packet(.udp, from: (from, 5_000), to: (to, 80)), pair: 0)
        }
        var forgotten = 0
        for round in 0..<200_000 {
            let number = random.below(hashes.count)
            let keys = keys(number)
            let isHeld = cache.find(keys, hash: hashes[number], port: 0, generation: 1, epoch: 1, now: 7) != nil
            if !isHeld {
                let denial = Denial(
                    generation: 1, epoch: 1, judged: 7, isReject: false, reason: .denied, sender: keys.sender, port: 0)
                cache.keep(denial, keys, hash: hashes[number])
            }
            if !isHeld && round >= 100_000 { forgotten += 1 }
        }
        #expect(forgotten == 0)
    }

    @Test func `a refusal that is no longer believed gives its line away before one that is`() {
        let (second, third) = (Reading.tcp(2, from: client, to: (server.0, 81)), Reading.tcp(2, from: client, to: (server.0, 82)))
        for (judged, generation) in [(1_060, 3), (150, 4)] as [(UInt32, UInt32)] {
            let kept = Kept(.tcp(2, from: client, to: server), hash: hash)
            kept.keep(second, isReject: false, .denied, port: 0, judged: judged - 60, generation: generation)
            kept.keep(third, isReject: false, .denied, port: 0, judged: judged, generation: generation)
            #expect(kept.find(second, generation: generation, now: judged) != nil)
            #expect(kept.find(third, generation: generation, now: judged) != nil)
            #expect(kept.find(.tcp(2, from: client, to: server)) == nil)
        }
    }

    @Test func `what is kept of a refusal fills its line with an IPv6 key`() {
        #expect(MemoryLayout<Denial>.size == 16)
        #expect(MemoryLayout<FlowKey6>.size == 48)
    }

    @Test func `a verdict that ends soon is not kept`() {
        #expect(Denial.mayKeep(until: .max, wall: 1000))
        #expect(Denial.mayKeep(until: 1003, wall: 1000))
        #expect(!Denial.mayKeep(until: 1002, wall: 1000))
        #expect(!Denial.mayKeep(until: 5, wall: 1000))
    }
}
