// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Policy

/// The value of an option that names a time, as nanoseconds since 1970: RFC 3339, or how long ago. Throws where the text is neither.
func nanoseconds(_ text: String, of option: String) throws -> Int64 {
    if let seconds = Timestamp.unixSeconds(text) { return Int64(clamping: seconds) * 1_000_000_000 }
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    // At most a century: what is longer ago is a slip.
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), count >= 0,
        count <= 3_155_760_000 / unit
    else {
        throw ValidationError("--\(option): \(text) is no time: 2026-07-30T10:00:00Z, or how long ago: 90s, 10m, 2h, 3d")
    }
    return (Int64(time(nil)) - count * unit) * 1_000_000_000
}
