// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

/// Work that is divided among threads before any worker runs.
enum Parallel {
    /// What the threads share.
    private final class Errand: Sendable {
        let count: Int
        let body: @Sendable (Int) -> Void
        let next = Atomic<Int>(0)

        init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
            self.count = count
            self.body = body
        }

        func work() {
            while true {
                let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard number < count else { return }
                body(number)
            }
        }
    }

    /// Calls `body` for each number below `count`, on so many threads at most, this one among them; returns when all calls have. Where
    /// no thread can be had this one does it all.
    static func forEach(_ count: Int, threads: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let errand = Errand(count, body)
        var others: [pthread_t] = []
        for _ in 1..<max(1, min(threads, count)) {
            var thread = pthread_t()
            let handle = unsafe Unmanaged.passRetained(errand)
            let result = unsafe pthread_create(
                &thread, nil,
                { argument in
                    unsafe Unmanaged<Errand>.fromOpaque(argument!).takeRetainedValue().work()
                    return nil
                }, handle.toOpaque())
            if result == 0 { others.append(thread) } else { unsafe handle.release() }
        }
        errand.work()
        for thread in others { pthread_join(thread, nil) }
    }

    /// What `body` answers for each number below `count`, in their order.
    static func map<Answer: Sendable>(
        _ count: Int, threads: Int, _ body: @escaping @Sendable (Int) -> Answer
    ) -> [Answer] {
        let answers = Answers<Answer>(count)
        forEach(count, threads: threads) { number in
            let answer = body(number)
            answers.found.withLock { $0[number] = answer }
        }
        return answers.found.withLock { $0.compactMap(\.self) }
    }

    private final class Answers<Answer: Sendable>: Sendable {
        let found: Mutex<[Answer?]>

        init(_ count: Int) { found = Mutex(Array(repeating: nil, count: count)) }
    }
}
