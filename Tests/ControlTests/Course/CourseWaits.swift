// SPDX-License-Identifier: Apache-2.0
import API
import Synchronization
import TestSupport
import Testing

@testable import Control

/// What a test waits for, before it does what must come behind that.
extension CourseBench {
    /// Until a generation was published.
    func published(_ generation: UInt32) async throws {
        let isSo = await comesTrue { self.generation >= generation }
        try #require(isSo, "generation \(generation) was never published")
    }

    /// Until so many orders about bypass have come to keeper.
    func ordered(_ count: Int) async throws {
        let isSo = await comesTrue { keeper.withLock { $0.bypasses.count } >= count }
        try #require(isSo, "order \(count) never came")
    }

    /// Until so many wait for the turn: of control's own, and clients.
    func crowded(own: Int = 0, clients: Int) async throws {
        let isSo = await comesTrue { await course.turn.crowd == (own, clients) }
        try #require(isSo, "there never waited \(own) and \(clients) for the turn")
    }

    /// Does what data does not answer: the time for an answer passes once somebody waits for it.
    func unanswered<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        keeper.withLock { $0.isSilent = true }
        async let value = body()
        let isAwaited = await comesTrue { await !course.answers.isEmpty }
        await course.giveUp()
        let isAwaitedStill = await !course.answers.isEmpty
        try #require(isAwaited && isAwaitedStill, "nobody waits for an answer")
        clocks.pass(11)
        await course.giveUp()
        return try await value
    }
}
