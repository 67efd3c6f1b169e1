// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// An IPv4 or IPv6 address as one 128-bit number; IPv4 is kept in its mapped form `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2), so that
/// one path serves both families. A mapped address never appears on the wire: Wire refuses it as a martian.
@frozen public struct Address: BitwiseCopyable, Hashable, Sendable {
    /// The first 8 bytes on the wire, as a number in host order.
    public var high: UInt64
    /// The last 8 bytes on the wire, as a number in host order.
    public var low: UInt64

    /// An address from its two halves, in host order.
    @_noLocks @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address from its 32 bits in host order.
    @_noLocks @inlinable public init(v4: UInt32) {
        high = 0
        low = 0xffff_0000_0000 | UInt64(v4)
    }

    /// Whether this is an IPv4 address.
    @inlinable public var isIPv4: Bool {
        @_noLocks get { high == 0 && low >> 32 == 0xffff }
    }

    /// The 32 bits of an IPv4 address in host order; meaningless for IPv6.
    @inlinable public var v4: UInt32 {
        @_noLocks get { UInt32(truncatingIfNeeded: low) }
    }

    /// Group addresses: 224.0.0.0/4 and ff00::/8.
    @inlinable public var isMulticast: Bool {
        @_noLocks get { isIPv4 ? v4 >> 28 == 0xe : high >> 56 == 0xff }
    }

    /// The limited broadcast address 255.255.255.255 (RFC 919).
    @inlinable public var isBroadcast: Bool {
        @_noLocks get { isIPv4 && v4 == .max }
    }

    /// `0.0.0.0` or `::`: whoever has no address yet.
    @inlinable public var isUnspecified: Bool {
        @_noLocks get { isIPv4 ? v4 == 0 : high | low == 0 }
    }

    /// Written by hand because a synthesised `==` is not available to hot code of other modules.
    @_noLocks @inlinable public static func == (a: Address, b: Address) -> Bool { a.high == b.high && a.low == b.low }

    /// Numeric order, which is the canonical order of a flow's two ends.
    @_noLocks @inlinable public static func < (a: Address, b: Address) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }
}

extension Address: CustomStringConvertible, LosslessStringConvertible {
    /// An address from its usual text; `nil` for anything else, names, zones (`%eth0`) and abbreviated IPv4 included.
    public init?(_ text: String) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4: UInt32(bigEndian: v4.s_addr))
        } else if unsafe inet_pton(AF_INET6, text, &v6) == 1 {
            let halves = unsafe withUnsafeBytes(of: &v6) { bytes in
                unsafe (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
            self.init(high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
        } else {
            return nil
        }
    }

    /// Dotted decimal, or the canonical form of RFC 5952.
    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if isIPv4 {
            var address = in_addr(s_addr: v4.bigEndian)
            _ = unsafe inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
        } else {
            var halves = (high.bigEndian, low.bigEndian)
            _ = unsafe inet_ntop(AF_INET6, &halves, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
