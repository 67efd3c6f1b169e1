// SPDX-License-Identifier: Apache-2.0

/// How much work a proof may take, in steps and not in seconds, so that the same question has the same answer on every machine. What a
/// spent budget leaves open is reported as not proved.
public struct Budget: Sendable {
    /// Steps that may still be taken.
    public private(set) var left: Int
    /// Whether more was wanted than there was.
    public private(set) var isSpent = false

    /// The usual budget: about a second of a current machine in a release build.
    public static let usual = 20_000_000

    /// A budget of so many steps.
    public init(steps: Int = Budget.usual) { left = steps }

    /// Takes steps; false, and for ever, once they were too many.
    mutating func take(_ steps: Int = 1) -> Bool {
        guard left >= steps else {
            isSpent = true
            left = 0
            return false
        }
        left -= steps
        return true
    }
}
