// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport

/// A fragment table and its model, which take the same fragments and must say the same of each.
@safe public final class FragmentBench {
    private let memory = PlainMemory(byteCount: FragmentTable.byteCount)
    private var table: FragmentTable
    private var settings = FlowSettings()
    private var model = SlowFragmentTable()
    private var now: UInt32 = .max - 10_000
    private var frame: UInt64 = 0

    /// Empty tables with small limits, so that they are met.
    public init(seed: UInt64) {
        unsafe FragmentTable.format(base: memory.base)
        var random = PacketRandom(seed: seed)
        let secret = HashSecret { _ in random.next() }
        guard let table = unsafe FragmentTable(base: memory.base, frames: 8 * 60, secret: secret) else {
            preconditionFailure("a table that was just formatted is whole")
        }
        self.table = table
        settings.fragmentDatagrams = 12
        settings.fragmentFrames = 30
        settings.fragmentTimeout = 4000
        (model.datagramsOfSource, model.framesOfSource, model.mostFrames, model.timeout) = (12, 30, 60, 4000)
    }

    /// Adds a fragment to both; what they said, and what is wrong with it.
    public func add(_ piece: SlowFragmentTable.Piece, of identification: UInt32, host: UInt32) -> (what: String, flaw: String?) {
        frame += 1
        let source = host & 4 == 0 ? Address(v4: 0x0a00_0000 + host) : Address(high: UInt64(host) << 32, low: 1)
        let found = addToTable(piece, key(identification, from: source))
        let expected = model.add(piece, of: "\(source) \(identification)", from: "\(source)", frame: frame, now: now)
        guard found.step == expected.step, found.released == expected.released, found.ended == expected.ended else {
            return ("", "\(source) \(identification) \(piece): \(found), not \(expected)")
        }
        return ("\(found.step)", flawOfSize)
    }

    /// Lets time go by for both; what they said, and what is wrong with it.
    public func wait(_ ticks: UInt32) -> (what: String, flaw: String?) {
        now &+= ticks
        var (ended, steps): ([UInt64], Int) = ([], .max)
        while let frame = table.nextExpired(now: now, timeout: settings.fragmentTimeout, steps: &steps) {
            ended.append(frame.address)
        }
        let expected = model.expire(now: now)
        return (ended.isEmpty ? "nothing" : "expired", ended == expected ? flawOfSize : "ended \(ended), not \(expected)")
    }

    /// Whether nothing was written beside the table.
    public var isMemoryIntact: Bool { memory.isMarginIntact }

    private var flawOfSize: String? {
        let (used, held) = (table.used, table.heldCount)
        return used == model.used && held == model.held ? nil : "\(used) and \(held), not \(model.used) and \(model.held)"
    }

    private func key(_ identification: UInt32, from source: Address) -> FragmentKey {
        var reading = Reading()
        reading.kind = .fragment
        reading.source = source
        reading.destination = source.isIPv4 ? "10.0.0.2" : "2001:db8::2"
        reading.identification = identification
        reading.protocolNumber = .udp
        return FragmentKey(of: reading, pair: 0, port: 0)
    }

    private func addToTable(
        _ piece: SlowFragmentTable.Piece, _ key: FragmentKey
    ) -> (step: SlowFragmentTable.Step, released: [UInt64], ended: [UInt64]) {
        var (step, released, ended): (SlowFragmentTable.Step, [UInt64], [UInt64]) = (.known, [], [])
        let fragment = FragmentPiece(
            key: key, offset: piece.range.lowerBound, length: piece.range.count, hasMore: piece.hasMore)
        switch table.add(fragment, table.hash(key), facts: FragmentFacts(), settings, now: now) {
        case .known: break
        case .waits(let number):
            let reason = table.hold(number, address: frame, length: 60, port: 0, settings)
            step = reason.map { .refused($0) } ?? .waits
        case .refused(let reason, let number):
            step = .refused(reason)
            while let frame = table.takeDead(number) { ended.append(frame.address) }
        }
        while let (frame, _) = table.nextReleased() { released.append(frame.address) }
        table.endTurn()
        return (step, released, ended)
    }
}
