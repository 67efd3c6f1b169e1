// SPDX-License-Identifier: Apache-2.0
import Policy
import Testing

private let times: [(String, UInt64?)] = [
    ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00Z", 951_825_600),
    ("2026-11-21T03:00:00.25+01:00", 1_795_226_400),
    ("2027-01-31t18:00:00z", 1_801_418_400), ("2016-12-31T23:59:60Z", 1_483_228_800),
    ("9999-12-31T23:59:59Z", 253_402_300_799),
    ("1969-12-31T23:59:59Z", nil), ("2027-02-29T00:00:00Z", nil), ("2100-02-29T00:00:00Z", nil),
    ("2027-13-01T00:00:00Z", nil),
    ("2027-01-01T24:00:00Z", nil), ("2027-01-01T00:00:00", nil), ("2027-01-01", nil), ("2027-01-01T00:00:00.Z", nil),
    ("2027-01-01T00:00:00+1:00", nil), ("", nil), ("2027-01-01T00:00:00ZZ", nil),
]

@Suite struct Times {
    @Test(arguments: times) func `a time is unix seconds or nothing`(text: String, seconds: UInt64?) {
        #expect(Timestamp.unixSeconds(text) == seconds)
    }
}
