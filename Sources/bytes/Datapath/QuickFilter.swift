// SPDX-License-Identifier: Apache-2.0
internal import Flow
internal import Net
internal import Record

/// The part of a capture's order that the key of a flow can be held against in a few compares: one block of addresses, one port, and the families.
/// An armed capture asks this of every plain packet, so that those of other connections go on as if there were none.
struct QuickFilter: BitwiseCopyable {
    /// The one block that the order names, and its bits; no bits where it names none, or several. Of IPv4 the low halves count alone.
    private var block = Address(high: 0, low: 0)
    private var mask = Address(high: 0, low: 0)
    /// The one port that it names, and its bits; none where it names none, or several.
    private var port: UInt32 = 0
    private var portMask: UInt32 = 0
    /// Whether frames of either family can be wanted.
    private var wantsIPv4 = true
    private var wantsIPv6 = true

    /// A filter that rules nothing out.
    @_noLocks init() {}

    /// What an order that is possible comes to.
    @_noLocks
    init(_ order: CaptureOrder) {
        wantsIPv4 = order.families & CaptureOrder.Bits.v4 != 0
        wantsIPv6 = order.families & CaptureOrder.Bits.v6 != 0
        if order.portCount == 1 { (port, portMask) = (UInt32(order.ports[0]), 0xffff) }
        guard order.blockCount == 1 else { return }
        let length = order.blocks[0].length < 128 ? order.blocks[0].length : 128
        // Swift's shifts by 64 and more give 0.
        mask.high = length >= 64 ? .max : ~(UInt64.max >> length)
        mask.low = length <= 64 ? 0 : ~(length == 128 ? 0 : UInt64.max >> (length &- 64))
        (block.high, block.low) = (order.blocks[0].high & mask.high, order.blocks[0].low & mask.low)
        // All mapped IPv4 addresses share 96 bits: a shorter block holds all of them or none, a longer one holds nothing else or none of them.
        let shared = Address(v4: 0)
        let differs = (shared.high ^ block.high) & mask.high | (shared.low ^ block.low) & mask.low & ~0xffff_ffff
        if differs != 0 { wantsIPv4 = false } else if length >= 96 { wantsIPv6 = false }
    }

    /// Whether no frame of a flow can be wanted. Where this says no, the order itself is asked.
    @_noLocks @inline(__always)
    func rulesOut(_ keys: FlowKeys) -> Bool {
        keys.isIPv4 ? rulesOut(keys.v4) : rulesOut(keys.v6)
    }

    @_noLocks @inline(__always)
    private func rulesOut(_ key: FlowKey4) -> Bool {
        guard wantsIPv4 else { return true }
        let (bits, first) = (UInt32(truncatingIfNeeded: mask.low), UInt32(truncatingIfNeeded: block.low))
        return (key.low ^ first) & bits != 0 && (key.high ^ first) & bits != 0 || isAtOtherPorts(key.ports)
    }

    @_noLocks @inline(__always)
    private func rulesOut(_ key: FlowKey6) -> Bool {
        guard wantsIPv6 else { return true }
        let isLowElsewhere = (key.low.high ^ block.high) & mask.high | (key.low.low ^ block.low) & mask.low != 0
        let isHighElsewhere = (key.high.high ^ block.high) & mask.high | (key.high.low ^ block.low) & mask.low != 0
        return isLowElsewhere && isHighElsewhere || isAtOtherPorts(key.ports)
    }

    @_noLocks @inline(__always)
    private func isAtOtherPorts(_ ports: UInt32) -> Bool {
        (ports ^ port) & portMask != 0 && (ports >> 16 ^ port) & portMask != 0
    }
}
