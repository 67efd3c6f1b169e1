// SPDX-License-Identifier: Apache-2.0
import Policy

/// What is wrong in a file, or was left out of it, and where, as `--json` prints it.
struct Fault: Encodable {
    var file: String?
    var line, column: Int?
    var message: String
    var remedy: String?
}

extension Fault {
    /// One error of documents.
    init(_ error: PolicyError) {
        self.init(
            file: error.place.file, line: error.place.line, column: error.place.column, message: error.message,
            remedy: error.remedy)
    }
}
