// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// A number of bytes on a command line: `4096`, `64k`, `16M`, `1G`, in powers of 1024.
struct ByteCount: ExpressibleByArgument {
    /// In bytes.
    let count: UInt64

    init?(argument: String) {
        let units: [Character: UInt64] = ["k": 1 << 10, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        let unit = argument.last.flatMap { units[$0] }
        guard let number = UInt64(unit == nil ? argument[...] : argument.dropLast()) else { return nil }
        let product = number.multipliedReportingOverflow(by: unit ?? 1)
        guard !product.overflow else { return nil }
        count = product.partialValue
    }
}
