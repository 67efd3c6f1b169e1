// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A capture file: the classic format (pcap-savefile(5)) of Ethernet frames, in either byte order and either precision.
struct Capture {
    /// The frames.
    let frames: [[UInt8]]

    /// Reads a file; throws where it is something else, or cut.
    init(of file: URL) throws {
        let bytes = [UInt8](try Data(contentsOf: file))
        guard bytes.count >= 24 else { throw Tool.Failure("\(file.path) is no capture") }
        let magic: [[UInt8]] = [[0xd4, 0xc3, 0xb2, 0xa1], [0x4d, 0x3c, 0xb2, 0xa1]]
        let littleEndian = magic.contains(Array(bytes[..<4]))
        guard littleEndian || magic.map({ $0.reversed() }).contains(Array(bytes[..<4])) else {
            throw Tool.Failure("\(file.path) is no classic capture: tshark -F pcap makes one")
        }
        func word(_ offset: Int) -> Int {
            let word = bytes[offset..<offset + 4]
            return (littleEndian ? Array(word.reversed()) : Array(word)).reduce(0) { $0 << 8 | Int($1) }
        }
        guard word(20) & 0xffff == 1 else { throw Tool.Failure("\(file.path) holds no Ethernet frames") }

        var frames: [[UInt8]] = []
        var offset = 24
        while offset < bytes.count {
            guard bytes.count - offset >= 16, bytes.count - offset - 16 >= word(offset + 8) else {
                throw Tool.Failure("\(file.path) is cut")
            }
            let length = word(offset + 8)
            frames.append(Array(bytes[offset + 16..<offset + 16 + length]))
            offset += 16 + length
        }
        self.frames = frames
    }
}

/// Programs that the comparison needs; `scripts/install-dependencies` installs them.
enum Tool {
    /// Why a program did not do what it should.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// Runs a program to its end and returns what it printed.
    static func run(_ program: String, _ arguments: [String]) throws -> Data {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw Failure("\(program) is missing: run scripts/install-dependencies")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // The program's complaints are few: they fit into the pipe while its output is read.
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(
                "\(program) failed with \(process.terminationStatus): \(String(decoding: said.suffix(800), as: UTF8.self))")
        }
        return printed
    }
}
