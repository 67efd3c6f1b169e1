// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials

/// The file `shadow` of the state folder: that a shadow run is on. A run ends with its control, because its book is in memory; the next control
/// finds the note and says so, instead of letting somebody wait for a report that nobody writes.
struct ShadowNote: Codable, Equatable {
    /// The file's name.
    static let file = "shadow"

    /// Who began the run.
    var actor: String
    /// When, RFC 3339.
    var since: String
    /// Until when it was to be, RFC 3339.
    var until: String

    /// The note in a state folder; `nil` where there is none, or none that is understood.
    static func read(in folder: String) -> ShadowNote? {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(file)") else { return nil }
        return try? JSONDecoder().decode(ShadowNote.self, from: data)
    }

    /// Puts the note into a state folder. Throws where it cannot be written.
    func write(in folder: String) throws {
        try JSONEncoder().encode(self).write(to: URL(fileURLWithPath: "\(folder)/\(Self.file)"), options: .atomic)
    }

    /// Takes the note out of a state folder, if there is one.
    static func remove(in folder: String) { try? FileManager.default.removeItem(atPath: "\(folder)/\(file)") }
}
