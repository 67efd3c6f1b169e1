// SPDX-License-Identifier: Apache-2.0
internal import State

/// How often one caller's attempts that came to nothing are written down: twenty at once and then one in ten seconds, with how many were
/// left out before it. A line of the audit log costs a write that waits for the disk, and takes the place of an older line in the end,
/// which nobody shall be able to ask for at will. What is left out is told as a number, also of a caller who comes no more.
struct RefusalNotes: Sendable {
    /// Lines at once.
    static let burst = 20
    /// Nanoseconds from one line to the next behind those.
    static let interval: UInt64 = 10_000_000_000
    /// Callers who are told apart; all beyond count as one.
    static let callers = 1024

    /// Attempts that were left out.
    struct Left: Sendable, Equatable {
        /// Who made them.
        var actor: Actor
        /// What the last one was.
        var action: String
        /// How many.
        var count: UInt64
    }

    private struct Note: Sendable {
        var left: Left
        var lines = RefusalNotes.burst
        var time: UInt64

        /// Gives back a line for each interval that has passed.
        mutating func refill(at now: UInt64) {
            let passed = (now > time ? now - time : 0) / RefusalNotes.interval
            lines = min(RefusalNotes.burst, lines + Int(min(passed, UInt64(RefusalNotes.burst))))
            time += passed * RefusalNotes.interval
            if lines == RefusalNotes.burst { time = max(time, now) }
        }
    }

    private var notes: [String: Note] = [:]

    /// Whether an attempt is written down, and how many of the caller's before it were not; `nil` where it is not. `now` is in nanoseconds
    /// of the boot-time clock.
    mutating func take(_ actor: Actor, _ action: String, at now: UInt64) -> UInt64? {
        let (key, actor) = place(of: actor, at: now)
        var note = notes[key] ?? Note(left: Left(actor: actor, action: action, count: 0), time: now)
        defer { notes[key] = note }
        note.refill(at: now)
        guard note.lines > 0 else {
            (note.left.actor, note.left.action, note.left.count) = (actor, action, note.left.count + 1)
            return nil
        }
        note.lines -= 1
        defer { note.left.count = 0 }
        return note.left.count
    }

    /// What was left out and can be told now, one line for each caller.
    mutating func overdue(at now: UInt64) -> [Left] {
        var found: [Left] = []
        for (key, known) in notes where known.left.count > 0 {
            var note = known
            note.refill(at: now)
            if note.lines > 0 {
                note.lines -= 1
                found.append(note.left)
                note.left.count = 0
            }
            notes[key] = note
        }
        return found
    }

    /// Where a caller's attempts are counted, and under whose name. Callers of whom nothing is left to tell make room.
    private mutating func place(of actor: Actor, at now: UInt64) -> (key: String, actor: Actor) {
        let key = "\(actor.kind.rawValue) \(actor.name)"
        if notes[key] == nil, notes.count >= Self.callers {
            notes = notes.filter { _, known in
                var note = known
                note.refill(at: now)
                return note.left.count > 0 || note.lines < Self.burst
            }
        }
        guard notes[key] != nil || notes.count < Self.callers else { return ("", .daemon("other callers")) }
        return (key, actor)
    }
}
