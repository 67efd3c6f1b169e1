// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// A thread on which one actor runs. What that actor does waits for the disk, and must not hold one of the few threads on which everybody
/// else's requests are answered.
final class OwnThread: SerialExecutor, @unchecked Sendable {
    private let condition = NSCondition()
    // Both under the condition's lock.
    private var jobs: [UnownedJob] = []
    private var isOver = false

    /// A thread of a name, which ends with its executor.
    init(_ name: String) {
        let thread = Thread { [self] in work() }
        thread.name = name
        // Documents nest, and so do the functions that read them.
        thread.stackSize = 16 << 20
        thread.start()
    }

    /// Lets the thread end behind what it has been given.
    func end() {
        condition.withLock {
            isOver = true
            condition.signal()
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.withLock {
            jobs.append(job)
            condition.signal()
        }
    }

    private func work() {
        let executor = unsafe asUnownedSerialExecutor()
        while true {
            let batch = condition.withLock {
                while jobs.isEmpty && !isOver { condition.wait() }
                defer { jobs.removeAll(keepingCapacity: true) }
                return jobs
            }
            guard !batch.isEmpty else { return }
            for job in batch { unsafe job.runSynchronously(on: executor) }
        }
    }
}
