// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Ctrl-C and SIGTERM as a question instead of an end, so that what was counted is told. Made once, in a process of one thread.
public struct Interruption: Sendable {
    /// From now on the two signals wait until somebody asks.
    public init() {
        var signals = Self.signals
        // The pointer lives for this call only.
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Waits for so long, or until a signal comes; whether one came.
    public func wait(seconds: Double) -> Bool {
        var signals = Self.signals
        let whole = max(0, seconds).rounded(.down)
        var time = timespec(tv_sec: Int(whole), tv_nsec: Int((max(0, seconds) - whole) * 1e9))
        return unsafe sigtimedwait(&signals, nil, &time) > 0
    }

    private static var signals: sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGTERM)
        return signals
    }
}

/// CLOCK_MONOTONIC in nanoseconds, which is also the clock of the lab's programs.
func monotonicNow() -> UInt64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
