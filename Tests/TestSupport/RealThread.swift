// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A thread of its own, for tests in which two sides wait for each other: tasks share a few threads and could wait for ever.
@safe public final class RealThread {
    private final class Errand {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private var thread = pthread_t()

    /// Starts the thread.
    public init(_ body: @escaping @Sendable () -> Void) {
        let errand = unsafe Unmanaged.passRetained(Errand(body))
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                unsafe Unmanaged<Errand>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, errand.toOpaque())
        precondition(result == 0, "a thread cannot be started: error \(result)")
    }

    /// Waits for its end.
    public func join() { pthread_join(thread, nil) }

    /// Lets another thread go on, where both share a processor.
    public static func yield() { sched_yield() }
}
