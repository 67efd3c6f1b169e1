// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Policy

/// Reads the files of a set one after the other, and goes on behind what it does not understand, so that one look shows all that is
/// wrong.
struct SetReader {
    private let dialects: [any ForeignDialect]
    private let limits: Loader.Limits
    private var documents: [Document] = []
    private var foreign: [[ForeignDocument]]
    private var readings: [ForeignReading] = []
    private var faults: [PolicyError] = []
    private var bytes = 0
    private var count = 0

    init(dialects: [any ForeignDialect], limits: Loader.Limits) {
        self.dialects = dialects
        self.limits = limits
        foreign = Array(repeating: [], count: dialects.count)
    }

    /// Whether as many errors were found as are told at once.
    var isFull: Bool { faults.count >= PolicyError.most }

    /// What was wrong so far.
    var error: PolicyError? { PolicyError(faults) }

    mutating func read(_ file: String) {
        do throws(PolicyError) {
            let text = try text(of: file)
            read(text, named: file)
        } catch {
            faults += error.all
        }
    }

    /// Reads a text that is in memory already, as the file of a name.
    mutating func read(_ text: String, named file: String) {
        do throws(PolicyError) {
            if let dialect = dialects.first(where: { $0.claims(file: file) }) {
                readings.append(try dialect.read(text, file: file))
            } else {
                try read(text, file)
            }
        } catch {
            faults += error.all
        }
    }

    /// Refuses what is larger than a file, or all of them together, may be; before it is read.
    mutating func admit(_ text: String, named file: String) {
        let place = Place(file: file, line: 1, column: 1)
        bytes += text.utf8.count
        if text.utf8.count > limits.file.bytes {
            faults.append(
                PolicyError(place, "the file has \(text.utf8.count) bytes, \(limits.file.bytes) is the limit", remedy: "split it")
            )
        } else if bytes > limits.bytes {
            faults.append(PolicyError(place, "with this file the set has more than \(limits.bytes) bytes"))
        }
    }

    private mutating func text(of file: String) throws(PolicyError) -> String {
        let place = Place(file: file, line: 1, column: 1)
        // Before it is read: what is too large must not fill the memory first.
        let size = (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
        guard size <= limits.file.bytes else {
            throw PolicyError(place, "the file has \(size) bytes, \(limits.file.bytes) is the limit", remedy: "split it")
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw PolicyError(place, "the file cannot be read")
        }
        bytes += data.count
        guard bytes <= limits.bytes else {
            throw PolicyError(place, "with this file the set has more than \(limits.bytes) bytes")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw PolicyError(place, "the file is no UTF-8")
        }
        return text
    }

    mutating func read(_ text: String, _ file: String) throws(PolicyError) {
        for value in try YAMLReader.documents(text, file: file, limits: limits.file) {
            do throws(PolicyError) {
                for item in try items(value) { try enter(item) }
            } catch {
                faults += error.all
                if isFull { return }
            }
        }
    }

    /// The documents of a document: those of a `List`, as `kubectl get -o yaml` prints it, or itself.
    private func items(_ value: YAMLValue) throws(PolicyError) -> [YAMLValue] {
        guard let head = Head(value), head.apiVersion == "v1", head.kind == "List", !dialects.isEmpty else { return [value] }
        let list = try value.mapping("a List", keys: ["apiVersion", "kind", "metadata", "items"])
        return try list.required("items").list("items")
    }

    private mutating func enter(_ value: YAMLValue) throws(PolicyError) {
        count += 1
        guard count <= limits.documents else {
            throw value.error("with this document the set has more than \(limits.documents)")
        }
        let head = Head(value)
        guard head?.apiVersion != DocumentDecoder.version, let dialect = dialects.firstIndex(where: { $0.claims(value, head) })
        else {
            documents.append(try DocumentDecoder(value).document())
            return
        }
        foreign[dialect].append(ForeignDocument(apiVersion: head?.apiVersion ?? "", kind: head?.kind ?? "", value: value))
    }

    /// Everything that was read, foreign documents turned into objects; throws with all that was wrong.
    mutating func finish() throws(PolicyError) -> Loader.Contents {
        var contents = Loader.Contents()
        contents.documents = documents
        for (dialect, documents) in zip(dialects, foreign) where !documents.isEmpty {
            do throws(PolicyError) {
                readings.append(try dialect.read(documents))
            } catch {
                faults += error.all
            }
        }
        if let error { throw error }
        for reading in readings {
            contents.documents += reading.documents
            contents.losses += reading.losses
            contents.ignored += reading.ignored
        }
        return contents
    }
}

/// The two words by which a document says what it is, where it says so.
private struct Head {
    let apiVersion: String
    let kind: String

    init?(_ value: YAMLValue) {
        guard case .mapping(let entries) = value.content,
            case .text(let version)? = entries.first(where: { $0.key == "apiVersion" })?.value.content,
            case .text(let kind)? = entries.first(where: { $0.key == "kind" })?.value.content
        else { return nil }
        apiVersion = version
        self.kind = kind
    }
}

extension ForeignDialect {
    /// Whether a document is its own, by what it says it is or, where it does not say, by what it holds.
    fileprivate func claims(_ value: YAMLValue, _ head: Head?) -> Bool {
        head.map { claims(apiVersion: $0.apiVersion, kind: $0.kind) } ?? claims(value)
    }
}
