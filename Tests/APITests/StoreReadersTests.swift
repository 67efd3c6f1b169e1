// SPDX-License-Identifier: Apache-2.0
@testable import API
import Dispatch
import Testing

@Suite struct StoreReading {
    @Test func `as many read as may, one more is told to come back, and room comes again`() async throws {
        let readers = StoreReaders()
        let (inside, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<StoreReaders.most {
                group.addTask {
                    try await readers.read {
                        inside.signal()
                        gate.wait()
                    }
                }
            }
            await RoleBook.aside { for _ in 0..<StoreReaders.most { inside.wait() } }
            let problem = await #expect(throws: Problem.self) { try await readers.read {} }
            #expect((problem?.status, problem?.retryAfter) == (503, 1))
            for _ in 0..<StoreReaders.most { gate.signal() }
            try await group.waitForAll()
        }
        #expect(try await readers.read { 7 } == 7)
    }
}
