// SPDX-License-Identifier: Apache-2.0
internal import Dispatch
internal import HTTPTypes
internal import Synchronization

/// Readers of the store of flows: a few at a time, on threads of their own, so that whoever asks much keeps neither the lookup of
/// names nor other requests waiting.
final class StoreReaders: Sendable {
    /// Readers at a time.
    static let most = 4
    /// Those of this process: it has one store.
    static let shared = StoreReaders()

    private let busy = Mutex(0)
    private let queue = DispatchQueue(label: "bulkhead.store-readers", attributes: .concurrent)

    /// Reads on one of the threads; throws a problem with status 503 at once where all of them read.
    func read<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let isAdmitted = busy.withLock { busy in
            guard busy < Self.most else { return false }
            busy += 1
            return true
        }
        guard isAdmitted else {
            throw Problem(.serviceUnavailable, "\(Self.most) others read the kept flows at this moment; try again", retryAfter: 1)
        }
        return try await withCheckedThrowingContinuation { done in
            queue.async { [self] in
                let result = Result { try work() }
                busy.withLock { $0 -= 1 }
                done.resume(with: result)
            }
        }
    }
}
