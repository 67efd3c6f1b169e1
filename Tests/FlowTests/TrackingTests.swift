// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("Tracking") struct TrackingTests {
    /// One connection in a table; `>` is a segment of the client, `<` one of the server.
    private struct Connection: ~Copyable {
        let memory = TestMemory(FlowKey4.self, capacity: 100)
        var table: FlowTable<FlowKey4>
        var number: UInt32 = .max
        var now: UInt32 = 100
        let client: (Address, UInt16)
        let server: (Address, UInt16)

        /// The client's address is the smaller one or the larger one.
        init(isClientLow: Bool = true) throws {
            table = try memory.table(FlowKey4.self, capacity: 100)
            let (a, b) = (("10.0.0.1" as Address, UInt16(50_000)), ("10.0.0.2" as Address, UInt16(443)))
            (client, server) = isClientLow ? (a, b) : (b, a)
        }

        mutating func send(
            _ direction: Character, _ flags: UInt8, sequence: UInt32 = 0, acknowledgement: UInt32 = 0, payload: UInt16 = 0
        ) -> String {
            let (from, to) = direction == ">" ? (client, server) : (server, client)
            let reading = Reading.tcp(
                flags, from: from, to: to, sequence: sequence, acknowledgement: acknowledgement, payload: payload)
            return send(reading)
        }

        /// Sends a handshake, whose sequence numbers are 0.
        mutating func establish() {
            _ = send(">", 0x02)
            _ = send("<", 0x12, acknowledgement: 1)
            _ = send(">", 0x10, sequence: 1, acknowledgement: 1)
        }

        /// What became of the frame: the state after it, or why it was refused.
        mutating func send(_ reading: Reading) -> String {
            let (key, sender) = FlowKey4.make(of: reading, pair: 0)
            now += 1
            number = table.find(key)
            if number == .max {
                switch Opening.of(reading) {
                case .refused(let reason): return reason.name
                case .opens(let state):
                    number = table.insert(key, hash: table.hash(key), state: state, initiator: sender, now: now)
                }
            }
            switch table.track(number, reading, sender: sender, length: 60, now: now) {
            case .live: return table[number].state.name
            case .ended:
                table.remove(number)
                return "ended"
            case .reopen: return "reopen"
            case .crossing: return "crossing"
            case .answered: return "answered"
            case .refused(let reason): return reason.name
            }
        }
    }

    static let (fin, syn, rst, ack): (UInt8, UInt8, UInt8, UInt8) = (0x01, 0x02, 0x04, 0x10)

    @Test(arguments: [true, false]) func `a connection opens, talks and closes`(isClientLow: Bool) throws {
        var c = try Connection(isClientLow: isClientLow)
        #expect(c.send(">", Self.syn) == "synSent")
        #expect(c.table.waiting == 1)
        #expect(c.send("<", Self.syn | Self.ack, acknowledgement: 1) == "synReceived")
        #expect(c.send(">", Self.ack, sequence: 1, acknowledgement: 1) == "established")
        #expect(c.table.waiting == 0)
        #expect(c.send(">", Self.ack | 0x08, sequence: 1, acknowledgement: 1, payload: 100) == "established")
        #expect(c.send(">", Self.fin | Self.ack, sequence: 101, acknowledgement: 1) == "closing")
        #expect(c.send("<", Self.ack, sequence: 1, acknowledgement: 102) == "closing")
        #expect(c.send("<", Self.fin | Self.ack, sequence: 1, acknowledgement: 102, payload: 50) == "closing")
        #expect(c.send(">", Self.ack, sequence: 102, acknowledgement: 51) == "closing")
        #expect(c.send(">", Self.ack, sequence: 102, acknowledgement: 52) == "closed")
        let entry = c.table[c.number]
        #expect(entry.initiator == (isClientLow ? .low : .high))
        let (forward, back) = isClientLow ? (entry.lowFrames, entry.highFrames) : (entry.highFrames, entry.lowFrames)
        #expect((forward, back) == (6, 3))
        #expect(entry.lowBytes + entry.highBytes == 540)
        #expect((isClientLow ? entry.lowFlags : entry.highFlags) == 0x1b)
        #expect(c.table.check() == nil)
    }

    @Test func `nothing but a SYN alone opens a connection`() throws {
        for flags in UInt8(0)...0x3f {
            var c = try Connection()
            let opens = flags & 0x17 == Self.syn
            #expect(c.send(">", flags) == (opens ? "synSent" : "notOpening"), "flags \(flags)")
            #expect(c.table.used == (opens ? 1 : 0))
        }
    }

    @Test func `the answer to a SYN is a SYN with ACK of it from the other end`() throws {
        var c = try Connection()
        #expect(c.send(">", Self.syn) == "synSent")
        #expect(c.send(">", Self.syn) == "synSent")
        #expect(c.send(">", Self.syn | Self.ack) == "oneSided")
        #expect(c.send(">", Self.ack, sequence: 1) == "oneSided")
        #expect(c.send(">", Self.fin | Self.ack, sequence: 1) == "oneSided")
        #expect(c.send("<", Self.syn) == "crossing")
        #expect(c.send("<", Self.ack, payload: 10) == "outOfWindow")
        #expect(c.send("<", Self.syn | Self.ack, acknowledgement: 2) == "outOfWindow")
        #expect(c.send("<", Self.syn | Self.ack) == "outOfWindow")
        #expect(c.send("<", Self.ack, acknowledgement: 777) == "synSent", "a challenge")
        #expect(c.table[c.number].lowFrames == 2)
        #expect(c.table[c.number].highFrames == 1)
        #expect(c.send("<", Self.syn | Self.ack, acknowledgement: 1) == "synReceived")
        #expect(c.send("<", Self.syn | Self.ack, acknowledgement: 1) == "synReceived")
        #expect(c.send("<", Self.ack, sequence: 1, acknowledgement: 1) == "synReceived")
        #expect(c.send(">", Self.ack, sequence: 1) == "outOfWindow")
        #expect(c.send(">", Self.ack, sequence: 1, acknowledgement: 1) == "established")
    }

    @Test func `a SYN inside a connection changes nothing, and the responder's is to be asked about`() throws {
        var c = try Connection()
        c.establish()
        #expect(c.send(">", Self.syn, sequence: 99) == "established")
        #expect(c.send("<", Self.syn, sequence: 99) == "crossing")
        #expect(c.send("<", Self.syn | Self.ack, acknowledgement: 1) == "established", "the answer once more")
        #expect(c.send(">", Self.syn | Self.ack, sequence: 1, acknowledgement: 1) == "outOfWindow")
        #expect(c.table[c.number].initiator == .low)
    }

    @Test func `an initiator that gives up before the answer leaves a flow that waits, so that it gives way`() throws {
        var c = try Connection()
        _ = c.send(">", Self.syn)
        #expect(c.send(">", Self.rst, sequence: 1) == "synSent")
        #expect(c.table.oldestWaiting() == c.number)
    }

    /// A connection that has taken so many steps of its life.
    private func connection(steps: Int) throws -> Connection {
        var c = try Connection()
        let walk: [(Character, UInt8, UInt32, UInt32)] = [
            (">", Self.syn, 0, 0), ("<", Self.syn | Self.ack, 0, 1), (">", Self.ack, 1, 1), (">", Self.fin | Self.ack, 1, 1),
        ]
        for (direction, flags, sequence, acknowledgement) in walk.prefix(steps) {
            _ = c.send(direction, flags, sequence: sequence, acknowledgement: acknowledgement)
        }
        return c
    }

    @Test(arguments: [(1, "<"), (2, "<"), (2, ">")])
    func `an exact reset in the handshake leaves no flow, and the ports are free for the next SYN`(
        steps: Int, direction: String
    ) throws {
        var c = try connection(steps: steps)
        #expect(c.send(Character(direction), Self.rst | Self.ack, sequence: 1, acknowledgement: 1) == "ended")
        #expect((c.table.used, c.table.waiting) == (0, 0))
        #expect(c.table.check() == nil)
        #expect(c.send(Character(direction), Self.rst | Self.ack, sequence: 1, acknowledgement: 1) == "notOpening")
        #expect(c.send(">", Self.syn) == "synSent")
        #expect(c.send("<", Self.syn | Self.ack, acknowledgement: 1) == "synReceived")
    }

    @Test(arguments: [(3, "<"), (3, ">"), (4, "<"), (4, ">")])
    func `an exact reset ends a connection`(steps: Int, direction: String) throws {
        var c = try connection(steps: steps)
        let number: UInt32 = direction == ">" && steps == 4 ? 2 : 1
        #expect(c.send(Character(direction), Self.rst | Self.ack, sequence: number, acknowledgement: 1) == "closed")
        #expect(c.table.waiting == 0)
        let seen = c.table[c.number].lastSeen
        #expect(c.send(Character(direction), Self.rst, sequence: number) == "closed")
        #expect(c.table[c.number].lastSeen == seen, "late segments do not keep it")
        #expect(c.table.expireAll(now: c.now + FlowTimeouts.ticks(seconds: 10)) == [c.number])
    }

    @Test(arguments: [true, false]) func `ports are used again after the end, by whichever end asks`(isClient: Bool) throws {
        var c = try Connection()
        c.establish()
        _ = c.send("<", Self.rst | Self.ack, sequence: 1, acknowledgement: 1)
        c.table[c.number].marks.insert(.failsafe)
        #expect(c.send(isClient ? ">" : "<", Self.syn) == "reopen")
        #expect(c.table[c.number].state == .closed, "nothing changes before the caller says so")
        c.table.reopen(c.number, initiator: isClient ? .low : .high, now: c.now)
        let entry = c.table[c.number]
        #expect(entry.state == .synSent)
        #expect(!entry.marks.contains(.failsafe), "it is to be judged anew")
        #expect(entry.initiator == (isClient ? .low : .high))
        #expect((entry.lowBytes, entry.highBytes, entry.lowFlags, entry.highFlags) == (0, 0, 0, 0))
        #expect(c.table[detail: c.number].firstSeen == c.now)
        #expect((c.table.used, c.table.waiting) == (1, 1))
        #expect(c.table.check() == nil)
        #expect(c.send(isClient ? ">" : "<", Self.syn) == "synSent")
        #expect(c.send(isClient ? "<" : ">", Self.syn | Self.ack, acknowledgement: 1) == "synReceived")
    }

    @Test func `datagrams are one-sided, then answered, and established when the initiator goes on after the answer`() throws {
        var c = try Connection()
        #expect(c.send(Reading.packet(.udp, from: c.client, to: c.server)) == "oneSided")
        #expect(c.send(Reading.packet(.udp, from: c.client, to: c.server)) == "oneSided")
        #expect(c.table.waiting == 1)
        for _ in 0..<2 { #expect(c.send(Reading.packet(.udp, from: c.server, to: c.client)) == "answered") }
        #expect(c.table.waiting == 1)
        #expect(c.table.oldestWaiting() == c.number, "whoever forged the question would be answered too")
        for _ in 0..<2 { #expect(c.send(Reading.packet(.udp, from: c.client, to: c.server)) == "established") }
        #expect(c.send(Reading.packet(.udp, from: c.server, to: c.client)) == "established")
        #expect(c.table.waiting == 0)
    }

    @Test func `an echo request opens, its reply answers, and a reply or an error alone is unrelated`() throws {
        var c = try Connection()
        var request = Reading.packet(.icmp, from: (c.client.0, 77), to: (c.server.0, 0x0800))
        request.icmpType = 8
        var reply = Reading.packet(.icmp, from: (c.server.0, 0x0800), to: (c.client.0, 77))
        reply.marks = .icmpReply
        #expect(c.send(reply) == "unrelatedICMP")
        #expect(c.send(request) == "oneSided")
        #expect(c.send(reply) == "answered")
        var error = Reading.packet(.icmp, from: (c.server.0, 1), to: (c.client.0, 0x0301))
        error.marks = .icmpError
        #expect(c.send(error) == "unrelatedICMP")
    }
}
