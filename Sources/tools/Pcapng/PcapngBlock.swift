// SPDX-License-Identifier: Apache-2.0

/// A block of a pcapng file under construction (draft-ietf-opsawg-pcapng, 3.1), in little-endian order: type, length, body, options,
/// and the length again. Everything in it is padded to whole words.
struct PcapngBlock {
    /// The types that are written here.
    enum Kind: UInt32 {
        case section = 0x0a0d_0d0a
        case interface = 1
        case statistics = 5
        case packet = 6
    }

    private let kind: Kind
    private var body: [UInt8] = []
    private var hasOptions = false

    init(_ kind: Kind) { self.kind = kind }

    mutating func append(_ value: UInt16) { appendBytes(of: value) }
    mutating func append(_ value: UInt32) { appendBytes(of: value) }
    mutating func append(_ value: UInt64) { appendBytes(of: value) }

    /// A time as this file's interfaces count it, upper half first (4.3).
    mutating func append(time nanoseconds: UInt64) {
        append(UInt32(truncatingIfNeeded: nanoseconds >> 32))
        append(UInt32(truncatingIfNeeded: nanoseconds))
    }

    /// Bytes as they are, and zeros up to a whole word.
    mutating func append(padded bytes: some Collection<UInt8>) {
        body += bytes
        body += [UInt8](repeating: 0, count: -bytes.count & 3)
    }

    /// An option (3.5); a value is as long as 16 bits can tell.
    mutating func option(_ code: UInt16, _ value: some Collection<UInt8>) {
        precondition(value.count <= Int(UInt16.max), "an option's length has 16 bits")
        hasOptions = true
        append(code)
        append(UInt16(value.count))
        append(padded: value)
    }

    /// An option that is text; nothing for an empty one.
    mutating func option(_ code: UInt16, _ text: String) {
        let bytes = Self.text(text)
        if !bytes.isEmpty { option(code, bytes) }
    }

    /// An option that is one number of 64 bits.
    mutating func option(_ code: UInt16, _ value: UInt64) {
        option(code, unsafe withUnsafeBytes(of: value.littleEndian) { unsafe Array($0) })
    }

    /// An option that is a time.
    mutating func option(_ code: UInt16, time nanoseconds: UInt64) { option(code, nanoseconds << 32 | nanoseconds >> 32) }

    /// The block's bytes.
    func finished() -> [UInt8] {
        var body = body
        // The end of the options is an option.
        if hasOptions { body += [0, 0, 0, 0] }
        var whole = PcapngBlock(kind)
        let length = UInt32(body.count + 12)
        whole.append(kind.rawValue)
        whole.append(length)
        whole.body += body
        whole.append(length)
        return whole.body
    }

    private mutating func appendBytes<Value: FixedWidthInteger>(of value: Value) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe body.append(contentsOf: $0) }
    }

    /// Text as an option holds it: UTF-8 without zeros and other control characters but line breaks, cut between two characters where it is
    /// longer than a reader should have to show.
    private static func text(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 32 && scalar != "\n" || (127...159).contains(scalar.value)
            let next = isControl ? Array("\\u{\(String(scalar.value, radix: 16))}".utf8) : Array(UTF8.encode(scalar)!)
            guard bytes.count + next.count <= 8192 else { break }
            bytes += next
        }
        return bytes
    }
}
