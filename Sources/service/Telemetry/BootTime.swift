// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The clock that runs from the machine's start through every suspend (CLOCK_BOOTTIME), which nobody can set. Keeper's deadlines, the
/// kernel's starting times of processes (proc(5)) and the ages of connections are told by it.
public enum BootTime {
    /// Nanoseconds since the machine's start.
    public static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
