// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport

/// What becomes of a fragment that was added and, where it was told to wait, held.
enum FragmentFate: Equatable {
    case known
    case waits
    case refused(DropReason)
}

/// A fragment table over plain memory.
@safe final class FragmentBench {
    let memory = TestMemory(count: FragmentTable.byteCount)
    var table: FragmentTable
    var settings = FlowSettings()
    var now: UInt32 = 0
    let secret: HashSecret
    private let frames: Int

    init(frames: Int = 16_384, seed: UInt64 = 42) throws {
        unsafe FragmentTable.format(base: memory.base)
        var random = Seeded(seed)
        secret = random.secret()
        self.frames = frames
        table = try Self.table(memory, frames, secret)
    }

    private static func table(_ memory: TestMemory, _ frames: Int, _ secret: HashSecret) throws -> FragmentTable {
        guard let table = unsafe FragmentTable(base: memory.base, frames: frames, secret: secret) else { throw NotAdopted() }
        return table
    }

    var used: Int { table.used }
    var held: Int { table.heldCount }

    /// Lets another process go on with the table.
    func handOver() throws { table = try Self.table(memory, frames, secret) }

    /// The key of a datagram between a source and one destination.
    static func key(_ identification: UInt32, from source: String = "10.0.0.1", port: UInt8 = 0) -> FragmentKey {
        key(identification, from: Address(source)!, port: port)
    }

    static func key(_ identification: UInt32, from source: Address, port: UInt8 = 0) -> FragmentKey {
        var reading = Reading()
        reading.kind = .fragment
        reading.source = source
        reading.destination = Address(source.isIPv4 ? "10.0.0.2" : "2001:db8::2")!
        reading.identification = identification
        reading.protocolNumber = .udp
        return FragmentKey(of: reading, pair: 0, port: port)
    }

    /// The facts of a first fragment.
    static var facts: FragmentFacts {
        var facts = FragmentFacts()
        facts.destinationPort = 53
        facts.protocolNumber = 17
        return facts
    }

    /// Adds a fragment and, where it is told to wait, holds it; then lets go what may.
    func add(
        _ range: Range<Int>, more: Bool = true, of key: FragmentKey = FragmentBench.key(1), frame: UInt64 = 0
    ) -> (fate: FragmentFate, released: [UInt64], ended: [UInt64]) {
        let piece = FragmentPiece(key: key, offset: range.lowerBound, length: range.count, hasMore: more)
        var (fate, released, ended): (FragmentFate, [UInt64], [UInt64]) = (.known, [], [])
        switch table.add(piece, table.hash(key), facts: Self.facts, settings, now: now) {
        case .known: break
        case .waits(let number):
            let reason = table.hold(number, address: frame, length: 60, port: 0, settings)
            fate = reason.map { .refused($0) } ?? .waits
        case .refused(let reason, let number):
            fate = .refused(reason)
            while let frame = table.takeDead(number) { ended.append(frame.address) }
        }
        while let (frame, _) = table.nextReleased() { released.append(frame.address) }
        table.endTurn()
        return (fate, released, ended)
    }

    /// The frames that end because time is over.
    func expire() -> [UInt64] {
        var ended: [UInt64] = []
        var steps = Int.max
        while let frame = table.nextExpired(now: now, timeout: settings.fragmentTimeout, steps: &steps) {
            ended.append(frame.address)
        }
        return ended
    }
}
