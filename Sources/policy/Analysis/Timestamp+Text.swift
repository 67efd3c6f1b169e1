// SPDX-License-Identifier: Apache-2.0
internal import Policy

extension Timestamp {
    /// A point in time as RFC 3339 writes it, in UTC: `2027-01-31T18:00:00Z`. What lies beyond the year 9999 is told in seconds.
    static func text(_ unixSeconds: UInt64) -> String {
        guard unixSeconds < 253_402_300_800 else { return "\(unixSeconds) s" }
        let (days, inDay) = (Int(unixSeconds / 86_400), Int(unixSeconds % 86_400))
        // Eras of 400 years that begin on the first of March, so that the leap day is the last one of its year.
        let (era, dayOfEra) = ((days + 719_468) / 146_097, (days + 719_468) % 146_097)
        let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let march = (5 * dayOfYear + 2) / 153
        let month = march < 10 ? march + 3 : march - 9
        let numbers = [month, dayOfYear - (153 * march + 2) / 5 + 1, inDay / 3600, inDay / 60 % 60, inDay % 60].map {
            $0 < 10 ? "0\($0)" : "\($0)"
        }
        return "\(era * 400 + year + (month <= 2 ? 1 : 0))-\(numbers[0])-\(numbers[1])T\(numbers[2]):\(numbers[3]):\(numbers[4])Z"
    }
}
