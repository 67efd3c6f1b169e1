// SPDX-License-Identifier: Apache-2.0
import Foundation
import Telemetry
import Testing

@Suite struct Timestamps {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
            (4_107_542_399_999_999_999, "2100-02-28T23:59:59.999999Z"),
            (-1_000, "1969-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)])
    func `a time is written as RFC 3339 in UTC`(nanoseconds: Int64, text: String) {
        #expect(Timestamp(nanoseconds: nanoseconds).description == text)
    }

    @Test func `dates agree with Foundation's calendar over four centuries`() {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: false)
        var second: Int64 = -6_000_000_000
        while second < 9_000_000_000 {
            let expected = Date(timeIntervalSince1970: Double(second)).formatted(style)
            let text = Timestamp(nanoseconds: second * 1_000_000_000).description.replacingOccurrences(of: ".000000Z", with: "Z")
            #expect(text == expected)
            second += 86_400 * 13 + 7_919
        }
    }
}
