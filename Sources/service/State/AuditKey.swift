// SPDX-License-Identifier: Apache-2.0
internal import Crypto
internal import Foundation

/// The secret that the audit log's digests are made with. Who lacks it can neither add a line nor change one unseen.
struct AuditKey: Sendable {
    static let file = "audit.key"
    static let byteCount = 32

    private let key: SymmetricKey

    /// The key that the bytes are.
    init(bytes: [UInt8], from path: String) throws(StateError) {
        guard bytes.count == Self.byteCount else {
            throw StateError(
                "\(path) holds \(bytes.count) bytes and not \(Self.byteCount): put the right key back, or move this one away; a new one is"
                    + " then made, and lines before it cannot be verified with it")
        }
        key = SymmetricKey(data: bytes)
    }

    /// The folder's key, made where there is none.
    static func load(from folder: StateFolder) throws(StateError) -> AuditKey {
        if let bytes = try StateFolder.read(folder.file(file), atMost: 4096) {
            return try AuditKey(bytes: bytes, from: folder.file(file))
        }
        // From the kernel's generator, as swift-crypto takes it.
        let bytes = unsafe SymmetricKey(size: .bits256).withUnsafeBytes { unsafe Array($0) }
        try folder.replace(file, by: bytes)
        return try AuditKey(bytes: bytes, from: folder.file(file))
    }

    /// HMAC-SHA256 over the digest of the line before and all fields of this one.
    func digest(of entry: AuditEntry, behind previous: AuditDigest) -> AuditDigest {
        AuditDigest(bytes: Array(HMAC<SHA256>.authenticationCode(for: Self.message(entry, previous), using: key)))
    }

    /// Whether a line carries the digest that follows from its fields and the line before.
    func signed(_ line: AuditLine) -> Bool {
        guard let previous = AuditDigest(line.previous) else { return false }
        return digest(of: line.entry, behind: previous).text == line.entry.digest
    }

    /// What is authenticated. Each field is preceded by whether it is there and how long it is, so that no two entries have one
    /// encoding; numbers are in network byte order.
    static func message(_ entry: AuditEntry, _ previous: AuditDigest) -> [UInt8] {
        var bytes = Array("bulkhead audit 1\n".utf8) + previous.bytes
        append(UInt64(bitPattern: entry.number), to: &bytes)
        append(UInt64(bitPattern: entry.time), to: &bytes)
        let uid = entry.actor.uid.map { String($0) }
        let fields: [String?] = [
            entry.actor.kind.rawValue, entry.actor.name, uid, entry.actor.origin, entry.action, entry.object,
            entry.result.rawValue,
            entry.reason, entry.old, entry.new,
        ]
        for field in fields {
            bytes.append(field == nil ? 0 : 1)
            guard let field else { continue }
            append(UInt64(field.utf8.count), to: &bytes)
            bytes += field.utf8
        }
        return bytes
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
}

/// The 32 bytes that stand for a line and all lines before it.
struct AuditDigest: Hashable, Sendable {
    let bytes: [UInt8]

    /// What the first line of a log follows.
    static var none: AuditDigest { AuditDigest(bytes: [UInt8](repeating: 0, count: 32)) }

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// From 64 lower-case hexadecimal digits and nothing else.
    init?(_ text: String) {
        guard let bytes = Hexadecimal.bytes(text), bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    var text: String { Hexadecimal.text(bytes) }
}

/// Bytes as lower-case hexadecimal digits.
enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var result: [UInt8] = []
        for byte in bytes {
            result.append(digits[Int(byte >> 4)])
            result.append(digits[Int(byte & 15)])
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// `nil` where something else than lower-case digits stands, or an odd number of them.
    static func bytes(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            guard let value = digits.firstIndex(of: character) else { return nil }
            if let first = high {
                bytes.append(first << 4 | UInt8(value))
                high = nil
            } else {
                high = UInt8(value)
            }
        }
        return high == nil ? bytes : nil
    }

    /// SHA-256 of a text's UTF-8.
    static func sha256(_ text: String) -> String { Self.text(SHA256.hash(data: Data(text.utf8))) }
}
