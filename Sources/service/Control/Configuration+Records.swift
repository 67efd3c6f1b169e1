// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import Net
public import Policy
internal import PolicyText

extension Configuration {
    /// What becomes of flow records: how often live flows are told of, how many are kept, and who else is told.
    public struct Records: Sendable, Equatable {
        /// Seconds between two records of a live flow, 1 to 65,535; 0 for none.
        public var interval: UInt16 = 60
        /// Whether events are kept in the state folder.
        public var isStored = true
        /// Events that are kept at most.
        public var events = 2_000_000
        /// Seconds for which they are kept at most.
        public var age: UInt32 = 7 * 86_400
        /// The file of JSON lines; `nil` for none.
        public var file: String?
        /// Where its path is written.
        var filePlace = Place.nowhere
        /// Bytes to which it grows.
        public var fileBytes = 100 << 20
        /// Older files beside it.
        public var filesKept = 5
        /// Whether the system's log is told.
        public var toSystemLog = false

        /// The defaults.
        public init() {}

        /// Whether all of it is the same but for what every reload reads anew, the interval.
        func isKept(with other: Records) -> Bool {
            var same = other
            (same.interval, same.filePlace) = (interval, filePlace)
            return self == same
        }
    }
}

extension Configuration {
    /// Looks whether the folders that it names for others to read are there, which nobody makes. Throws for one that is not.
    public func checkFolders() throws(PolicyError) {
        guard let file = records.file else { return }
        let folder = Self.parent(of: file)
        var isFolder = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder else {
            throw PolicyError(
                records.filePlace, "the folder of records.file, \(folder), is not there",
                remedy: "make it, and give it to the user that control runs as")
        }
    }
}

// `records`: each key's meaning and default is in `docs/configuration.md`.
extension ConfigurationReader {
    func records() throws(PolicyError) -> Configuration.Records {
        var records = Configuration.Records()
        guard let fields = try root["records"]?.mapping("records", keys: ["interval", "store", "file", "syslog"]) else {
            return records
        }
        if let value = fields["interval"] { records.interval = try interval(value) }
        if let value = fields["syslog"] { records.toSystemLog = try value.truth("records.syslog") }
        if let fields = try fields["store"]?.mapping("records.store", keys: ["events", "age"]) {
            if let value = fields["events"] { records.events = try value.integer("records.store.events", in: 0...100_000_000) }
            records.isStored = records.events > 0
            if let value = fields["age"] { records.age = try value.seconds("records.store.age") }
        }
        if let fields = try fields["file"]?.mapping("records.file", keys: ["path", "megabytes", "keep"]) {
            let value = try fields.required("path")
            records.file = try path(value, "records.file.path")
            records.filePlace = value.place
            if let value = fields["megabytes"] {
                records.fileBytes = try value.integer("records.file.megabytes", in: 1...100_000) << 20
            }
            if let value = fields["keep"] { records.filesKept = try value.integer("records.file.keep", in: 0...1000) }
        }
        return records
    }

    private func interval(_ value: YAMLValue) throws(PolicyError) -> UInt16 {
        if case .text("never") = value.content { return 0 }
        let seconds = try value.seconds("records.interval", most: 18 * 3600)
        return UInt16(seconds)
    }
}
