// SPDX-License-Identifier: Apache-2.0

/// How much work a proof may take, in steps and not in seconds, so that the same question has the same answer on every machine. What a
/// spent budget leaves open is reported as not proved.
///
/// A step stands for about 20 ns: what one pair of cells takes where tables of two snapshots are compared. Whatever takes longer, or
/// grows with the rules, policies and cells that it looks at, takes as many steps as it is worth, before it is done.
public struct Budget: Sendable {
    /// Steps that may still be taken.
    public private(set) var left: Int
    /// Whether more was wanted than there was.
    public private(set) var isSpent = false

    /// The usual budget: about a second of one core at the most, in a release build.
    public static let usual = 50_000_000

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

    /// A part of what is left as a budget of its own, which this one is without.
    mutating func part(_ share: Int) -> Budget {
        let part = Budget(steps: left / share)
        left -= part.left
        return part
    }

    /// Gives back what a part has left.
    mutating func join(_ part: Budget) { left += part.left }
}
