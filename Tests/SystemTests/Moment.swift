// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A point on CLOCK_MONOTONIC, the clock that senders, receivers and taps stamp with; all namespaces share it.
struct Moment: Comparable {
    /// Nanoseconds.
    let nanoseconds: UInt64

    /// Now.
    static var now: Moment {
        var time = timespec()
        // The pointer lives for this call only.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Moment(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    static func < (a: Moment, b: Moment) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Milliseconds from another moment to this one; negative when this one is earlier.
    func milliseconds(since other: Moment) -> Double {
        (Double(nanoseconds) - Double(other.nanoseconds)) / 1e6
    }

    /// This moment, moved.
    func advanced(milliseconds: Double) -> Moment {
        Moment(nanoseconds: UInt64(Double(nanoseconds) + milliseconds * 1e6))
    }
}

/// Waits until something holds; says after how many milliseconds it did. Throws when it does not within the time.
@discardableResult
func eventually(
    _ what: String, within seconds: Double, every pause: Double = 0.005, _ holds: () throws -> Bool
) throws -> Double {
    let began = Moment.now
    while true {
        if try holds() { return Moment.now.milliseconds(since: began) }
        let waited = Moment.now.milliseconds(since: began)
        guard waited < seconds * 1000 else { throw Trouble("after \(seconds) s still not: \(what)") }
        Thread.sleep(forTimeInterval: pause)
    }
}

/// Lets time pass.
func pause(_ seconds: Double) {
    Thread.sleep(forTimeInterval: seconds)
}

extension Double {
    /// With one digit, as figures are printed.
    var short: String { String(format: "%.1f", self) }
}
