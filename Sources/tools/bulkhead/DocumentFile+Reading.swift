// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Policy
import PolicyText

extension DocumentFile {
    /// The files that paths stand for, as every verb that takes paths understands them: files by name, folders with everything below them
    /// that is a document. The daemon reads what is sent, not what lies on its own disk.
    static func read(_ paths: [String]) throws -> [DocumentFile] {
        var files: [DocumentFile] = []
        var seen: Set<String> = []
        for path in paths {
            for file in try Loader.files(under: path)
            where seen.insert(URL(fileURLWithPath: file).resolvingSymlinksInPath().path).inserted {
                guard let data = FileManager.default.contents(atPath: file) else {
                    throw PolicyError(Place(file: file, line: 1, column: 1), "the file cannot be read")
                }
                guard let text = String(validating: data, as: UTF8.self) else {
                    throw PolicyError(Place(file: file, line: 1, column: 1), "the file is no UTF-8")
                }
                files.append(DocumentFile(name: file, text: text))
            }
        }
        return files
    }
}
