// SPDX-License-Identifier: Apache-2.0

/// Points in time as RFC 3339 writes them.
public enum Timestamp {
    /// Unix seconds of `2027-01-31T18:00:00Z` or `2027-01-31T19:00:00.5+01:00`, fractions cut off; `nil` for anything else, and for
    /// times before 1970. A leap second is the first second of the next minute.
    public static func unixSeconds(_ text: String) -> UInt64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == 0x2d, bytes[7] == 0x2d, "Tt ".utf8.contains(bytes[10]), bytes[13] == 0x3a,
            bytes[16] == 0x3a, let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
            (1...12).contains(month), (1...length(of: month, year)).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var rest = bytes[19...]
        if rest.first == UInt8(ascii: ".") {
            let behind = rest.dropFirst().drop { (48...57).contains($0) }
            guard behind.startIndex > rest.startIndex + 1 else { return nil }
            rest = behind
        }
        guard let offset = offset(rest) else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        return UInt64(exactly: seconds)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        digits.allSatisfy { (48...57).contains($0) } ? digits.reduce(0) { $0 * 10 + Int($1) - 48 } : nil
    }

    /// Seconds east of Greenwich.
    private static func offset(_ text: ArraySlice<UInt8>) -> Int? {
        let bytes = Array(text)
        if bytes == [0x5a] || bytes == [0x7a] { return 0 }
        guard bytes.count == 6, bytes[3] == 0x3a, bytes[0] == 0x2b || bytes[0] == 0x2d, let hour = number(bytes[1..<3]),
            let minute = number(bytes[4..<6]), hour < 24, minute < 60
        else { return nil }
        return (hour * 3_600 + minute * 60) * (bytes[0] == 0x2b ? 1 : -1)
    }

    private static func length(of month: Int, _ year: Int) -> Int {
        let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Days from 1970-01-01 to a date of the Gregorian calendar, counted in eras of 400 years that begin in March.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
