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
        let (reason, reading) = outcome(of: bytes)
        if let reason {
            if reason == .fragment || reason.rawValue > DropReason.martian.rawValue {
                Issue.record("\(reason) is not Wire's: \(note()): \(hexadecimal(bytes))")
            }
            return false
        }
        if let flaw = flaw(in: reading, of: bytes.count) { Issue.record("\(flaw): \(note()): \(hexadecimal(bytes))") }
        return true
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

    @Test(arguments: samples)
    func `a sample is readable, cut anywhere before its end it is not`(packet: Packet) {
        let bytes = packet.bytes
        #expect(Self.isReadable(bytes, packet.description))
        let end = Int(outcome(of: bytes).reading.end)
        for length in bytes.indices {
            let readable = Self.isReadable(Array(bytes.prefix(length)), packet.description)
            #expect(readable == (length >= end), "cut at \(length): \(packet)")
        }
    }

    @Test(arguments: samples)
    func `any byte may have any value`(packet: Packet) {
        let original = packet.bytes
        for index in original.indices {
            for value in UInt8.min...UInt8.max {
                var bytes = original
                bytes[index] = value
                Self.isReadable(bytes, "byte \(index) of \(packet)")
                Self.isReadable(Self.resummed(bytes), "byte \(index) of \(packet)")
            }
        }
    }

    @Test(arguments: samples)
    func `any bit may be flipped, at any length`(packet: Packet) {
        let original = packet.bytes
        for index in original.indices {
            for bit in 0..<8 {
                var bytes = original
                bytes[index] ^= 1 << bit
                bytes = Self.resummed(bytes)
                Self.isReadable(bytes, "bit \(bit) of byte \(index) of \(packet)")
                for length in stride(from: bytes.count - 1, to: 12, by: -7) {
                    Self.isReadable(Array(bytes.prefix(length)), "bit \(bit) of byte \(index) of \(packet)")
                }
            }
        }
    }

    @Test func `two hundred thousand mutated frames are read or refused`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("Totality: seed \(seed)")
        var random = PacketRandom(seed: seed)
        let frames = samples.map(\.bytes)
        var readable = 0
        for round in 0..<200_000 {
            let mutant = random.mutated(frames[Int.random(in: frames.indices, using: &random)])
            if Self.isReadable(round % 2 == 0 ? mutant : Self.resummed(mutant), "seed \(seed), round \(round)") { readable += 1 }
        }
        // Both outcomes are met often, or the mutants tell nothing.
        #expect((20_000...180_000).contains(readable), "seed \(seed)")
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
