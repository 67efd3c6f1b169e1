// SPDX-License-Identifier: Apache-2.0

/// How long something takes that takes nanoseconds: it is done many times, and of the means of all rounds the middle one is told. Everything
/// that it reads lies in the cache then, as it does for a worker under load.
enum Stopwatch {
    private static let (rounds, repetitions) = (31, 64)

    /// Nanoseconds that the act takes. Not optimised, so that the act is really done each time.
    @inline(never) @_optimize(none)
    static func nanoseconds(of act: () -> Void) -> Double {
        let clock = ContinuousClock()
        let means = (0..<rounds).map { _ in
            clock.measure { for _ in 0..<repetitions { act() } } / repetitions
        }
        return means.sorted()[rounds / 2].inNanoseconds
    }
}

extension Duration {
    /// As a number of nanoseconds.
    var inNanoseconds: Double { Double(components.seconds) * 1e9 + Double(components.attoseconds) / 1e9 }
}
