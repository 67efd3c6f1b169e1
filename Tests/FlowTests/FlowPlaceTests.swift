// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("The place of a flow") struct FlowPlaceTests {
    /// Tables with one UDP flow in a state, whose initiator is the low end or the high one.
    private struct OneFlow: ~Copyable {
        private let memory4 = TestMemory(FlowKey4.self, capacity: 4)
        private let memory6 = TestMemory(FlowKey6.self, capacity: 4)
        var flows: FlowTables
        let number: FlowNumber
        let initiator: FlowEnd

        init(_ state: FlowState, isInitiatorLow: Bool) throws {
            flows = FlowTables(
                v4: try memory4.table(FlowKey4.self, capacity: 4), v6: try memory6.table(FlowKey6.self, capacity: 4), pair: 0)
            let (low, high) = (("10.0.0.1" as Address, UInt16(5000)), ("10.0.0.2" as Address, UInt16(53)))
            let reading = Reading.packet(.udp, from: isInitiatorLow ? low : high, to: isInitiatorLow ? high : low)
            number = flows.insert(reading, hash: flows.hash(reading), state: state, now: 7)
            initiator = isInitiatorLow ? .low : .high
        }

        /// Whether a plain datagram of an end, by the port that it has to come in by, is taken; and the frames that are counted after it.
        func take(from sender: FlowEnd) -> (isTaken: Bool, frames: UInt32, lastSeen: UInt32) {
            // One without control bits is a datagram.
            let packet = PlainPacket()
            let stamps = FlowStamps(generation: 0, epoch: 0, wall: 1, timer: 1)
            let place = flows.place(of: number)
            let isTaken = place.admits(packet, sender: sender, port: sender == initiator ? 0 : 1, stamps)
            if isTaken { place.take(packet, sender: sender, length: 60, now: 9) }
            let entry = flows[number]
            return (isTaken, sender == .low ? entry.lowFrames : entry.highFrames, entry.lastSeen)
        }
    }

    @Test(arguments: [true, false])
    func `an end that alone has spoken goes on by the short way, and the first answer does not`(isInitiatorLow: Bool) throws {
        let flow = try OneFlow(.oneSided, isInitiatorLow: isInitiatorLow)
        let other: FlowEnd = isInitiatorLow ? .high : .low
        #expect(flow.take(from: other) == (false, 0, 7), "it changes the state, which is the table's work")
        #expect(flow.take(from: flow.initiator) == (true, 1, 9))
        #expect(flow.take(from: flow.initiator) == (true, 2, 9))
        #expect(flow.flows[flow.number].state == .oneSided)
        #expect(flow.flows.v4.waiting == 1)
    }

    @Test(arguments: [true, false])
    func `behind an answer the responder goes on by the short way, and the initiator's next frame does not`(
        isInitiatorLow: Bool
    ) throws {
        let flow = try OneFlow(.answered, isInitiatorLow: isInitiatorLow)
        let other: FlowEnd = isInitiatorLow ? .high : .low
        #expect(flow.take(from: flow.initiator) == (false, 0, 7), "it ends the waiting, which is the table's work")
        #expect(flow.take(from: other) == (true, 1, 9))
        #expect(flow.flows[flow.number].state == .answered)
        #expect(flow.flows.v4.waiting == 1)
    }

    @Test(arguments: [FlowEnd.low, .high]) func `in an established flow each of them goes on`(sender: FlowEnd) throws {
        let flow = try OneFlow(.established, isInitiatorLow: true)
        #expect(flow.take(from: sender) == (true, 1, 9))
    }

    @Test(arguments: [FlowState.free, .synSent, .synReceived, .closing, .closed])
    func `no other state takes a datagram`(state: FlowState) throws {
        var flow = try OneFlow(.established, isInitiatorLow: true)
        flow.flows[flow.number].state = state
        #expect(!flow.take(from: .low).isTaken)
    }
}
