// SPDX-License-Identifier: Apache-2.0
internal import Flow
internal import Net
internal import Record

/// The part of a capture's order that the key of an IPv4 flow can be held against in a few compares: one block of addresses, one port, and the
/// families. An armed capture asks this of every plain packet, so that those of other connections go on as if there were none.
struct QuickFilter: BitwiseCopyable {
    private var address: UInt32 = 0
    /// The block's bits; none where the order names no block, or several.
    private var mask: UInt32 = 0
    private var port: UInt32 = 0
    /// All bits of a port; none where the order names no port, or several.
    private var portMask: UInt32 = 0
    private var wantsIPv4 = true
    private var wantsIPv6 = true
    /// Whether the one block holds no IPv4 address.
    private var isOfIPv6 = false

    /// A filter that rules nothing out.
    @_noLocks init() {}

    /// What an order that is possible comes to.
    @_noLocks
    init(_ order: CaptureOrder) {
        wantsIPv4 = order.families & CaptureOrder.Bits.v4 != 0
        wantsIPv6 = order.families & CaptureOrder.Bits.v6 != 0
        if order.blockCount == 1 {
            let block = order.blocks[0]
            let first = Address(high: block.high, low: block.low)
            if block.length >= 96 {
                isOfIPv6 = !first.isIPv4
                let bits = block.length < 128 ? block.length &- 96 : 32
                mask = bits == 0 ? 0 : ~0 << (32 &- UInt32(truncatingIfNeeded: bits))
                address = first.v4 & mask
            }
        }
        if order.portCount == 1 { (port, portMask) = (UInt32(order.ports[0]), 0xffff) }
    }

    /// Whether no frame of a flow can be wanted. Where this says no, the order itself is asked.
    @_noLocks @inline(__always)
    func rulesOut(_ keys: FlowKeys) -> Bool {
        guard keys.isIPv4 else { return !wantsIPv6 }
        guard wantsIPv4, !isOfIPv6 else { return true }
        let key = keys.v4
        let isElsewhere = (key.low ^ address) & mask != 0 && (key.high ^ address) & mask != 0
        let isAtOtherPorts = (key.ports ^ port) & portMask != 0 && (key.ports >> 16 ^ port) & portMask != 0
        return isElsewhere || isAtOtherPorts
    }
}
