// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

/// One connection in a table of either family, whose segments are written as one end sends them.
struct Wire: ~Copyable {
    let memory = TestMemory(FlowKey4.self, capacity: 8)
    var table: FlowTable<FlowKey4>
    var number: UInt32 = .max
    var now: UInt32 = 5

    init(_ change: (inout FlowSettings) -> Void = { _ in }) throws {
        table = try memory.table(FlowKey4.self, capacity: 8)
        change(&table.settings)
    }

    /// What became of a segment.
    @discardableResult
    mutating func send(_ segment: SampleSegment) -> SlowFate {
        let reading = segment.reading()
        let (key, sender) = FlowKey4.make(of: reading, pair: 0)
        now += 1
        if number == .max { number = table.insert(key, hash: table.hash(key), state: .synSent, initiator: sender, now: now) }
        switch table.track(number, reading, sender: sender, length: 60, now: now) {
        case .live: return .live
        case .ended: return .ended
        case .reopen: return .reopen
        case .crossing: return .crossing
        case .answered: return .answered
        case .refused(let reason): return .refused(reason)
        }
    }

    mutating func send(
        _ direction: Character, _ flags: TCPFlags, _ sequence: UInt32, _ acknowledgement: UInt32 = 0, window: UInt16 = 65535,
        scale: UInt8? = nil, length: Int = 0
    ) -> SlowFate {
        send(
            SampleSegment(
                isFromClient: direction == ">", flags, sequence: sequence, acknowledgement: acknowledgement, window: window,
                scale: scale, length: length))
    }

    /// A handshake: both sequence numbers are 0 behind it, less one byte.
    mutating func open(client: (UInt16, UInt8?) = (65535, nil), server: (UInt16, UInt8?) = (65535, nil)) {
        _ = send(">", [.syn], .max, window: client.0, scale: client.1)
        _ = send("<", [.syn, .ack], .max, 0, window: server.0, scale: server.1)
        _ = send(">", [.ack], 0, 0, window: client.1 == nil || server.1 == nil ? client.0 : client.0 >> (client.1 ?? 0))
    }

    var state: FlowState { table[number].state }
}

@Suite("Windows of TCP") struct TCPWindowTests {
    @Test func `where the fields of an entry lie is what the straight run takes for granted`() {
        #expect(MemoryLayout<FlowEntry>.offset(of: \.lowFrames) == 16 && MemoryLayout<FlowEntry>.offset(of: \.highFrames) == 20)
        #expect(MemoryLayout<FlowEntry>.offset(of: \.lowFlags) == 46 && MemoryLayout<FlowEntry>.offset(of: \.highFlags) == 47)
        #expect(MemoryLayout<FlowEntry>.offset(of: \.lowWindow) == 48 && MemoryLayout<FlowEntry>.offset(of: \.highWindow) == 60)
        #expect(MemoryLayout<TCPWindow>.size == 12 && MemoryLayout<TCPWindow>.stride == 12)
        #expect(MemoryLayout<FlowEntry>.size == 72)
    }

    @Test func `what lies beyond the receiver's window does not pass, and one byte of probe does`() throws {
        var wire = try Wire()
        wire.open(server: (1000, nil))
        #expect(wire.send(">", [.ack], 0, 0, length: 1000) == .live)
        #expect(wire.send(">", [.ack], 1000, 0, length: 1) == .live, "a probe of a full window")
        #expect(wire.send(">", [.ack], 1000, 0, length: 2) == .refused(.outOfWindow))
        #expect(wire.send("<", [.ack], 0, 1000, window: 1000) == .live)
        #expect(wire.send(">", [.ack], 1000, 0, length: 1000) == .live)
        #expect(wire.send(">", [.fin, .ack], 2000, 0, length: 1) == .refused(.outOfWindow))
        #expect(wire.send(">", [.fin, .ack], 2000, 0) == .live)
    }

    @Test func `a window that shrinks still takes what was let go before`() throws {
        var wire = try Wire()
        wire.open(server: (8000, nil))
        #expect(wire.send("<", [.ack], 0, 0, window: 0) == .live)
        #expect(wire.send(">", [.ack], 0, 0, length: 1460) == .live)
        #expect(wire.send(">", [.ack], 6540, 0, length: 1460) == .live)
        // Probes of a window of 0: one number back, without data or with one byte.
        #expect(wire.send(">", [.ack], 7999, 0) == .live)
        #expect(wire.send(">", [.ack], 8000, 0, length: 1) == .live)
    }

    @Test func `a segment as old as a window passes, as a keep-alive does, and an older one does not`() throws {
        var wire = try Wire()
        wire.open()
        var sent: UInt32 = 0
        for _ in 0..<100 {
            #expect(wire.send(">", [.ack], sent, 0, length: 1460) == .live)
            sent += 1460
            #expect(wire.send("<", [.ack], 0, sent) == .live)
        }
        #expect(wire.send(">", [.ack], sent - 1, 0) == .live, "keep-alive")
        #expect(wire.send(">", [.ack], sent - 1, 0, length: 1) == .live, "keep-alive with a byte")
        #expect(wire.send(">", [.ack], sent - 65535, 0, length: 1460) == .live, "retransmission")
        #expect(wire.send(">", [.ack], sent - 65535 - 66000 - 1, 0) == .refused(.outOfWindow))
        #expect(wire.send("<", [.ack], 0, sent - 66000) == .live)
        #expect(wire.send("<", [.ack], 0, sent - 66001) == .refused(.outOfWindow))
    }

    @Test func `nothing is acknowledged that was not sent, and holes are no hindrance`() throws {
        var wire = try Wire()
        wire.open()
        #expect(wire.send("<", [.ack], 0, 1) == .refused(.outOfWindow))
        #expect(wire.send(">", [.ack], 5000, 0, length: 100) == .live, "the segments before it were lost in front of us")
        #expect(wire.send("<", [.ack], 0, 0) == .live, "with selective acknowledgement")
        #expect(wire.send(">", [.ack], 0, 0, length: 1460) == .live)
        #expect(wire.send("<", [.ack], 0, 5100) == .live)
        #expect(wire.send("<", [.ack], 0, 5101) == .refused(.outOfWindow))
    }

    @Test(
        arguments: [(7, 7, 65535 << 7), (7, nil, 65535), (nil, 7, 65535), (14, 0, 65535), (0, 14, 65535 << 14)]
            as [(UInt8?, UInt8?, Int)])
    func `scaling counts only if both SYNs offered it, and never for the SYNs`(client: UInt8?, server: UInt8?, window: Int) throws
    {
        var wire = try Wire()
        _ = wire.send(">", [.syn], .max, window: 64240, scale: client)
        _ = wire.send("<", [.syn, .ack], .max, 0, window: 65535, scale: server)
        // The SYN's own window, as it stands: rounded up to a unit of its scale.
        let unit = client != nil && server != nil ? 1 << Int(client!) : 1
        let border = UInt32((64240 + unit - 1) / unit * unit)
        #expect(wire.send("<", [.ack], border - 100, 0, length: 102) == .refused(.outOfWindow))
        #expect(wire.send("<", [.ack], border - 100, 0, length: 101) == .live)
        #expect(wire.send(">", [.ack], 0, 0) == .live)
        #expect(wire.send("<", [.ack], 0, 0, window: 65535) == .live)
        #expect(wire.send(">", [.ack], UInt32(window), 0, length: 1) == .live)
        #expect(wire.send(">", [.ack], UInt32(window) + 1, 0, length: 1) == .refused(.outOfWindow))
    }

    @Test func `a repeated SYN with ACK does not scale its window`() throws {
        var wire = try Wire()
        _ = wire.send(">", [.syn], .max, scale: 7)
        for _ in 0..<2 { #expect(wire.send("<", [.syn, .ack], .max, 0, window: 64240, scale: 7) == .live) }
        #expect(wire.send(">", [.ack], 0, 0) == .live)
        #expect(wire.send(">", [.ack], 64256, 0, length: 2) == .refused(.outOfWindow))
    }

    @Test func `a FIN that was not the last is none, and the connection goes on`() throws {
        var wire = try Wire()
        wire.open()
        #expect(wire.send(">", [.fin, .ack], 10, 0) == .live)
        #expect(wire.state == .closing)
        #expect(wire.send(">", [.ack], 0, 0, length: 100) == .live)
        #expect(wire.state == .established)
    }

    @Test func `a half-closed connection carries the other direction's data`() throws {
        var wire = try Wire()
        wire.open()
        #expect(wire.send(">", [.fin, .ack], 0, 0) == .live)
        for number in 0..<20 as Range<UInt32> {
            #expect(wire.send("<", [.ack], number * 1000, 1, length: 1000) == .live)
            #expect(wire.send(">", [.ack], 1, number * 1000 + 1000) == .live)
        }
        #expect(wire.state == .closing)
        #expect(wire.send("<", [.fin, .ack], 20_000, 1) == .live)
        #expect(wire.send(">", [.ack], 1, 20_001) == .live)
        #expect(wire.state == .closed)
    }

    @Test func `a FIN that ends before what was sent closes nothing`() throws {
        var wire = try Wire()
        wire.open()
        #expect(wire.send(">", [.ack], 0, 0, length: 1000) == .live)
        #expect(wire.send(">", [.fin, .ack], 500, 0) == .live)
        #expect(wire.state == .established)
        #expect(wire.send("<", [.ack], 0, 1000) == .live)
        #expect(wire.send(">", [.ack], 1000, 0, length: 10) == .live)
        // The host's own, and once more.
        for _ in 0..<2 { #expect(wire.send(">", [.fin, .ack], 1000, 0, length: 10) == .live) }
        #expect(wire.state == .closing)
        #expect(wire.send("<", [.fin, .ack], 0, 1011) == .live)
        #expect(wire.send(">", [.ack], 1011, 1) == .live)
        #expect(wire.state == .closed)
    }

    @Test func `a segment in fragments is followed part by part, and its end is not known before the last`() throws {
        var wire = try Wire()
        wire.open()
        var first = SampleSegment(isFromClient: true, [.ack], sequence: 0, length: 1400).reading()
        first.kind = .fragment
        first.marks = [.fragment, .moreFragments]
        var rest = first
        (rest.marks, rest.fragmentOffset, rest.fragmentStart) = (.fragment, 1416, 34)
        (rest.tcpFlags, rest.sequence, rest.end) = ([], 1400, 34 + 1400)
        let sender = FlowKey4.make(of: first, pair: 0).sender
        for reading in [first, rest] {
            guard case .live = wire.table.track(wire.number, reading, sender: sender, length: 1500, now: 50) else {
                Issue.record("a fragment does not pass")
                return
            }
        }
        #expect(wire.send("<", [.ack], 0, 2801) == .refused(.outOfWindow))
        #expect(wire.send("<", [.ack], 0, 2800) == .live)
        #expect(wire.send(">", [.ack], 2800, 0, length: 1400) == .live)
    }

    @Test func `loose windows hold nothing but resets`() throws {
        var wire = try Wire { $0.windows = FlowSettings.Windows.loose.rawValue }
        wire.open()
        #expect(wire.send(">", [.ack], 1 << 30, 1 << 30, length: 10) == .live)
        #expect(wire.send("<", [.fin, .ack], 1 << 30, 1 << 30) == .live)
        #expect(wire.state == .established, "and it changes nothing")
        #expect(wire.send(">", [.rst], 1 << 30) == .refused(.outOfWindow))
        #expect(wire.send(">", [.ack], 0, 0, length: 10) == .live)
        #expect(wire.send(">", [.rst], 10) == .live)
        #expect(wire.state == .closed)
    }

    @Test func `where one direction is seen alone, it goes on`() throws {
        var wire = try Wire { $0.isAsymmetric = 1 }
        #expect(wire.send(">", [.syn], .max) == .live)
        #expect(wire.send(">", [.ack], 0, 7000) == .live)
        #expect(wire.state == .established && wire.table.waiting == 0)
        for number in 0..<200 as Range<UInt32> {
            #expect(wire.send(">", [.ack], number * 1460, 7000 + number, length: 1460) == .live)
        }
        #expect(wire.send(">", [.rst], 5) == .live)
        #expect(wire.state == .established, "an inexact reset")
        #expect(wire.send(">", [.rst, .ack], 200 * 1460, 7200) == .live)
        #expect(wire.state == .closed)
    }
}
