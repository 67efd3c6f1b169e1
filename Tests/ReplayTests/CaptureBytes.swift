// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// A capture file as it lies on disk, made by hand.
struct CaptureBytes {
    /// Which of the two formats.
    enum Format { case pcap, pcapng }

    var bytes: [UInt8] = []
    private let format: Format

    /// The beginning of a file. A pcapng file names its interfaces.
    init(_ format: Format = .pcap, interfaces: [String] = [], linkType: UInt16 = 1) {
        self.format = format
        switch format {
        case .pcap:
            add(0xa1b2_3c4d as UInt32)
            add(2 as UInt16)
            add(4 as UInt16)
            for word in [0, 0, 262_144, UInt32(linkType)] { add(word) }
        case .pcapng:
            block(0x0a0d_0d0a, words(0x1a2b_3c4d, 1, .max, .max))
            for name in interfaces {
                var body = words(UInt32(linkType), 262_144)
                body += half(2) + half(UInt16(name.utf8.count)) + Array(name.utf8)
                body += [UInt8](repeating: 0, count: (4 - name.utf8.count % 4) % 4) + words(0)
                block(1, body)
            }
        }
    }

    /// Adds a frame that was seen so many nanoseconds after 2023-11-14T22:13:20Z.
    mutating func add(_ packet: Packet, at nanoseconds: UInt64, interface: UInt32 = 0, recorded: Int? = nil) {
        let frame = Array(packet.bytes.prefix(recorded ?? .max))
        let (seconds, rest) = (1_700_000_000 + nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
        switch format {
        case .pcap:
            for word in [UInt32(seconds), UInt32(rest), UInt32(frame.count), UInt32(packet.bytes.count)] { add(word) }
            bytes += frame
        case .pcapng:
            let time = seconds * 1_000_000 + rest / 1000
            var body = words(interface, UInt32(time >> 32), UInt32(truncatingIfNeeded: time))
            body += words(UInt32(frame.count), UInt32(packet.bytes.count)) + frame
            block(6, body + [UInt8](repeating: 0, count: (4 - frame.count % 4) % 4))
        }
    }

    /// Writes the file into a folder of its own, lets the body use it, and removes it.
    func written<Result>(_ body: (String) throws -> Result) throws -> Result {
        var name = Array("/tmp/bulkhead-replay-XXXXXX".utf8CString)
        let descriptor = unsafe mkstemp(&name)
        try #require(descriptor >= 0)
        let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { _ = unsafe unlink(path) }
        let count = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        try #require(count == bytes.count)
        return try body(path)
    }

    private mutating func block(_ type: UInt32, _ body: [UInt8]) {
        let length = UInt32(body.count + 12)
        bytes += words(type, length) + body + words(length)
    }

    private mutating func add(_ word: UInt32) { bytes += words(word) }
    private mutating func add(_ value: UInt16) { bytes += half(value) }
    private func half(_ value: UInt16) -> [UInt8] { [UInt8(truncatingIfNeeded: value), UInt8(value >> 8)] }
    private func words(_ values: UInt32...) -> [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    }
}
