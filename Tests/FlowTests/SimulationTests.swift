// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("Simulated hosts") struct SimulationTests {
    /// Connections of a few characters, one behind the other over the same ports.
    @Test(arguments: Array(1...8 as ClosedRange<UInt64>)) func `no segment of honest hosts is refused, whatever the network does`(
        seed: UInt64
    ) throws {
        var complete = 0
        for round in 0..<10 as Range<UInt64> {
            var wire = try Wire()
            var clientEnd: UInt32?
            for connection in 0..<2 as Range<UInt64> {
                let number = seed * 1000 + round * 2 + connection
                var simulation = SimulatedConnection(seed: number, clientSequence: clientEnd.map { $0 &+ 70_000 })
                let outcome = simulation.run { segment in
                    switch wire.send(segment) {
                    case .live: return nil
                    case .ended:
                        wire.end()
                        return nil
                    case .crossing:
                        wire.cross(segment)
                        return nil
                    case .reopen:
                        wire.reopen(segment)
                        return nil
                    case .answered:
                        wire.replace(segment)
                        return nil
                    case .refused(let reason): return "\(reason) in \(wire.description)"
                    }
                }
                #expect(outcome.refused == nil, "seed \(number)")
                if outcome.isComplete { complete += 1 }
                clientEnd = outcome.clientEnd
            }
        }
        #expect(complete >= 17, "the simulation itself comes to its end: \(complete) of 20")
    }

    @Test func `the simulation sees data, and numbers that wrap`() {
        var (seen, wrapped) = (0, 0)
        for seed in 1...30 as ClosedRange<UInt64> {
            var simulation = SimulatedConnection(seed: seed)
            let outcome = simulation.run { _ in nil }
            seen += outcome.seen
            wrapped += outcome.hasWrapped ? 1 : 0
        }
        #expect(seen > 3000 && wrapped >= 5, "\(seen), \(wrapped)")
    }
}

extension Wire {
    mutating func cross(_ segment: SampleSegment) {
        let reading = segment.reading()
        table.cross(number, reading, sender: FlowKey4.make(of: reading, pair: 0).sender, length: 60, now: now)
    }

    mutating func end() {
        table.remove(number)
        number = .max
    }

    mutating func reopen(_ segment: SampleSegment) {
        table.reopen(number, initiator: FlowKey4.make(of: segment.reading(), pair: 0).sender, now: now)
        _ = send(segment)
    }

    mutating func replace(_ segment: SampleSegment) {
        table.replace(number, now: now)
        _ = send(segment)
    }

    /// What the table knows, in a line.
    var description: String {
        guard number != .max else { return "no flow" }
        let entry = table[number]
        return "\(entry.state), low \(entry.lowWindow), high \(entry.highWindow)"
    }
}
