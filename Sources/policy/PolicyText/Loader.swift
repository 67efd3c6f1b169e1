// SPDX-License-Identifier: Apache-2.0
internal import Foundation
public import Policy

/// Reads document sets from disk.
public enum Loader {
    /// Endings of the files that are read in a folder.
    public static let endings = [".yaml", ".yml", ".json"]

    /// The set of all documents under the given paths: files by name, folders with everything below them that ends in one of
    /// `endings`, in the order of their names. A path that is given twice, or lies under another one, is read once.
    public static func load(paths: [String]) throws(PolicyError) -> PolicySet {
        var documents: [Document] = []
        var seen: Set<String> = []
        for path in paths {
            for file in try files(under: path) where seen.insert(URL(fileURLWithPath: file).standardizedFileURL.path).inserted {
                documents += try decode(try text(of: file), file: file)
            }
        }
        return try PolicySet(documents)
    }

    /// The files that a path stands for.
    public static func files(under path: String) throws(PolicyError) -> [String] {
        var isFolder: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw PolicyError(Place(file: path, line: 1, column: 1), "there is no such file or folder")
        }
        guard isFolder.boolValue else { return [path] }
        guard let names = FileManager.default.enumerator(atPath: path) else {
            throw PolicyError(Place(file: path, line: 1, column: 1), "the folder cannot be read")
        }
        var files: [String] = []
        while let name = names.nextObject() as? String {
            if endings.contains(where: name.hasSuffix) { files.append(path.hasSuffix("/") ? path + name : "\(path)/\(name)") }
        }
        return files.sorted()
    }

    private static func text(of file: String) throws(PolicyError) -> String {
        let place = Place(file: file, line: 1, column: 1)
        guard let data = FileManager.default.contents(atPath: file) else {
            throw PolicyError(place, "the file cannot be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw PolicyError(place, "the file is no UTF-8")
        }
        return text
    }
}
