// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The names of the interfaces that saw the frames of a pcapng file, one after the other (draft-ietf-opsawg-pcapng).
///
/// Only the frame of the blocks is read: section headers for the byte order, interface descriptions for their names, and of packet
/// blocks the interface's number. What does not add up ends the names, never the replay.
@safe final class CaptureInterfaces {
    /// Types of blocks.
    private enum Block {
        static let section: UInt32 = 0x0a0d_0d0a
        static let interface: UInt32 = 1
        static let oldPacket: UInt32 = 2
        static let simplePacket: UInt32 = 3
        static let packet: UInt32 = 6
        /// Type and both lengths.
        static let frame = 12
        /// Blocks of names are read up to here.
        static let longestDescription = 65_536
    }

    private let file: UnsafeMutablePointer<FILE>
    private var isSwapped = false
    private var names: [String?] = []

    /// The names in a file; `nil` where it is no pcapng.
    init?(path: String) {
        guard let opened = unsafe fopen(path, "rb") else { return nil }
        unsafe file = opened
        guard let magic = word(), magic == Block.section, unsafe fseek(file, 0, SEEK_SET) == 0 else { return nil }
    }

    deinit { _ = unsafe fclose(file) }

    /// The interface of the next frame; `nil` where the file names none.
    func next() -> String? {
        while let type = word(), let length = word() {
            if type == Block.section {
                guard let order = word() else { return nil }
                isSwapped = order != 0x1a2b_3c4d
                names = []
                guard skip(Int(isSwapped ? length.byteSwapped : length) - 12) else { return nil }
                continue
            }
            let size = Int(ordered(length))
            guard size >= Block.frame, size % 4 == 0 else { return nil }
            switch ordered(type) {
            case Block.interface:
                guard size <= Block.longestDescription, let body = bytes(size - 8) else { return nil }
                names.append(name(in: body))
            case Block.packet:
                guard size >= Block.frame + 4, let number = word(), skip(size - 12) else { return nil }
                return name(Int(ordered(number)))
            case Block.oldPacket:
                // Interface number and drop count share a word, in this order.
                guard size >= Block.frame + 4, let body = bytes(4), skip(size - 12) else { return nil }
                return name(Int(half(body, 0)))
            case Block.simplePacket:
                guard skip(size - 8) else { return nil }
                return name(0)
            default:
                guard skip(size - 8) else { return nil }
            }
        }
        return nil
    }

    private var isBigEndian: Bool { UInt32(1).bigEndian == 1 }

    private func name(_ number: Int) -> String? { names.indices.contains(number) ? names[number] : nil }

    /// The option `if_name` (2) of an interface description: link type, reserved and snap length come first.
    private func name(in body: [UInt8]) -> String? {
        var offset = 8
        while offset + 4 <= body.count - 4 {
            let code = half(body, offset)
            let length = Int(half(body, offset + 2))
            guard code != 0, offset + 4 + length <= body.count - 4 else { return nil }
            if code == 2 { return String(decoding: body[(offset + 4)..<(offset + 4 + length)], as: UTF8.self) }
            offset += 4 + (length + 3) / 4 * 4
        }
        return nil
    }

    private func half(_ body: [UInt8], _ offset: Int) -> UInt16 {
        let (first, second) = (UInt16(body[offset]), UInt16(body[offset + 1]))
        return isSwapped == isBigEndian ? first | second << 8 : first << 8 | second
    }

    private func ordered(_ word: UInt32) -> UInt32 { isSwapped ? word.byteSwapped : word }

    private func word() -> UInt32? {
        var value: UInt32 = 0
        // Four bytes into four bytes.
        return unsafe fread(&value, 4, 1, file) == 1 ? value : nil
    }

    private func bytes(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = unsafe fread(&bytes, 1, count, file)
        return read == count ? bytes : nil
    }

    private func skip(_ count: Int) -> Bool {
        guard count >= 0 else { return false }
        return unsafe fseek(file, count, SEEK_CUR) == 0
    }
}
