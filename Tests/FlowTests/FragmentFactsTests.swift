// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("Facts of fragments") struct FragmentFactsTests {
    private func reading(_ offset: UInt16, _ bytes: UInt16, chain: UInt16 = 0) -> Reading {
        var reading = Reading()
        reading.kind = .fragment
        reading.source = ("10.0.0.1" as Address)
        reading.destination = ("10.0.0.2" as Address)
        reading.protocolNumber = .tcp
        reading.fragmentOffset = offset
        (reading.fragmentStart, reading.end) = (34, 34 + bytes)
        reading.transportOffset = 34 + chain
        reading.payloadOffset = reading.transportOffset
        return reading
    }

    private func first() -> Reading {
        var first = reading(0, 1000)
        (first.sourcePort, first.destinationPort) = (40000, 443)
        first.payloadOffset = 34 + 32
        first.sequence = 5000
        first.tcpFlags = [.ack, .psh]
        return first
    }

    @Test func `a later fragment gets what makes it a part of the connection, and no flags`() {
        let facts = FragmentFacts(of: first())
        var later = reading(1000, 500)
        facts.give(to: &later)
        #expect((later.sourcePort, later.destinationPort, later.protocolNumber) == (40000, 443, .tcp))
        #expect(later.tcpFlags.isEmpty)
        // Byte 1,000 of the datagram is byte 968 of the segment's data.
        #expect(later.sequence == 5968)
        var same = first()
        facts.give(to: &same)
        #expect(same.sequence == 5000 && same.tcpFlags == [.ack, .psh])
    }

    @Test func `a SYN's own number comes before its data`() {
        var syn = first()
        syn.tcpFlags = .syn
        var later = reading(1000, 500)
        FragmentFacts(of: syn).give(to: &later)
        #expect(later.sequence == 5969)
    }

    @Test func `of ICMP it gets type, code and whether it is a reply`() {
        var echo = reading(0, 1000)
        echo.protocolNumber = .icmp
        (echo.icmpType, echo.icmpCode, echo.marks) = (0, 3, [.icmpReply, .fragment, .moreFragments, .dontFragment])
        var later = reading(1000, 500)
        later.marks = .fragment
        FragmentFacts(of: echo).give(to: &later)
        #expect((later.icmpType, later.icmpCode, later.protocolNumber) == (0, 3, .icmp))
        #expect(later.marks == [.fragment, .icmpReply])
    }

    @Test func `facts of a number that no protocol of layer 2 has are of none`() {
        var facts = FragmentFacts()
        facts.link = 255
        var later = reading(8, 8)
        facts.give(to: &later)
        #expect(later.link == .none)
    }

    @Test func `facts fill the 16 bytes of a frame's headroom`() {
        #expect(MemoryLayout<FragmentFacts>.size == 16)
    }

    @Test func `a later fragment is counted, keeps the flow, and moves on what was sent, and nothing else`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 8)
        var table = try memory.table(FlowKey4.self, capacity: 8)
        let (key, sender) = FlowKey4.make(of: first(), pair: 0)
        let number = table.insert(key, hash: table.hash(key), state: .closing, initiator: sender, now: 1)
        var later = reading(1000, 500)
        later.marks = .fragment
        FragmentFacts(of: first()).give(to: &later)
        // One that lies before what was sent, or too far ahead, moves nothing; nor does one of an end of which nothing is known.
        for (end, moved) in [(5968, 6468), (6468, 6468), (7000, 7000), (6468 &- 70_000, 6468 &- 70_000)] as [(UInt32, UInt32)] {
            (table[number].lowWindow.end, table[number].lowWindow.flags) = (end, TCPWindow.known | TCPWindow.cut)
            guard case .live = table.track(number, later, sender: sender, length: 534, now: 77) else {
                Issue.record("a fragment does not pass")
                return
            }
            #expect(table[number].lowWindow.end == moved)
        }
        #expect(table[number].lowFrames == 4 && table[number].lowBytes == 4 * 534 && table[number].lastSeen == 77)
        #expect(table[number].state == .closing && table[number].lowFlags == 0)
        _ = table.track(number, later, sender: sender.other, length: 534, now: 79)
        #expect(table[number].highWindow.end == 0)
    }

    @Test func `a later fragment behind a refused first one moves nothing, and none goes beyond the receiver's window`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 8)
        var table = try memory.table(FlowKey4.self, capacity: 8)
        let (key, sender) = FlowKey4.make(of: first(), pair: 0)
        let number = table.insert(key, hash: table.hash(key), state: .established, initiator: sender, now: 1)
        var later = reading(1000, 500)
        later.marks = .fragment
        FragmentFacts(of: first()).give(to: &later)
        (table[number].lowWindow.end, table[number].lowWindow.flags) = (5968, TCPWindow.known)
        _ = table.track(number, later, sender: sender, length: 534, now: 2)
        #expect(table[number].lowWindow.end == 5968)
        #expect(table[number].lowFrames == 1 && table[number].lastSeen == 1, "it is counted, and does not keep the flow")
        table[number].lowWindow.flags = TCPWindow.known | TCPWindow.cut
        (table[number].highWindow.acknowledged, table[number].highWindow.maximum, table[number].highWindow.scale) = (5968, 499, 0)
        table[number].highWindow.flags = TCPWindow.known | TCPWindow.acknowledges
        _ = table.track(number, later, sender: sender, length: 534, now: 3)
        #expect(table[number].lowWindow.end == 6468, "a probe's byte more passes")
        table[number].lowWindow.end = 5968
        table[number].highWindow.maximum = 498
        guard case .refused(.outOfWindow) = table.track(number, later, sender: sender, length: 534, now: 4) else {
            Issue.record("it goes beyond the window")
            return
        }
        #expect(table[number].lowWindow.end == 5968)
    }

    @Test(arguments: [0, TCPWindow.cut])
    func `a later fragment is held to both borders, whether its first one has passed or not`(cut: UInt8) throws {
        let memory = TestMemory(FlowKey4.self, capacity: 8)
        var table = try memory.table(FlowKey4.self, capacity: 8)
        let (key, sender) = FlowKey4.make(of: first(), pair: 0)
        let number = table.insert(key, hash: table.hash(key), state: .established, initiator: sender, now: 1)
        var later = reading(1000, 500)
        later.marks = .fragment
        FragmentFacts(of: first()).give(to: &later)
        table[number].highWindow.flags = TCPWindow.known | TCPWindow.acknowledges
        (table[number].highWindow.maximum, table[number].highWindow.scale) = (1000, 0)
        table[number].lowWindow.flags = TCPWindow.known | TCPWindow.acknowledges | cut
        // It ends at 6468: one byte too far, as far as may be, as old as may be, and one byte older.
        for (end, isIn) in [(5466, false), (5467, true), (6468 + 67_000, true), (6468 + 67_001, false)] as [(UInt32, Bool)] {
            (table[number].lowWindow.end, table[number].highWindow.acknowledged) = (end, end)
            let match = table.track(number, later, sender: sender, length: 534, now: 9)
            if case .live = match { #expect(isIn, "\(end)") } else { #expect(!isIn, "\(end)") }
        }
        #expect(table[number].lowFrames == 2 && table[number].lastSeen == (cut == 0 ? 1 : 9))
    }

    @Test func `a key tells the headers of IPv4 apart by protocol, those of IPv6 by nothing behind the Fragment header`() {
        func key(_ change: (inout Reading) -> Void) -> FragmentKey {
            var reading = reading(64, 8)
            change(&reading)
            return FragmentKey(of: reading, pair: 3, port: 1)
        }
        let udp = key { $0.protocolNumber = .udp }
        #expect(key { _ in }.context == 6 << 24 | 3 << 16 | 1 << 7)
        #expect(udp.context == 17 << 24 | 3 << 16 | 1 << 7)
        // Behind an authentication header, whose number the later fragments carry.
        let behind = key {
            $0.fragmentOffset = 0
            $0.transportOffset = 34 + 24
        }
        #expect(behind.context >> 24 == 51)
        let six = key {
            $0.source = ("2001:db8::1" as Address)
            $0.protocolNumber = .udp
        }
        #expect(six.context >> 24 == 0)
    }
}
