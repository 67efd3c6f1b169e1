// SPDX-License-Identifier: Apache-2.0

/// How far the audit log has come: the last line's number and digest. It stands in `audit.head`, and in syslog with each line; whoever
/// keeps one of these elsewhere can tell that lines were cut off.
public struct AuditHead: Hashable, Sendable {
    static let file = "audit.head"

    /// The last line's number; 0 before there is one.
    public let number: Int64
    /// The last line's digest, as 64 hexadecimal digits.
    public let digest: String

    init(_ entry: AuditEntry) { (number, digest) = (entry.number, entry.digest) }

    private init() { (number, digest) = (0, AuditDigest.none.text) }

    /// The head of a log without lines: number 0, and a digest of zeros. It is written with a new store, so that a head file that is not
    /// there was taken away.
    static var empty: AuditHead { AuditHead() }

    /// From `N:DIGEST`, with or without the end of a line; `nil` for anything else.
    public init?(_ text: String) {
        let line = text.hasSuffix("\n") ? text.dropLast() : text[...]
        let parts = line.split(separator: ":", omittingEmptySubsequences: false)
        // A number beyond these could not be counted on from.
        guard parts.count == 2, let number = Int64(parts[0]), 0...(1 << 53) ~= number, String(number) == parts[0],
            let digest = AuditDigest(String(parts[1]))
        else { return nil }
        guard number > 0 || digest == .none else { return nil }
        self.number = number
        self.digest = digest.text
    }

    /// `N:DIGEST`.
    public var text: String { "\(number):\(digest)" }

    /// What a state folder's head file holds; `nil` where there is none.
    static func text(in folder: String) throws(StateError) -> String? {
        try StateFolder.read("\(folder)/\(file)", atMost: 4_096).map { String(decoding: $0, as: UTF8.self) }
    }
}
