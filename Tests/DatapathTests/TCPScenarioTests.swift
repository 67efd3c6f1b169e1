// SPDX-License-Identifier: Apache-2.0
import Datapath
import Flow
import Net
import Record
import TestSupport
import Testing

/// What Linux' packetdrill tests of connection tracking and OpenBSD's of pf play, told again with our frames and our numbers: the
/// client of the town in the place of whoever connects.
@Suite("TCP scenarios") struct TCPScenarioTests {
    /// conntrack_syn_challenge_ack: the server still has an old connection, whose ACK the client answers with a RST.
    @Test(arguments: [true, false]) func `a challenge and the reset that answers it pass before a new connection opens`(
        isIPv4: Bool
    ) throws {
        let talk = Talk(bench: try PairBench(), isIPv4: isIPv4)
        try talk.pass(">", [.syn], 0, scale: 8)
        try talk.pass("<", [.ack], 145_824_453, 643_160_523, window: 240)
        try talk.pass(">", [.rst], 643_160_523, window: 0)
        try talk.drop(">", [.rst], 643_160_524, window: 0)
        #expect(talk.state == .synSent)
        try talk.pass(">", [.syn], 0, scale: 8)
        try talk.pass("<", [.syn, .ack], 0, 1, window: 250, scale: 0)
        try talk.pass(">", [.ack], 1, 1, window: 256)
        #expect(talk.state == .established)
        #expect(talk.events == [.start])
        #expect(talk.bench.fault == nil)
    }

    /// conntrack_synack_old: an answer to a SYN of long ago.
    @Test(arguments: [true, false]) func `an old SYN with ACK does not pass, and spoils nothing`(isIPv4: Bool) throws {
        let talk = Talk(bench: try PairBench(), isIPv4: isIPv4)
        try talk.pass(">", [.syn], 0, scale: 8)
        try talk.drop("<", [.syn, .ack], 145_824_453, 643_160_523, window: 240, scale: 0)
        try talk.pass(">", [.syn], 0, scale: 8)
        #expect(talk.state == .synSent)
        try talk.pass("<", [.syn, .ack], 145_758_918, 1, window: 250, scale: 0)
        try talk.pass(">", [.ack, .psh], 1, 145_758_919, window: 256, length: 1)
        #expect(talk.state == .established)
    }

    /// conntrack_synack_reuse: a SYN inside a connection, whose challenge leads to a RST, and the SYN again.
    @Test(arguments: [true, false]) func `a connection that its client has forgotten is reset by challenge, and opens anew`(
        isIPv4: Bool
    ) throws {
        let talk = Talk(bench: try PairBench(), isIPv4: isIPv4)
        try talk.open(clientWindow: 32792, scales: (7, 8))
        try talk.pass(">", [.ack, .psh], 1, 1, window: 257, length: 100)
        try talk.pass("<", [.ack], 1, 101, window: 256)
        try talk.pass(">", [.syn], 2000, window: 32792, scale: 7)
        #expect(talk.state == .established)
        try talk.pass("<", [.ack], 1, 101, window: 256)
        try talk.pass(">", [.rst, .ack], 101, 1, window: 257)
        #expect(talk.state == .closed)
        #expect(talk.events == [.start])
        try talk.pass(">", [.syn], 2000, window: 32792, scale: 0)
        #expect(talk.state == .synSent)
        #expect(talk.events == [.end, .start])
        #expect(talk.bench.fault == nil)
    }

    /// The server has forgotten the connection, too: it answers the SYN inside it.
    @Test(arguments: [true, false]) func `an answered SYN inside a connection replaces it at once`(isIPv4: Bool) throws {
        let talk = Talk(bench: try PairBench(), isIPv4: isIPv4)
        try talk.open()
        try talk.pass(">", [.ack], 1, 1, length: 100)
        try talk.pass(">", [.syn], 900_000, scale: 7)
        try talk.pass(">", [.ack], 101, 1, length: 100)
        try talk.drop("<", [.syn, .ack], 7_000_000, 900_002, scale: 7)
        #expect(talk.events == [.start])
        try talk.pass("<", [.syn, .ack], 7_000_000, 900_001, scale: 7)
        #expect(talk.events == [.end, .start])
        #expect(talk.state == .synReceived)
        try talk.drop(">", [.ack], 201, 1, length: 100)
        try talk.pass(">", [.ack], 900_001, 7_000_001)
        try talk.pass(">", [.ack], 900_001, 7_000_001, length: 1000)
        #expect(talk.state == .established)
        #expect(talk.bench.worker.counters.flows == 1)
        #expect(talk.bench.fault == nil)
    }

    /// conntrack_inexact_rst: behind the end a RST need not be exact.
    @Test(arguments: [true, false]) func `a reset of a connection that is over passes`(isIPv4: Bool) throws {
        let talk = Talk(bench: try PairBench(), isIPv4: isIPv4)
        try talk.open()
        for number in 0..<3 as Range<UInt32> { try talk.pass("<", [.ack], 1 + 1000 * number, 1, length: 1000) }
        try talk.pass(">", [.ack], 1, 3001)
        try talk.pass(">", [.ack, .psh], 1, 3001, length: 1000)
        try talk.pass("<", [.fin, .ack], 3001, 1001)
        try talk.pass(">", [.ack], 1001, 3002)
        #expect(talk.state == .closing)
        try talk.pass(">", [.rst, .ack], 1001, 3002)
        #expect(talk.state == .closed)
        try talk.pass("<", [.rst], 2001, window: 0)
        try talk.drop("<", [.rst], 2_000_000, window: 0)
    }

    /// conntrack_rst_invalid: only the exact RST counts.
    @Test(arguments: [true, false]) func `a reset counts only where it is expected`(isIPv4: Bool) throws {
        let talk = Talk(bench: try PairBench(), isIPv4: isIPv4)
        try talk.open()
        for number in 0..<3 as Range<UInt32> {
            try talk.pass("<", [.ack], 1 + 1000 * number, 1, length: 1000)
            try talk.pass(">", [.ack], 1, 1001 + 1000 * number)
        }
        for number in [0, 1_000_000, 42, 3000] as [UInt32] { try talk.drop("<", [.rst], number, window: 0) }
        try talk.pass("<", [.rst], 3100, window: 0)
        #expect(talk.state == .established, "inside the window it is the host's to challenge")
        try talk.pass(">", [.ack, .psh], 1, 3001, length: 1000)
        try talk.pass("<", [.ack], 3001, 1001)
        try talk.drop("<", [.rst, .ack], 3000, 1001, window: 0)
        try talk.pass("<", [.rst, .ack], 3001, 1001, window: 0)
        #expect(talk.state == .closed)
        #expect(talk.bench.worker.dropped(.outOfWindow) == 5)
    }

    /// conntrack_ack_loss_stall: what was acknowledged comes again, because all acknowledgements were lost behind us.
    @Test func `a repetition of what was acknowledged passes`() throws {
        let talk = Talk(bench: try PairBench())
        try talk.open()
        for number in 0..<46 as Range<UInt32> {
            try talk.pass(">", [.ack, .psh], 1 + 1460 * number, 1, length: 1460)
            try talk.pass("<", [.ack], 1, 1461 + 1460 * number)
        }
        try talk.pass(">", [.ack, .psh], 1, 1, length: 1460)
        try talk.pass("<", [.ack], 1, 67_161)
    }

    /// pf challenge_ack: a SYN with a number from nowhere is the server's to answer.
    @Test(arguments: [true, false]) func `a bogus SYN passes, and its challenge`(isIPv4: Bool) throws {
        let talk = Talk(bench: try PairBench(), isIPv4: isIPv4)
        try talk.open()
        try talk.pass(">", [.syn], 1_000_000)
        try talk.pass("<", [.ack], 1, 1)
        try talk.pass(">", [.ack], 1, 1, length: 10)
        #expect(talk.state == .established)
        #expect(talk.events == [.start])
    }

    /// pf fakeack_rst: a RST that is old and acknowledges 0.
    @Test(arguments: [true, false]) func `a reset from the past does not pass, whatever it acknowledges`(isIPv4: Bool) throws {
        let talk = Talk(bench: try PairBench(), isIPv4: isIPv4)
        try talk.pass(">", [.syn], 1 << 24)
        try talk.pass("<", [.syn, .ack], 5000, 1 << 24 + 1, window: 16384)
        try talk.pass(">", [.ack], 1 << 24 + 1, 5001)
        try talk.drop(">", [.rst, .ack], 1 << 24 - 8192, 0)
        try talk.drop(">", [.rst, .ack], 1 << 24 - 8192, 5001)
        #expect(talk.state == .established)
        try talk.pass(">", [.syn], 1)
        try talk.pass("<", [.ack], 5001, 1 << 24 + 1)
        try talk.pass("<", [.rst, .ack], 5001, 1 << 24 + 1)
        #expect(talk.state == .closed)
    }

    /// pf beforegap_rst: data lies behind a hole, and the RST is where the receiver stands.
    @Test(arguments: [true, false]) func `a reset in front of a hole counts`(isIPv4: Bool) throws {
        let talk = Talk(bench: try PairBench(), isIPv4: isIPv4)
        try talk.open()
        try talk.pass(">", [.ack, .psh], 17, 1, length: 8)
        try talk.pass("<", [.ack], 1, 1)
        try talk.pass(">", [.ack, .psh], 1, 1, length: 8)
        try talk.pass("<", [.ack], 1, 9)
        try talk.pass(">", [.rst, .ack], 9, 1)
        #expect(talk.state == .closed)
        try talk.pass(">", [.syn], 1 << 24 + 1)
        #expect(talk.state == .synSent)
    }

    /// OVS "conntrack - invalid": what begins in the middle, and flags that no connection sends.
    @Test(arguments: [true, false]) func `what is in no state opens none`(isIPv4: Bool) throws {
        let talk = Talk(bench: try PairBench(), isIPv4: isIPv4)
        for flags in [[.ack], [.ack, .psh], [.fin, .ack], [.rst], [.rst, .ack], [.syn, .ack]] as [TCPFlags] {
            try talk.drop(">", flags, 1, 1, as: .notOpening)
            try talk.drop("<", flags, 1, 1, as: .notOpening)
        }
        for flags in [[], [.fin], [.syn, .fin], [.syn, .rst], [.fin, .rst, .ack], [.psh], [.urg, .psh, .fin]] as [TCPFlags] {
            try talk.drop(">", flags, 1, 1, as: .badTCP)
        }
        #expect(talk.bench.worker.counters.flows == 0)
    }
}
