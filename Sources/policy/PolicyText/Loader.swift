// SPDX-License-Identifier: Apache-2.0
internal import Foundation
public import Policy

/// Reads document sets from disk.
public enum Loader {
    /// Endings of the files that are read in a folder.
    public static let endings = [".yaml", ".yml", ".json"]

    /// How much is read before a set is refused.
    public struct Limits: Sendable {
        /// Of each file.
        public var file = YAMLReader.Limits()
        /// Files.
        public var files = 100_000
        /// Bytes of all files.
        public var bytes = 1 << 30
        /// Documents of all files.
        public var documents = 4_000_000
        /// The usual limits.
        public init() {}
    }

    /// What the files hold.
    public struct Contents: Sendable {
        /// The objects, native ones first, in the order of the files.
        public var documents: [Document] = []
        /// What foreign documents say and the objects do not.
        public var losses: [PolicyError] = []
        /// What foreign documents say to no effect.
        public var ignored: [PolicyError] = []
    }

    /// The set of all documents under the given paths: files by name, folders with everything below them that ends in one of
    /// `endings`, in the order of their names, except what is hidden (a name that starts with a dot: an editor's, or the versions that
    /// Kubernetes keeps beside a mounted map). A file that is reached twice, also by a link, is read once. Documents of a foreign
    /// language go to the dialect that claims them; without one they are refused.
    ///
    /// Throws with everything that is wrong in the documents, `PolicyError.most` at most; only where each of them is understood,
    /// with everything in which they contradict each other.
    public static func load(
        paths: [String], dialects: [any ForeignDialect] = [], limits: Limits = Limits()
    ) throws(PolicyError) -> PolicySet {
        try PolicySet(try contents(paths: paths, dialects: dialects, limits: limits).documents)
    }

    /// The objects under the given paths, and what was lost on the way to them.
    public static func contents(
        paths: [String], dialects: [any ForeignDialect] = [], limits: Limits = Limits()
    ) throws(PolicyError) -> Contents {
        var reader = SetReader(dialects: dialects, limits: limits)
        var seen: Set<String> = []
        for path in paths {
            for file in try files(under: path, limits: limits)
            where seen.insert(URL(fileURLWithPath: file).resolvingSymlinksInPath().path).inserted {
                reader.read(file)
                if reader.isFull { throw reader.error ?? PolicyError(.nowhere, "too many errors") }
            }
        }
        return try reader.finish()
    }

    /// The objects of texts that came otherwise than from a disk, each under the name that its places carry.
    public static func contents(
        texts: [(name: String, text: String)], dialects: [any ForeignDialect] = [], limits: Limits = Limits()
    ) throws(PolicyError) -> Contents {
        var reader = SetReader(dialects: dialects, limits: limits)
        for (name, text) in texts { reader.admit(text, named: name) }
        if let error = reader.error { throw error }
        for (name, text) in texts {
            reader.read(text, named: name)
            if reader.isFull { break }
        }
        return try reader.finish()
    }

    /// The files that a path stands for, nothing hidden among them unless the path itself names it. Links to folders are followed, each
    /// folder once. A folder that cannot be read is an error and not an empty one: what it holds may be what denies.
    public static func files(under path: String, limits: Limits = Limits()) throws(PolicyError) -> [String] {
        guard let pathIsFolder = isFolder(path) else {
            throw PolicyError(Place(file: path, line: 1, column: 1), "there is no such file or folder")
        }
        guard pathIsFolder else { return [path] }
        var files: [String] = []
        var folders = [path]
        var entered: Set<String> = []
        while let folder = folders.popLast() {
            guard entered.insert(URL(fileURLWithPath: folder).resolvingSymlinksInPath().path).inserted else { continue }
            for name in try names(in: folder).sorted() where !name.hasPrefix(".") {
                let below = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
                if isFolder(below) == true {
                    folders.append(below)
                } else if endings.contains(where: name.hasSuffix) {
                    files.append(below)
                }
            }
            guard files.count <= limits.files else {
                throw PolicyError(
                    Place(file: path, line: 1, column: 1), "the folder has more than \(limits.files) files of documents",
                    remedy: "write several documents into one file")
            }
        }
        return files.sorted()
    }

    /// Whether a path leads to a folder, also by a link; nil where it leads nowhere.
    private static func isFolder(_ path: String) -> Bool? {
        var isFolder: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
        return isFolder.boolValue
    }

    /// The names in a folder. One that can be listed and not entered would hide what its names are: it counts as unreadable.
    private static func names(in folder: String) throws(PolicyError) -> [String] {
        guard FileManager.default.isExecutableFile(atPath: folder),
            let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
        else { throw PolicyError(Place(file: folder, line: 1, column: 1), "the folder cannot be read") }
        return names
    }
}
