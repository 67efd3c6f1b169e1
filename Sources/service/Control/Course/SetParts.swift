// SPDX-License-Identifier: Apache-2.0
internal import CoreFoundation  // owns struct stat and timespec where the compiler meets it before Glibc
internal import Dialects
internal import Foundation
internal import Policy
internal import PolicyText

/// What the set in force is made of: the serving revision's documents, what stands in the files of workloads, and what was registered.
struct SetParts: Sendable {
    /// What the serving revision says.
    var base: [Document] = []
    /// What the files under `workloads` say.
    var workloads: [Document] = []
    /// Workloads that clients registered.
    var registered: [ObjectName: Registered] = [:]

    /// Names of registrations that stand in documents too, which go first.
    var shadowed: Set<ObjectName> {
        guard !registered.isEmpty else { return [] }
        var found: Set<ObjectName> = []
        for case .workload(let workload) in base where registered[workload.name] != nil { found.insert(workload.name) }
        for case .workload(let workload) in workloads where registered[workload.name] != nil { found.insert(workload.name) }
        return found
    }

    /// All of it together; throws for what contradicts what.
    func set() throws(PolicyError) -> PolicySet {
        let shadowed = shadowed
        let own = registered.filter { !shadowed.contains($0.key) }
        return try PolicySet(base + workloads + own.values.map { .workload($0.workload) }) { own[$0] != nil }
    }
}

/// What the configured paths hold.
struct FileContents: Sendable {
    /// What stands under `policies`.
    var policies: [Document]
    /// What stands under `workloads`.
    var workloads: [Document]

    /// Reads all paths of a configuration together, because foreign documents explain each other, and tells them apart by their files.
    init(_ configuration: Configuration) throws(PolicyError) {
        let contents = try Loader.contents(
            paths: configuration.policies + configuration.workloads, dialects: Dialect.readers())
        var files: Set<String> = []
        for path in configuration.workloads { files.formUnion(try Loader.files(under: path)) }
        for path in configuration.policies { files.subtract(try Loader.files(under: path)) }
        policies = contents.documents.filter { !files.contains($0.place.file) }
        workloads = contents.documents.filter { files.contains($0.place.file) }
    }
}

/// What the files under some paths look like from outside: enough to see that one of them is another one now, whether it was written
/// in place, renamed over, or reached by a link that leads elsewhere.
struct FileMarks: Equatable, Sendable {
    /// The file that would be read, and which one it is.
    private struct Mark: Hashable {
        var file: String
        var number, size: UInt64
        var time: TimeInterval
    }

    private var marks: [String: Mark] = [:]

    /// A look at all files under the paths.
    init(_ paths: [String]) {
        for path in paths {
            for file in (try? Loader.files(under: path)) ?? [] {
                // Through links: what counts is what would be read.
                let real = URL(filePath: file).resolvingSymlinksInPath().path
                let facts = (try? FileManager.default.attributesOfItem(atPath: real)) ?? [:]
                let time = (facts[.modificationDate] as? Date)?.timeIntervalSinceReferenceDate ?? 0
                marks[file] = Mark(
                    file: real, number: (facts[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0,
                    size: (facts[.size] as? NSNumber)?.uint64Value ?? 0, time: time)
            }
        }
    }
}
