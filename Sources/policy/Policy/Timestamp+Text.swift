// SPDX-License-Identifier: Apache-2.0

extension Timestamp {
    /// Unix seconds as RFC 3339 writes them in UTC: `2027-01-31T18:00:00Z`. Years beyond 9999, which it cannot write, are its last second.
    public static func text(unixSeconds seconds: UInt64) -> String {
        let seconds = min(seconds, 253_402_300_799)
        let (days, second) = (Int(seconds / 86_400), Int(seconds % 86_400))
        // Days are counted in eras of 400 years that begin in March, so that the leap day is a year's last.
        let shifted = days + 719_468
        let (era, dayOfEra) = (shifted / 146_097, shifted % 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func digits(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
            + "T\(digits(second / 3_600, 2)):\(digits(second / 60 % 60, 2)):\(digits(second % 60, 2))Z"
    }
}
