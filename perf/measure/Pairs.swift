// SPDX-License-Identifier: Apache-2.0

/// The middle one of some numbers; 0 of none.
package func median(_ numbers: [Double]) -> Double {
    let sorted = numbers.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
}

/// A number with so many digits behind the point.
package func rounded(_ value: Double, digits: Int) -> Double {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    return (value * scale).rounded() / scale
}

/// Two things measured in turn, A B A B …: what one costs in units of the other.
package struct Pairs {
    /// Medians of both.
    package let first, second: Double
    /// The median of the ratios.
    package let ratio: Double
    /// The smallest and the largest ratio.
    package let spread: (Double, Double)

    /// Measures each so many times; `measure` gives what one measurement of the first or the second thing found.
    package init(_ count: Int, _ measure: (_ isFirst: Bool) throws -> Double) rethrows {
        var (firsts, seconds): ([Double], [Double]) = ([], [])
        for _ in 0..<count {
            firsts.append(try measure(true))
            seconds.append(try measure(false))
        }
        self.init(firsts, seconds)
    }

    /// What was found of both, in the same order.
    package init(_ firsts: [Double], _ seconds: [Double]) {
        let ratios = zip(firsts, seconds).map { $0 / $1 }.sorted()
        (first, second, ratio) = (median(firsts), median(seconds), median(ratios))
        spread = (rounded(ratios.first ?? 0, digits: 3), rounded(ratios.last ?? 0, digits: 3))
    }
}

/// One row: names and numbers in the order in which they are printed.
package struct Fields {
    private var fields: [(String, String)] = []

    /// No fields.
    package init() {}

    /// One JSON object on one line.
    package var json: String { "{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}" }

    /// Adds a number.
    package mutating func add(_ name: String, _ value: Double, digits: Int = 1) {
        fields.append((name, "\(rounded(value, digits: digits))"))
    }

    /// Adds a whole number.
    package mutating func add(_ name: String, _ value: Int) { fields.append((name, "\(value)")) }

    /// Adds a name, which needs no escapes.
    package mutating func add(_ name: String, _ value: String) { fields.append((name, "\"\(value)\"")) }

    /// Adds a ratio with its spread.
    package mutating func add(_ name: String, _ pairs: Pairs) {
        add(name, pairs.ratio, digits: 3)
        fields.append((name + "_spread", "[\(pairs.spread.0), \(pairs.spread.1)]"))
    }
}
