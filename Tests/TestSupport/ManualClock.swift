// SPDX-License-Identifier: Apache-2.0

/// Time that passes when a test says so.
public struct ManualClock: Sendable {
    /// Nanoseconds of the monotonic clock.
    public var nanoseconds: UInt64
    /// Unix seconds.
    public var wall: UInt64

    /// A clock at some time that is not zero.
    public init(nanoseconds: UInt64 = 5_000_000_000_000, wall: UInt64 = 1_800_000_000) {
        self.nanoseconds = nanoseconds
        self.wall = wall
    }

    /// Lets both clocks go on by whole seconds.
    public mutating func pass(seconds: UInt64) {
        nanoseconds += seconds * 1_000_000_000
        wall += seconds
    }

    /// Lets the monotonic clock go on; the wall clock stays in its second.
    public mutating func pass(milliseconds: UInt64) { nanoseconds += milliseconds * 1_000_000 }
}
