// SPDX-License-Identifier: Apache-2.0

/// How long a flow may be quiet before it ends, by protocol and state, in ticks of 2²⁰ ns (1.05 ms). None may exceed 2³¹ ticks
/// (26 days), because ticks wrap and only differences are compared.
@frozen public struct FlowTimeouts: BitwiseCopyable, Hashable, Sendable {
    /// The most seconds that a timeout can have: 20 days.
    public static let longest: UInt32 = 1_728_000

    /// TCP before its handshake is complete: 30 s. RFC 5382 asks translators for 4 minutes; a filter that holds state for others
    /// does better to be brief, and a repeated SYN opens anew.
    public var tcpOpening = FlowTimeouts.ticks(seconds: 30)
    /// TCP with its handshake complete: 2 hours and 4 minutes (RFC 5382, REQ-5: longer than the keep-alive of RFC 1122).
    public var tcpEstablished = FlowTimeouts.ticks(seconds: 7440)
    /// TCP with one FIN seen: 120 s.
    public var tcpClosing = FlowTimeouts.ticks(seconds: 120)
    /// TCP that is over: 10 s in which late segments still pass; they do not prolong it.
    public var tcpClosed = FlowTimeouts.ticks(seconds: 10)
    /// UDP, one-sided or answered once: 30 s.
    public var udpOneSided = FlowTimeouts.ticks(seconds: 30)
    /// UDP, the initiator has gone on after an answer: 180 s (RFC 4787, REQ-5 asks for at least 2 minutes).
    public var udpAnswered = FlowTimeouts.ticks(seconds: 180)
    /// SCTP, one-sided or answered once: 30 s.
    public var sctpOneSided = FlowTimeouts.ticks(seconds: 30)
    /// SCTP, the initiator has gone on after an answer: 300 s, ten heartbeats (RFC 9260, 16: 30 s each).
    public var sctpAnswered = FlowTimeouts.ticks(seconds: 300)
    /// ICMP and ICMPv6 requests, answered or not: 30 s.
    public var icmp = FlowTimeouts.ticks(seconds: 30)
    /// Any other protocol, one-sided or answered once: 60 s.
    public var otherOneSided = FlowTimeouts.ticks(seconds: 60)
    /// Any other protocol, the initiator has gone on after an answer: 600 s.
    public var otherAnswered = FlowTimeouts.ticks(seconds: 600)

    /// The defaults.
    @inlinable public init() {}

    /// Whole seconds as ticks, rounded down.
    @_noLocks @inlinable public static func ticks(seconds: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: (UInt64(seconds) &* 1_000_000_000) >> 20)
    }

    /// Each timeout with the name that configuration, status and manual give it.
    public static var names: [(name: String, path: any (WritableKeyPath<FlowTimeouts, UInt32> & Sendable))] {
        [
            ("tcp-opening", \.tcpOpening), ("tcp-established", \.tcpEstablished), ("tcp-closing", \.tcpClosing),
            ("tcp-closed", \.tcpClosed), ("udp-one-sided", \.udpOneSided), ("udp-answered", \.udpAnswered),
            ("sctp-one-sided", \.sctpOneSided), ("sctp-answered", \.sctpAnswered), ("icmp", \.icmp),
            ("other-one-sided", \.otherOneSided), ("other-answered", \.otherAnswered),
        ]
    }
}
