// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The longest that a test waits for something that must come. It is long, because it costs nothing where things work, and a machine may
/// be slow and have other work: what takes a millisecond on an idle one takes seconds where every test wants the only processor.
public let longestWait = Duration.seconds(180)

/// Waits until something holds, for a test that has a thread of its own; false where it never does.
public func eventually(_ holds: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now + longestWait
    while try !holds() {
        guard ContinuousClock.now < end else { return false }
        usleep(1000)
    }
    return true
}

/// Waits until something holds, and leaves the thread to others meanwhile; false where it never does.
nonisolated(nonsending) public func comesTrue(_ holds: () async throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + longestWait
    while try await !holds() {
        guard ContinuousClock.now < end else { return false }
        // A test that is cancelled asks once more, at once, and ends.
        guard (try? await Task.sleep(for: .milliseconds(2))) != nil else { return try await holds() }
    }
    return true
}
