// SPDX-License-Identifier: Apache-2.0
internal import CoreFoundation  // owns struct stat and timespec where the compiler meets it before Glibc
internal import FoundationEssentials
internal import Glibc

/// The three times that control asks for. They are parameters, so that tests can set them back and forth.
///
/// Whatever has a deadline must outlive a restart of control and must not listen to whoever sets the wall clock: an hour forward would end
/// every lease, an hour back would prolong a revision that awaits its confirmation. So deadlines are kept in *steady* time: the wall clock
/// as it stood when this boot's first control asked for it, and from then on the clock that nobody sets (CLOCK_BOOTTIME). Between two
/// controls of one boot the state folder remembers how far the two lie apart; a new boot asks the wall clock again.
struct DaemonClock: Sendable {
    /// The state folder's file that remembers it. Not `clock`, which is that of policy's expiry (`ClockFile`).
    static let file = "steady"

    /// Nanoseconds since 1970 by the wall clock, for people.
    var wall: @Sendable () -> Int64
    /// Nanoseconds since the boot, suspended time included.
    var boot: @Sendable () -> UInt64
    /// Which boot that is.
    var bootID: String
    /// What must be added to the boot-time clock to get steady time.
    var offset: Int64

    /// The machine's clocks; steady time begins now.
    static var system: DaemonClock {
        let name = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? "unknown"
        return DaemonClock(
            bootID: String(name.prefix { !$0.isNewline }), wall: { read(CLOCK_REALTIME) },
            boot: { UInt64(max(0, read(CLOCK_BOOTTIME))) })
    }

    /// Clocks of one's own; steady time begins now.
    init(bootID: String, wall: @escaping @Sendable () -> Int64, boot: @escaping @Sendable () -> UInt64) {
        (self.bootID, self.wall, self.boot) = (bootID, wall, boot)
        offset = wall() - Int64(clamping: boot())
    }

    /// Nanoseconds since 1970 in steady time.
    var steady: Int64 { Int64(clamping: boot()) + offset }

    /// The wall clock's time at a moment of steady time, as people would read it now.
    func wall(at moment: Int64) -> Int64 { wall() + (moment - steady) }

    /// Goes on with the steady time of this boot's earlier controls, which `file` remembers, or writes down that it begins now. A file that
    /// cannot be read or written changes nothing: steady time begins now then.
    mutating func anchor(in file: String) {
        let words = (try? String(contentsOfFile: file, encoding: .utf8))?.split(whereSeparator: \.isWhitespace) ?? []
        if words.count == 2, words[0] == bootID, let known = Int64(words[1]) {
            offset = known
        } else {
            try? Data("\(bootID) \(offset)\n".utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        }
    }

    private static func read(_ number: clockid_t) -> Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(number, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
