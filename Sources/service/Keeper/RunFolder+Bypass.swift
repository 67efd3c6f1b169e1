// SPDX-License-Identifier: Apache-2.0
internal import Glibc

// Until when a bypass was ordered, for a keeper that comes after this one.

extension RunFolder {
    private var bypassFile: String { "\(keepersPath)/bypass" }

    /// Writes down until when, in nanoseconds of the monotonic clock, everything passes unjudged; 0 removes the note. False when it
    /// cannot be written.
    func note(bypassUntil: UInt64) -> Bool {
        guard bypassUntil > 0 else {
            unsafe unlink(bypassFile)
            return true
        }
        return write("\(RunFolder.boot) \(bypassUntil)\n", to: bypassFile)
    }

    /// What was written down last in this run of the machine, whether that time is over or not.
    func notedBypass() -> UInt64? {
        let words = RunFolder.text(of: bypassFile).split(whereSeparator: \.isWhitespace)
        guard words.count == 2, words[0] == RunFolder.boot else { return nil }
        return UInt64(words[1])
    }
}
