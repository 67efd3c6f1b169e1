// SPDX-License-Identifier: Apache-2.0

/// Whether an audit log is the one that was written: no line changed, taken out, put in or moved, none cut off at either end.
///
/// Every line's digest is made with the key over its fields and the digest before, so that a line stands only where it was written. What is
/// cut off at the end shows by a head that somebody kept; what is cut off at the beginning by the last rotation's line, which says from
/// where on lines are kept.
public struct AuditVerification: Encodable, Sendable {
    /// What is wrong, at the first line where something is.
    public struct Fault: Encodable, Hashable, Sendable {
        /// The line's number; `nil` where it belongs to none.
        public var line: Int64?
        /// What is wrong with it.
        public var message: String
    }

    /// How many lines were verified.
    public private(set) var lines = 0
    /// The first one's number.
    public private(set) var first: Int64?
    /// The last one's number and digest, as `--head` takes it.
    public private(set) var head: String?
    /// What is wrong; `nil` where nothing is.
    public private(set) var fault: Fault?
    /// What is in order, and should be known.
    public private(set) var notes: [String] = []

    /// A head that lines are held against, and what to call it.
    private struct Known: Sendable {
        var name: String
        var head: String
        var isMet = false
    }

    private var from: Int64?
    private var known: [Known] = []
    private var number: Int64 = 0
    private var digest = AuditDigest.none.text
    private var kept: Int64?

    private enum CodingKeys: String, CodingKey { case lines, first, head, fault, notes }

    private init(from: Int64?, heads: [(name: String, head: AuditHead)]) {
        self.from = from
        known = heads.map { Known(name: $0.name, head: $0.head.text) }
    }

    /// Verifies the log of a state folder with its own key and head file. `from` begins at a line that is known to begin something anew;
    /// `head` is one that was kept elsewhere.
    public static func verify(folder: String, from: Int64? = nil, head: AuditHead? = nil) throws -> AuditVerification {
        let key = try key(at: "\(folder)/\(AuditKey.file)")
        // Before the lines: a daemon may add some meanwhile.
        let text = try AuditHead.text(in: folder)
        let own = text.flatMap { AuditHead($0) }
        var heads = head.map { [("--head", $0)] } ?? []
        if let own { heads.append((AuditHead.file, own)) }
        var verification = AuditVerification(from: from, heads: heads)
        try verification.read(key) { try AuditReader.forEach(inFolder: folder, from: from ?? 1, $0) }
        if own == nil, verification.fault == nil, text != nil || verification.lines > 0 {
            verification.fault = Fault(
                line: nil, message: text == nil ? "audit.head is gone" : "audit.head holds no line's number and digest")
        }
        if let own, verification.fault == nil, own.number < verification.number {
            verification.notes.append(
                "audit.head is \(verification.number - own.number) lines behind the log, as a crash leaves it")
        }
        return verification
    }

    /// Verifies an export with a key. Without a head nobody can tell whether lines are missing at its end.
    public static func verify(
        export: String, key path: String, from: Int64? = nil, head: AuditHead? = nil
    ) throws -> AuditVerification {
        let key = try key(at: path)
        var verification = AuditVerification(from: from, heads: head.map { [("--head", $0)] } ?? [])
        try verification.read(key) { body in
            try AuditReader.forEach(inExport: export) { line in
                if line.entry.number >= from ?? 1 { try body(line) }
            }
        }
        if head == nil {
            verification.notes.append("without --head nobody can tell whether lines are missing at the end")
        }
        return verification
    }

    private static func key(at path: String) throws -> AuditKey {
        guard let bytes = try StateFolder.read(path, atMost: 4_096) else { throw StateError("\(path): there is no such file") }
        return try AuditKey(bytes: bytes, from: path)
    }

    /// The first fault was found: nothing behind it means anything.
    private struct Found: Error {}

    private mutating func read(_ key: AuditKey, _ lines: ((AuditLine) throws -> Void) throws -> Void) throws {
        do {
            try lines { line in
                if let message = take(line, key) {
                    fault = Fault(line: line.entry.number, message: message)
                    throw Found()
                }
            }
            fault = end()
        } catch is Found {
            return
        } catch let error as AuditReader.Unreadable {
            fault = Fault(line: error.line ?? (number + 1), message: error.description)
        }
    }

    /// Takes the next line; what is wrong with it.
    private mutating func take(_ line: AuditLine, _ key: AuditKey) -> String? {
        let entry = line.entry
        let isFirst = lines == 0
        if isFirst {
            if let from, entry.number != from { return "the log begins here, and not at line \(from)" }
            if entry.number == 1, line.previous != AuditDigest.none.text { return "it follows a line that is not there" }
        } else if entry.number != number + 1 {
            return entry.number > number + 1
                ? "lines \(number + 1) to \(entry.number - 1) are missing before it" : "it stands behind line \(number)"
        } else if line.previous != digest {
            return "it does not follow the line before it as that is now"
        }
        guard key.signed(line) else { return "it was changed, or written with another key" }
        if entry.action == AuditEvent.restart, entry.number != from {
            return
                "the log begins anew here, because of what it lost: \(entry.reason ?? ""). Verify what follows with --from \(entry.number)"
        }
        for index in known.indices {
            guard let head = AuditHead(known[index].head), head.number == entry.number else { continue }
            guard head.digest == entry.digest else { return "it is not the line that \(known[index].name) knows" }
            known[index].isMet = true
        }
        if entry.action == AuditEvent.rotate { kept = AuditArchive.kept(entry.reason) ?? kept }
        if isFirst { first = entry.number }
        (number, digest) = (entry.number, entry.digest)
        lines += 1
        head = AuditHead(entry).text
        return nil
    }

    /// What is wrong with both ends.
    private func end() -> Fault? {
        if let first, first > 1, from == nil, first > kept ?? 1 {
            return Fault(
                line: first,
                message: "lines \(kept ?? 1) to \(first - 1) are missing before it; verify a part with --from \(first)")
        }
        for known in known where !known.isMet {
            guard let head = AuditHead(known.head), head.number > 0 else { continue }
            if head.number > number {
                return Fault(
                    line: number + 1,
                    message: "lines \(number + 1) to \(head.number) are missing at the end, \(known.name) knows them")
            }
            return Fault(line: head.number, message: "\(known.name) knows a line that is no longer kept, and cannot be compared")
        }
        return nil
    }
}
