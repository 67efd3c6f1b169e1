// SPDX-License-Identifier: Apache-2.0
import Foundation
import Pcapng
import TestSupport
import Testing

@Suite("Pcapng") struct PcapngWriterTests {
    /// The blocks of a file: type and body without the two lengths, which are held against each other.
    private func blocks(_ bytes: [UInt8]) throws -> [(kind: UInt32, body: [UInt8])] {
        var (rest, found): (ArraySlice<UInt8>, [(UInt32, [UInt8])]) = (bytes[...], [])
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(rest[rest.startIndex + offset + $1]) << UInt32(8 * $1) }
        }
        while !rest.isEmpty {
            try #require(rest.count >= 12)
            let (kind, length) = (word(0), Int(word(4)))
            try #require(length % 4 == 0 && length >= 12 && length <= rest.count)
            #expect(word(length - 4) == UInt32(length))
            found.append((kind, Array(rest.dropFirst(8).prefix(length - 12))))
            rest = rest.dropFirst(length)
        }
        return found
    }

    private func packet(_ interface: Int = 0, _ bytes: [UInt8] = [1, 2, 3, 4, 5], comment: String = "") -> PcapngWriter.Packet {
        .init(
            interface: interface, time: 0x0102_0304_0506_0708, length: 9, bytes: bytes, direction: .outbound, identifier: 7,
            comment: comment)
    }

    @Test func `the head is a section and its interfaces, byte for byte`() {
        let head = PcapngWriter.head(
            application: "bulkhead", comment: "", snap: 96, [.init(name: "left:in", description: "")])
        #expect(
            head == [
                0x0a, 0x0d, 0x0d, 0x0a, 44, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
                4, 0, 8, 0, 0x62, 0x75, 0x6c, 0x6b, 0x68, 0x65, 0x61, 0x64, 0, 0, 0, 0, 44, 0, 0, 0,
                1, 0, 0, 0, 44, 0, 0, 0, 1, 0, 0, 0, 96, 0, 0, 0,
                2, 0, 7, 0, 0x6c, 0x65, 0x66, 0x74, 0x3a, 0x69, 0x6e, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 44, 0, 0, 0,
            ])
    }

    @Test func `a packet is padded, and has its comment, its direction and its number`() {
        var writer = PcapngWriter(interfaces: 1)
        #expect(
            writer.packet(packet(comment: "abc")) == [
                6, 0, 0, 0, 72, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 8, 7, 6, 5, 5, 0, 0, 0, 9, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0,
                1, 0, 3, 0, 0x61, 0x62, 0x63, 0, 2, 0, 4, 0, 2, 0, 0, 0, 5, 0, 8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                72, 0, 0, 0,
            ])
        #expect(writer.counts == [1])
    }

    @Test(arguments: 0...9) func `bytes of every length are padded to whole words`(count: Int) throws {
        var writer = PcapngWriter(interfaces: 1)
        let bytes = [UInt8](repeating: 0xee, count: count)
        let found = try blocks(writer.packet(packet(0, bytes, comment: String(repeating: "x", count: count))))
        try #require(found.count == 1 && found[0].kind == 6)
        #expect(Array(found[0].body.dropFirst(20).prefix(count)) == bytes)
        #expect(found[0].body.dropFirst(20 + count).prefix(-count & 3).allSatisfy { $0 == 0 })
    }

    @Test func `a comment holds no control character but line breaks, and is cut between two characters`() throws {
        var writer = PcapngWriter(interfaces: 1)
        let text = writer.packet(packet(comment: "a\u{0}b\u{1b}[31m\nc\u{9b}é"))
        let wanted = Array("a\\u{0}b\\u{1b}[31m\nc\\u{9b}é".utf8)
        #expect(text.indices.contains { Array(text[$0...].prefix(wanted.count)) == wanted })
        let long = try blocks(writer.packet(packet(comment: String(repeating: "é", count: 5000))))
        let length = Int(long[0].body[30]) | Int(long[0].body[31]) << 8
        #expect(length == 8192 && String(validating: long[0].body[32..<(32 + length)], as: UTF8.self) != nil)
    }

    @Test func `the statistics count each interface, and what is missing once`() throws {
        var writer = PcapngWriter(interfaces: 2)
        _ = writer.packet(packet(1))
        let found = try blocks(writer.statistics(from: 1, to: 0x0000_0002_0000_0003, missing: 5, comment: ""))
        #expect(found.map(\.kind) == [5, 5])
        #expect(
            found[0].body == [
                0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2, 0, 8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 8, 0, 2, 0, 0, 0, 3, 0, 0, 0,
                4, 0, 8, 0, 5, 0, 0, 0, 0, 0, 0, 0, 5, 0, 8, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            ])
        #expect(found[1].body[40] == 1 && found[1].body[52] == 0)
    }

    /// Another program's eyes; the tests of captures in namespaces need it as well.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/tshark"), "tshark is not installed"))
    func `tshark reads what was written`() throws {
        var writer = PcapngWriter(interfaces: 2)
        let frame: [UInt8] =
            [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1]
            + [0, 0, 0, 0, 0, 0, 10, 0, 0, 2]
        var file = PcapngWriter.head(
            application: "bulkhead tests", comment: "a capture", snap: 1856,
            [.init(name: "left:in", description: "what left receives"), .init(name: "right:out", description: "")])
        for (interface, direction) in [(0, PcapngWriter.Direction.inbound), (1, .outbound)] {
            file += writer.packet(
                .init(
                    interface: interface, time: 1_700_000_000_123_456_789, length: 60, bytes: frame, direction: direction,
                    identifier: 9, comment: "before verdict: forward\nsecond line"))
        }
        file += writer.statistics(from: 0, to: 1_700_000_000_123_456_789, missing: 3, comment: "3 are missing")
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("pcapng-\(UInt32.random(in: 0 ... .max)).pcapng")
        defer { try? FileManager.default.removeItem(at: path) }
        try Data(file).write(to: path)
        let words = [
            "-r", path.path, "-T", "fields", "-E", "separator=|", "-e", "frame.interface_name", "-e",
            "frame.packet_flags_direction",
            "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len", "-e", "arp.dst.proto_ipv4", "-e", "frame.comment",
        ]
        let output = try Tool.run("/usr/bin/tshark", words).succeeded()
        #expect(output.contains("left:in|") && output.contains("right:out|"), "\(output)")
        #expect(output.contains("|1700000000.123456789|60|42|10.0.0.2|before verdict: forward"), "\(output)")
    }
}
