// SPDX-License-Identifier: Apache-2.0

/// What one end of a TCP connection has sent and lets the other send (sequence space of RFC 9293, windows scaled by RFC 7323). What the
/// end itself may send follows from the other's: `acknowledged` plus `maximum` shifted by `scale`.
@frozen public struct TCPWindow: BitwiseCopyable, Sendable {
    /// Highest sequence number sent, plus one.
    public var end: UInt32 = 0
    /// Highest acknowledgement number sent: what it expects next. Before it has sent one, what it will expect: the other's initial
    /// sequence number plus one. Of an initiator that was challenged, what the challenge acknowledged.
    public var acknowledged: UInt32 = 0
    /// Largest window that it ever advertised, in units of its scale.
    public var maximum: UInt16 = 0
    /// How far its windows are shifted: 0 unless both SYNs offered a scale. Until the second SYN, what the first one offered: 255 for
    /// nothing. 14 where no SYN was seen.
    public var scale: UInt8 = 255
    /// Bits of `TCPWindow.known` and so on.
    public var flags: UInt8 = 0

    /// Nothing known.
    @_noLocks @inlinable public init() {}

    /// `end` is known.
    @inlinable public static var known: UInt8 { @_noLocks get { 1 } }
    /// It has sent FIN, and nothing behind it.
    @inlinable public static var fin: UInt8 { @_noLocks get { 2 } }
    /// Its FIN was acknowledged.
    @inlinable public static var finAcknowledged: UInt8 { @_noLocks get { 4 } }
    /// It has sent an acknowledgement.
    @inlinable public static var acknowledges: UInt8 { @_noLocks get { 8 } }
    /// It has ended the connection with a RST.
    @inlinable public static var reset: UInt8 { @_noLocks get { 16 } }
    /// Its SYN was answered by a bare ACK (RFC 5961, 4).
    @inlinable public static var challenged: UInt8 { @_noLocks get { 32 } }
    /// The last segment of it that passed was the first part of one in fragments.
    @inlinable public static var cut: UInt8 { @_noLocks get { 64 } }
    /// How far back segments and acknowledgements may lie at least, whatever the window is: what was sent late through a queue
    /// of the network is no attack, and hosts discard it.
    @inlinable public static var past: UInt32 { @_noLocks get { 66_000 } }

    /// How far apart the borders of a window lie at most: twice the largest window there is, and `past`, and the byte of a probe.
    @inlinable public static var widest: UInt32 { @_noLocks get { 2 * (65_535 << 14) + 66_000 + 1 } }

    /// The smallest window of an end whose SYN was not seen, in units of the largest scale: 1 MiB.
    @inlinable public static var leastUnits: UInt16 { @_noLocks get { 64 } }

    /// Whether a flag is set.
    @_noLocks @inlinable func has(_ flag: UInt8) -> Bool { flags & flag != 0 }

    /// The largest window in bytes.
    @inlinable var span: UInt32 { @_noLocks get { UInt32(maximum) &<< (scale == 255 ? 0 : UInt32(scale)) } }

    /// Takes what a SYN says: its window is never scaled (RFC 7323, 2.2).
    @_noLocks mutating func open(end: UInt32, window: UInt16, scale: UInt8) {
        self.end = end
        maximum = window
        self.scale = scale
        flags = TCPWindow.known
    }

    /// Both SYNs were seen: scaling counts only if both offered it (RFC 7323, 2.2). The windows of the SYNs become units of their
    /// scale, rounded up.
    @_noLocks static func settle(_ a: inout TCPWindow, _ b: inout TCPWindow) {
        if a.scale == 255 || b.scale == 255 { (a.scale, b.scale) = (0, 0) }
        a.maximum = units(a.maximum, scale: a.scale)
        b.maximum = units(b.maximum, scale: b.scale)
    }

    /// Bytes as units of a scale, rounded up.
    @_noLocks static func units(_ bytes: UInt16, scale: UInt8) -> UInt16 {
        let shift = scale == 255 ? 0 : UInt32(scale) & 15
        return UInt16(truncatingIfNeeded: (UInt32(bytes) &+ (1 &<< shift) &- 1) &>> shift)
    }
}
