// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Net
internal import Policy
internal import State
internal import Telemetry

// Changes of workloads that the address map alone takes up, written down together.
//
// What a change costs is the disk: some seven syncs, however little is written. One after the other that would be some tens in a second
// and every client waiting for all before it. So whatever comes while the thread waits for the disk goes in the next transaction, all of it:
// a client that is alone waits for nobody, and a hundred at a time wait for one transaction.

/// A change on its way to the disk.
struct Move {
    /// What the audit log calls it, and who asked.
    let action: String
    let actor: Actor
    /// What is to become of whom, by what is known at the time; throws where that may not be.
    let proposal: () throws -> Course.Changes
    /// Who waits for it.
    let continuation: CheckedContinuation<Course.Moved, any Error>
}

extension Course {
    /// What became of a move.
    enum Moved: Sendable {
        /// It is in force.
        case inForce(InventoryReport)
        /// It is written down since a moment of the boot-time clock, with what was contested before, and a map has no room for it.
        case withoutRoom(Changes, since: UInt64, contested: [Address])
        /// It is nothing that the address map could take up any more.
        case notAlone
    }

    /// Writes a change down with those of others and brings it into force. `nil` where it turns out to need a generation of its own.
    func moveTogether(_ action: String, by actor: Actor, _ proposal: @escaping () throws -> Changes) async throws
        -> InventoryReport?
    {
        let moved = try await withCheckedThrowingContinuation { continuation in
            moves.append(Move(action: action, actor: actor, proposal: proposal, continuation: continuation))
            // Runs behind everybody whose request is here already, and so takes theirs along.
            if moves.count == 1 { Task { writeMoves() } }
        }
        switch moved {
        case .inForce(let report): return report
        case .notAlone: return nil
        case .withoutRoom(let changes, let accepted, let before):
            try await inTurn(isOwn: true) {
                // Whoever had the turn before may have made room for all: a map that is full is full for everybody who comes.
                let now: [ObjectName: Workload?] = Dictionary(
                    uniqueKeysWithValues: changes.keys.map { ($0, parts.registered[$0]?.workload) })
                if !enter(now) { try await renew() }
            }
            return report(of: changes, since: accepted, contested: before)
        }
    }

    /// Writes down what has come, and brings it into force in the order of coming.
    private func writeMoves() {
        let batch = takeMoves()
        // Of the same workload one at a time: the next one's proposal has to see what became of this.
        if !moves.isEmpty { Task { writeMoves() } }
        guard !batch.isEmpty else { return }
        do {
            guard let store else { throw Refusal(.unavailable, storeFault ?? "there is no state") }
            let faults = try store.register(together: batch.map { written($0.changes, $0.move.action, by: $0.move.actor) })
            let accepted = clock.boot()
            around.conditions.clear("state")
            for ((move, changes), fault) in zip(batch, faults) {
                let moved = fault.map { Result<Moved, any Error>.failure($0) } ?? .success(enter(changes, acceptedAt: accepted))
                move.continuation.resume(with: moved)
            }
        } catch {
            for (move, _) in batch { move.continuation.resume(throwing: error) }
        }
    }

    private func enter(_ changes: Changes, acceptedAt accepted: UInt64) -> Moved {
        let before = contested(among: changes)
        guard moveNow(changes) else { return .withoutRoom(changes, since: accepted, contested: before) }
        return .inForce(report(of: changes, since: accepted, contested: before))
    }

    /// What can be written down now; tells those whose proposal has become another thing meanwhile.
    private func takeMoves() -> [(move: Move, changes: Changes)] {
        var (batch, names, later): ([(move: Move, changes: Changes)], Set<ObjectName>, [Move]) = ([], [], [])
        for move in moves {
            do {
                let changes = try move.proposal()
                if !isMovable(changes) {
                    move.continuation.resume(returning: .notAlone)
                } else if names.isDisjoint(with: changes.keys) {
                    names.formUnion(changes.keys)
                    batch.append((move, changes))
                } else {
                    later.append(move)
                }
            } catch { move.continuation.resume(throwing: error) }
        }
        moves = later
        return batch
    }
}
