// SPDX-License-Identifier: Apache-2.0

/// How long a flow may be quiet before it ends, by protocol and state, in ticks of 2²⁰ ns (1.05 ms). None may exceed 2³¹ ticks
/// (26 days), because ticks wrap and only differences are compared.
@frozen public struct FlowTimeouts: BitwiseCopyable, Sendable {
    /// TCP before its handshake is complete: 30 s. RFC 5382 asks translators for 4 minutes; a filter that holds state for others
    /// does better to be brief, and a repeated SYN opens anew.
    public var tcpOpening = FlowTimeouts.ticks(seconds: 30)
    /// TCP with its handshake complete: 2 hours and 4 minutes (RFC 5382, REQ-5: longer than the keep-alive of RFC 1122).
    public var tcpEstablished = FlowTimeouts.ticks(seconds: 7440)
    /// TCP with one FIN seen: 120 s.
    public var tcpClosing = FlowTimeouts.ticks(seconds: 120)
    /// TCP that is over: 10 s in which late segments still pass; they do not prolong it.
    public var tcpClosed = FlowTimeouts.ticks(seconds: 10)
    /// UDP and others without a handshake, only the initiator has spoken: 30 s.
    public var oneSided = FlowTimeouts.ticks(seconds: 30)
    /// UDP and others, both have spoken: 180 s (RFC 4787, REQ-5 asks for at least 2 minutes).
    public var answered = FlowTimeouts.ticks(seconds: 180)
    /// ICMP and ICMPv6 requests, answered or not: 30 s.
    public var icmp = FlowTimeouts.ticks(seconds: 30)
    /// A flow that may not pass is remembered for at most this long after its last frame: 30 s.
    public var refused = FlowTimeouts.ticks(seconds: 30)

    /// The defaults.
    @inlinable public init() {}

    /// Whole seconds as ticks, rounded down.
    @_noLocks @inlinable public static func ticks(seconds: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: (UInt64(seconds) &* 1_000_000_000) >> 20)
    }

    /// How long a flow of the given protocol, state number and marks may be quiet.
    @_noLocks @inlinable func limit(protocolNumber: UInt8, state: UInt8, marks: UInt8) -> UInt32 {
        let limit = limit(protocolNumber: protocolNumber, state: state)
        return marks & 2 == 0 && limit > refused ? refused : limit
    }

    @_noLocks @usableFromInline func limit(protocolNumber: UInt8, state: UInt8) -> UInt32 {
        if protocolNumber == 6 {
            if state == FlowState.established.number { return tcpEstablished }
            if state == FlowState.closing.number { return tcpClosing }
            return state == FlowState.closed.number ? tcpClosed : tcpOpening
        }
        if protocolNumber == 1 || protocolNumber == 58 { return icmp }
        return state == FlowState.established.number ? answered : oneSided
    }
}
