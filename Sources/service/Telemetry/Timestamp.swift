// SPDX-License-Identifier: Apache-2.0

/// A point of wall time, in nanoseconds since 1970 (UTC, without leap seconds). Workers stamp records with the monotonic clock;
/// whoever drains them knows how far that lies from the wall clock.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public var nanoseconds: Int64

    /// A point of time.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Earlier comes first.
    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }

    /// RFC 3339 in UTC with microseconds: `2026-07-30T10:00:00.123456Z`.
    public var description: String {
        let (day, inDay) = Self.floorDivide(nanoseconds, 86_400_000_000_000)
        let date = Self.date(ofDay: day)
        let seconds = inDay / 1_000_000_000
        let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { Self.padded($0, 2) }.joined(separator: ":")
        let micros = Self.padded(inDay % 1_000_000_000 / 1000, 6)
        return "\(Self.padded(date.year, 4))-\(Self.padded(date.month, 2))-\(Self.padded(date.day, 2))T\(clock).\(micros)Z"
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, remainder: Int64) {
        let remainder = value % by
        return remainder < 0 ? (value / by - 1, remainder + by) : (value / by, remainder)
    }

    /// The civil date of a day counted from 1970, by eras of 400 years that begin on the first of March, so that the leap day is
    /// the last one of its year (Howard Hinnant, "chrono-compatible low-level date algorithms").
    private static func date(ofDay number: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(number + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
