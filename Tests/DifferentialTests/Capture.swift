// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// A capture file: the classic format (pcap-savefile(5)) of Ethernet frames, in either byte order and either precision.
struct Capture {
    /// The frames.
    let frames: [[UInt8]]

    /// Reads a file; throws where it is something else, or cut.
    init(of file: URL) throws {
        let bytes = [UInt8](try Data(contentsOf: file))
        guard bytes.count >= 24 else { throw ToolFailure("\(file.path) is no capture") }
        let magic: [[UInt8]] = [[0xd4, 0xc3, 0xb2, 0xa1], [0x4d, 0x3c, 0xb2, 0xa1]]
        let littleEndian = magic.contains(Array(bytes[..<4]))
        guard littleEndian || magic.map({ $0.reversed() }).contains(Array(bytes[..<4])) else {
            throw ToolFailure("\(file.path) is no classic capture: tshark -F pcap makes one")
        }
        func word(_ offset: Int) -> Int {
            let word = bytes[offset..<offset + 4]
            return (littleEndian ? Array(word.reversed()) : Array(word)).reduce(0) { $0 << 8 | Int($1) }
        }
        guard word(20) & 0xffff == 1 else { throw ToolFailure("\(file.path) holds no Ethernet frames") }

        var frames: [[UInt8]] = []
        var offset = 24
        while offset < bytes.count {
            guard bytes.count - offset >= 16, bytes.count - offset - 16 >= word(offset + 8) else {
                throw ToolFailure("\(file.path) is cut")
            }
            let length = word(offset + 8)
            frames.append(Array(bytes[offset + 16..<offset + 16 + length]))
            offset += 16 + length
        }
        self.frames = frames
    }
}
