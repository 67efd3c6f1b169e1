// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// A length of time on a command line: `30s`, `15m`, `2h`, `7d`.
struct Seconds: ExpressibleByArgument {
    /// In seconds.
    let count: UInt32

    /// So many seconds, as a default.
    init(_ count: UInt32) { self.count = count }

    /// How help names a default.
    var defaultValueDescription: String { count % 3600 == 0 ? "\(count / 3600)h" : "\(count)s" }

    init?(argument: String) {
        let units: [Character: UInt32] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let number = UInt32(argument.dropLast()), number < 1_000_000
        else { return nil }
        let product = number.multipliedReportingOverflow(by: unit)
        guard !product.overflow else { return nil }
        count = product.partialValue
    }

    /// Refuses what the daemon would refuse, before anything is sent.
    func check(_ option: String, _ range: ClosedRange<UInt32>, _ words: String) throws {
        guard range.contains(count) else { throw ValidationError("\(option) is \(words)") }
    }
}
