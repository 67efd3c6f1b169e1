// SPDX-License-Identifier: Apache-2.0
import TestSupport

/// The single steps of the grammar.
enum FieldChange {
    /// Ether types, and lengths about the border between the two meanings of the field.
    private static let etherTypes: [UInt16] = [
        0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x8847, 0x8848, 0x8863, 0x8864, 0x88cc, 0x888e, 0x8809, 0x88e5, 0x88f7,
        0x6558,
        0x05dc, 0x05ff, 0x0600,
    ]
    /// Protocol numbers and next headers that lead somewhere else.
    private static let protocols: [UInt8] = [
        0, 1, 2, 4, 6, 17, 41, 43, 44, 46, 47, 50, 51, 58, 59, 60, 89, 112, 132, 135, 139, 140, 253,
    ]
    /// Ports behind which more is read.
    private static let ports: [UInt16] = [67, 68, 319, 320, 546, 547, 3784, 3785, 4784, 4789, 6081]

    /// Gives one field of a layer another value. Fields are aligned in their layer, as nearly all of the wire's are.
    static func change(_ frame: inout [UInt8], in layer: Range<Int>, _ random: inout PacketRandom) {
        let layer = layer.clamped(to: 0..<frame.count)
        guard !layer.isEmpty else { return }
        // Headers first: what lies behind 64 bytes of a layer is seldom read.
        let reach = min(layer.count, 64)
        let width = [1, 1, 2, 2, 4].filter { $0 <= reach }.randomElement(using: &random) ?? 1
        let field = layer.lowerBound + Int.random(in: 0...(reach - width) / width, using: &random) * width
        switch (width, Int.random(in: 0..<4, using: &random)) {
        case (1, 0): frame[field] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case (1, 1): frame[field] = protocols.randomElement(using: &random) ?? 0
        case (2, 0): write((etherTypes + ports).randomElement(using: &random) ?? 0, to: &frame, at: field)
        // About what is left of the frame: where lengths are wrong by a little.
        case (2, 1):
            let left = frame.count - field + .random(in: -9...9, using: &random)
            write(UInt16(truncatingIfNeeded: left), to: &frame, at: field)
        case (_, 2): for index in field..<field + width { frame[index] = .random(in: 0...255, using: &random) }
        default:
            let number = frame[field..<field + width].reduce(0) { $0 << 8 | UInt64($1) }
            let step = [number &+ 1, number &- 1, number &* 2, 0, 1, .max, 0x7fff_ffff_7fff_7f7f, 0x8000_0000_8000_8080]
            let value = step.randomElement(using: &random) ?? 0
            for index in 0..<width { frame[field + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (width - 1 - index))) }
        }
    }

    /// Cuts the frame, at a border or anywhere, or puts something behind it; mostly neither.
    static func changeTail(_ frame: inout [UInt8], borders: [Int], _ random: inout PacketRandom) {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: frame.removeLast(frame.count - Int.random(in: 0...frame.count, using: &random))
        case 1: frame.removeLast(frame.count - min(frame.count, borders.randomElement(using: &random) ?? 0))
        case 2: frame += [UInt8](repeating: 0, count: .random(in: 1...64, using: &random))
        case 3: frame += (0..<Int.random(in: 1...40, using: &random)).map { _ in .random(in: 0...255, using: &random) }
        default: return
        }
    }

    /// Puts one to three VLAN tags in front of the ether type.
    static func addTags(_ frame: inout [UInt8], _ random: inout PacketRandom) {
        guard frame.count >= 14 else { return }
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let type: [UInt8] = [[0x81, 0], [0x88, 0xa8], [0x91, 0]].randomElement(using: &random) ?? [0x81, 0]
            frame.insert(contentsOf: type + [.random(in: 0...255, using: &random), .random(in: 0...255, using: &random)], at: 12)
        }
    }

    /// Makes the sum of each IPv4 header right that begins at a border.
    static func repairSums(_ frame: inout [UInt8], at borders: [Int]) {
        for start in borders where start + 20 <= frame.count && frame[start] >> 4 == 4 {
            let length = Int(frame[start] & 15) * 4
            guard length >= 20, start + length <= frame.count else { continue }
            write(0, to: &frame, at: start + 10)
            write(internetChecksum(Array(frame[start..<start + length])), to: &frame, at: start + 10)
        }
    }

    private static func write(_ number: UInt16, to frame: inout [UInt8], at offset: Int) {
        frame[offset] = UInt8(number >> 8)
        frame[offset + 1] = UInt8(number & 0xff)
    }
}
