// SPDX-License-Identifier: Apache-2.0
internal import Layout
internal import Synchronization

// By which second policy expires.
//
// Problem. Expiry reads the wall clock, which can be set. What has lapsed must not come back because somebody, or a time server, or an
// empty battery at the next start, sets the clock back; and a single wrong jump ahead by years must not lapse everything for ever.
//
// So the latest second is kept on the board, where it survives workers and processes; control writes it into the state folder, so that it
// survives the machine. While the wall clock is behind it, it stands in the clock's place: nothing comes back, and what is still to
// come comes at its time by the wall clock. Two cases are doubtful, and believed once they have lasted for an hour:
//
// - A leap ahead of more than a day. As long as it lasts policy expires by it, for nobody can know better; but it is kept only after the
//   hour. If the clock comes back before, so does what lapsed by the leap alone.
// - A return from a leap of more than a year that was kept, to behind the second before it. What had lapsed by then stays so.

/// Where the latest second lies, and the one before the last leap that was kept; 0 for none. Both may be written by every worker.
@safe struct PolicyClockWords: @unchecked Sendable {
    let latest: UnsafePointer<Atomic<UInt64>>
    let beforeLeap: UnsafePointer<Atomic<UInt64>>

    /// The words of a mapped board, which outlives whoever uses them.
    init(_ board: Board) {
        unsafe latest = board.clockWord(.latest)
        unsafe beforeLeap = board.clockWord(.beforeLeap)
    }
}

/// A worker's view of the seconds by which policy expires, which never go back (but for a leap, see above).
struct PolicyClock: ~Copyable {
    /// What the clock is believed at once.
    static var day: UInt64 { @_noLocks get { 86_400 } }
    /// What must be undone when it was wrong.
    static var year: UInt64 { @_noLocks get { 365 * 86_400 } }
    /// How long what is doubtful must last, in nanoseconds.
    static var patience: UInt64 { @_noLocks get { 3_600_000_000_000 } }

    private let words: PolicyClockWords
    /// Since when the wall clock has leapt ahead, or come back from a leap, in nanoseconds of the monotonic clock; 0 for neither.
    private var aheadSince: UInt64 = 0
    private var returnedSince: UInt64 = 0

    init(_ words: PolicyClockWords) { self.words = words }

    /// The unix second by which policy expires, where the wall clock says `wall`, at `now` nanoseconds of the monotonic clock.
    @_noLocks
    mutating func second(wall: UInt64, at now: UInt64) -> UInt64 {
        let latest = unsafe words.latest.pointee.load(ordering: .relaxed)
        if wall == latest {
            (aheadSince, returnedSince) = (0, 0)
            return wall
        }
        if wall > latest {
            returnedSince = 0
            if latest == 0 || wall &- latest <= PolicyClock.day {
                aheadSince = 0
                unsafe words.latest.pointee.max(wall, ordering: .relaxed)
            } else if PolicyClock.lasts(&aheadSince, now) {
                aheadSince = 0
                unsafe words.beforeLeap.pointee.store(latest, ordering: .relaxed)
                unsafe words.latest.pointee.max(wall, ordering: .relaxed)
            }
            return wall
        }
        aheadSince = 0
        guard isReturn(to: wall, from: latest), PolicyClock.lasts(&returnedSince, now) else { return latest }
        returnedSince = 0
        unsafe words.beforeLeap.pointee.store(0, ordering: .relaxed)
        unsafe words.latest.pointee.store(wall, ordering: .relaxed)
        return wall
    }

    /// Whether a clock that is behind has come back from a leap of years.
    @_noLocks
    private mutating func isReturn(to wall: UInt64, from latest: UInt64) -> Bool {
        let before = unsafe words.beforeLeap.pointee.load(ordering: .relaxed)
        let isUndone =
            before != 0 && before <= wall && latest &- before > PolicyClock.year && latest &- wall > PolicyClock.day
        if !isUndone { returnedSince = 0 }
        return isUndone
    }

    /// Whether something has been so for long enough, since it was asked first.
    @_noLocks
    private static func lasts(_ since: inout UInt64, _ now: UInt64) -> Bool {
        if since == 0 { since = now }
        return now &- since >= PolicyClock.patience
    }
}
