// SPDX-License-Identifier: Apache-2.0

/// Random numbers that a seed repeats, and frames that differ by them.
public struct PacketRandom: RandomNumberGenerator, Sendable {
    private var numbers: Seeded

    /// A generator from a seed.
    public init(seed: UInt64) { numbers = Seeded(seed) }

    /// The next number.
    public mutating func next() -> UInt64 { numbers.next() }

    /// The frame with one to six bytes changed, and sometimes cut.
    public mutating func mutated(_ frame: [UInt8]) -> [UInt8] {
        var bytes = frame
        guard !bytes.isEmpty else { return bytes }
        for _ in 0..<Int.random(in: 1...6, using: &self) {
            let index = Int.random(in: bytes.indices, using: &self)
            switch Int.random(in: 0..<4, using: &self) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 1: bytes[index] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &self) ?? 0
            case 2: bytes[index] &+= Bool.random(using: &self) ? 1 : 255
            default: bytes[index] = UInt8.random(in: 0...255, using: &self)
            }
        }
        if Int.random(in: 0..<8, using: &self) == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &self)) }
        return bytes
    }
}
