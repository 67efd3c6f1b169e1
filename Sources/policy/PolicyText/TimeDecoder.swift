// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// Reads points in time.
enum TimeDecoder {
    static func unixSeconds(_ value: YAMLValue, _ what: String) throws(PolicyError) -> UInt64 {
        let text = try value.text(what)
        guard let seconds = Timestamp.unixSeconds(text) else {
            throw value.error("\(what) must be a point in time, as 2027-01-31T18:00:00Z, not \"\(text)\"")
        }
        return seconds
    }
}
