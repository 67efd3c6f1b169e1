// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials

/// When the way began over which a local process was started: what a confirmation over the unix socket is held against.
///
/// A process under an ssh login hangs below the sshd process of that login, which began with its connection; a process without one
/// belongs to a session, whose leader began with the login at a terminal. Both times are the kernel's (proc(5), `starttime`), on the
/// clock that suspends do not stop. This protects people from themselves, not from each other: names and sessions are a user's to choose.
enum Login {
    /// Ancestors that are looked at.
    private static let depth = 64
    /// Nanoseconds of a tick of `starttime` (USER_HZ, which is 100 on every architecture that is served).
    private static let tick: UInt64 = 10_000_000

    /// When the login behind a process began, in nanoseconds of the boot-time clock; `nil` where nobody can tell. `seen` is when the
    /// process was seen: one that began later took the number of the one that was meant.
    static func began(process: Int32, seen: UInt64, root: String = "/proc") -> UInt64? {
        guard process > 0, let peer = Entry(process, root), peer.began <= seen else { return nil }
        var entry = peer
        for _ in 0..<depth {
            if entry.isSecureShell { return entry.began }
            guard entry.parent > 1, let parent = Entry(entry.parent, root) else { break }
            entry = parent
        }
        guard peer.session > 0, let leader = Entry(peer.session, root), leader.began <= seen else { return nil }
        return leader.began
    }

    /// What proc(5) says of a process in `stat`.
    private struct Entry {
        var parent, session: Int32
        var began: UInt64
        var isSecureShell: Bool

        init?(_ process: Int32, _ root: String) {
            guard let data = FileManager.default.contents(atPath: "\(root)/\(process)/stat") else { return nil }
            let text = String(decoding: data, as: UTF8.self)
            // The name stands in parentheses and may hold any of them.
            guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close else { return nil }
            let fields = text[text.index(after: close)...].split(separator: " ")
            // Behind the name: state 3, parent 4, group 5, session 6, … starttime 22, counted from 1.
            guard fields.count > 19, let parent = Int32(fields[1]), let session = Int32(fields[3]),
                let ticks = UInt64(fields[19]),
                ticks < UInt64.max / Login.tick
            else { return nil }
            self.parent = parent
            self.session = session
            began = ticks * Login.tick
            isSecureShell = ["sshd", "sshd-session"].contains(String(text[text.index(after: open)..<close]))
        }
    }
}
