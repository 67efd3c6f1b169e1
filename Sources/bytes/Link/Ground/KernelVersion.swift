// SPDX-License-Identifier: Apache-2.0

/// A kernel's version: `6.1.95` of `6.1.0-37-amd64` or of `6.18.44-fc`. Distributions number their patches elsewhere, so the third
/// number is the word of the upstream series only where the kernel is built from it.
public struct KernelVersion: Sendable, Equatable, Comparable, CustomStringConvertible {
    /// The first number of the series: 6 of `6.1`.
    public var major: Int
    /// The second: 1 of `6.1`.
    public var minor: Int
    /// The patch level within the series.
    public var patch: Int

    /// A version by its numbers.
    public init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
        (self.major, self.minor, self.patch) = (major, minor, patch)
    }

    /// Reads `uname -r`; nil when it does not begin with two numbers.
    public init?(release: String) {
        var numbers: [Int] = []
        for part in release.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false) {
            let digits = part.prefix { ("0"..."9").contains($0) }
            guard digits.count < 8, let number = Int(digits) else { break }
            numbers.append(number)
            if digits.count < part.count { break }
        }
        guard numbers.count >= 2 else { return nil }
        self.init(numbers[0], numbers[1], numbers.count > 2 ? numbers[2] : 0)
    }

    /// The oldest that Bulkhead is made for.
    public static let oldest = KernelVersion(6, 1)

    /// Whether both are of one series.
    public func isSeries(_ major: Int, _ minor: Int) -> Bool { self.major == major && self.minor == minor }

    /// Whether one came before the other, number by number.
    public static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    /// As people write it.
    public var description: String { patch == 0 ? "\(major).\(minor)" : "\(major).\(minor).\(patch)" }
}
