// SPDX-License-Identifier: Apache-2.0

/// The terms on which a revision is pending, by the clock that nobody sets: what a control that was restarted needs to go on with it.
public struct Probation: Codable, Hashable, Sendable {
    /// Which boot the two times belong to (`/proc/sys/kernel/random/boot_id`); in another one they mean nothing and the wall clock's
    /// deadline counts.
    public var bootID: String
    /// When it was published, in nanoseconds of the boot-time clock: a confirmation must come over a way that began later.
    public var published: UInt64
    /// When it goes back, in nanoseconds of the boot-time clock.
    public var deadline: UInt64
    /// Whether a confirmation may come over a way that began before.
    public var console: Bool
    /// More new denies than this take it back before its time.
    public var maxNewDenies: UInt32?

    /// Terms.
    public init(bootID: String, published: UInt64, deadline: UInt64, console: Bool = false, maxNewDenies: UInt32? = nil) {
        self.bootID = bootID
        self.published = published
        self.deadline = deadline
        self.console = console
        self.maxNewDenies = maxNewDenies
    }
}
