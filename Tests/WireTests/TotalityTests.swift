// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

/// Whatever the bytes are, there is a reason or a reading that stays in its frame. A read outside the span would trap.
@Suite struct Totality {
    /// Reads bytes; the flaw of a readable one is recorded with the bytes.
    @discardableResult
    static func isReadable(_ bytes: [UInt8], _ note: @autoclosure () -> String) -> Bool {
        var (reason, reading) = outcome(of: bytes)
        var depth = 0
        while true {
            if let reason {
                let isWires = reason.rawValue <= DropReason.martian.rawValue && reason != .unknownEtherType
                if !isWires { Issue.record("\(reason) is not Wire's: \(note()): \(hexadecimal(bytes))") }
                return depth > 0
            }
            if let flaw = flaw(in: reading, of: bytes.count) { Issue.record("\(flaw): \(note()): \(hexadecimal(bytes))") }
            guard reading.carried.kind != .none else { return true }
            // The third step in is refused, so this ends.
            let outer = reading
            (reason, reading) = innerOutcome(of: bytes, outer)
            if reason == nil, reading.end > outer.end || reading.networkOffset < outer.payloadOffset {
                Issue.record("the inside reaches out: \(note()): \(hexadecimal(bytes))")
            }
            depth += 1
        }
    }

    /// The frame with a right IPv4 checksum where it has room for one, so that a change is seen by what lies behind it.
    static func resummed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        var start = 14
        while bytes.count > start, [[0x81, 0], [0x88, 0xa8], [0x91, 0]].contains(Array(bytes[start - 2..<start])) { start += 4 }
        guard bytes.count >= start + 20, bytes[start - 2] == 8, bytes[start - 1] == 0 else { return bytes }
        let length = Int(bytes[start] & 15) * 4
        guard length >= 20, bytes.count >= start + length else { return bytes }
        bytes[start + 10] = 0
        bytes[start + 11] = 0
        let sum = internetChecksum(Array(bytes[start..<start + length]))
        bytes[start + 10] = UInt8(sum >> 8)
        bytes[start + 11] = UInt8(sum & 0xff)
        return bytes
    }

    @Test(arguments: Sample.all)
    func `a sample is readable, cut anywhere before its end it is not`(sample: Sample) {
        let bytes = sample.bytes
        let (reason, reading) = outcome(of: bytes)
        #expect(reason == nil)
        #expect(Self.isReadable(bytes, sample.name))
        // What has no length of its own is as long as its frame; cut, it is a shorter one or less than its header.
        let hasLength = reading.kind != .link || reading.etherType < 0x0600
        for length in bytes.indices {
            let readable = Self.isReadable(Array(bytes.prefix(length)), sample.name)
            if hasLength { #expect(readable == (length >= Int(reading.end)), "cut at \(length)") }
        }
    }

    @Test(arguments: Sample.all)
    func `a cut packet whose header knows it is read or refused`(sample: Sample) {
        let bytes = sample.bytes
        let reading = outcome(of: bytes).reading
        let start = Int(reading.networkOffset)
        for length in start..<bytes.count {
            var cut = Array(bytes.prefix(length))
            // Where the family keeps its length, and what that does not count.
            let (offset, header) = reading.etherType == 0x0800 ? (start + 2, 0) : (start + 4, 40)
            guard reading.kind != .link, reading.kind != .arp, length >= start + max(header, 4) else { continue }
            let left = length - start - header
            cut[offset] = UInt8(left >> 8)
            cut[offset + 1] = UInt8(left & 0xff)
            Self.isReadable(Self.resummed(cut), "\(sample.name) cut at \(length)")
        }
    }

    @Test(arguments: Sample.all)
    func `any byte may have any bit flipped, or all of them`(sample: Sample) {
        let original = sample.bytes
        for index in original.indices {
            for mask in [1, 2, 4, 8, 16, 32, 64, 128, 255] as [UInt8] {
                var bytes = original
                bytes[index] ^= mask
                Self.isReadable(bytes, "byte \(index) of \(sample.name)")
                Self.isReadable(Self.resummed(bytes), "byte \(index) of \(sample.name)")
            }
        }
    }

    @Test(arguments: Sample.all)
    func `any two bytes may be a length of nothing, of little or of everything`(sample: Sample) {
        let original = sample.bytes
        for index in original.indices.dropLast() {
            for value in [[0, 0], [0, 1], [0, 7], [0xff, 0xff], [0x7f, 0xff]] as [[UInt8]] {
                var bytes = original
                bytes.replaceSubrange(index..<index + 2, with: value)
                bytes = Self.resummed(bytes)
                Self.isReadable(bytes, "bytes \(index) of \(sample.name)")
                Self.isReadable(Array(bytes.prefix(bytes.count - 5)), "bytes \(index) of \(sample.name), cut")
            }
        }
    }

    @Test func `one hundred thousand mutated frames are read or refused`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("Totality: seed \(seed)")
        var random = PacketRandom(seed: seed)
        let frames = Sample.all.map(\.bytes)
        var readable = 0
        for round in 0..<100_000 {
            let mutant = random.mutated(frames[Int.random(in: frames.indices, using: &random)])
            if Self.isReadable(round % 2 == 0 ? mutant : Self.resummed(mutant), "seed \(seed), round \(round)") { readable += 1 }
        }
        // Both outcomes are met often, or the mutants tell nothing.
        #expect((10_000...90_000).contains(readable), "seed \(seed)")
    }

    @Test func `random bytes are read or refused`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("Totality: seed \(seed)")
        var random = PacketRandom(seed: seed)
        for round in 0..<20_000 {
            let count = Int.random(in: 0...128, using: &random)
            Self.isReadable((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }, "seed \(seed), round \(round)")
        }
    }

    @Test func `the bits that Wire sets are those that Net names`() {
        let marked = reading(of: Ethernet(to: "ff:ff:ff:ff:ff:ff") / IPv4(dontFragment: true, moreFragments: true) / UDP())
        #expect(marked.marks == [.group, .dontFragment, .moreFragments, .fragment])
        #expect(reading(of: Ethernet() / IPv4() / ICMP.echoReply()).marks == .icmpReply)
        #expect(reading(of: Ethernet() / IPv4() / ICMP(type: 11) / IPv4() / UDP()).marks == .icmpError)
    }
}
