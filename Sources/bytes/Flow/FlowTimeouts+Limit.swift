// SPDX-License-Identifier: Apache-2.0
public import Net

extension FlowTimeouts {
    /// How long a flow of the given protocol and state number may be quiet, in ticks.
    @_noLocks @usableFromInline func limit(protocolNumber: UInt8, state: UInt8) -> UInt32 {
        if protocolNumber == 6 {
            if state == FlowState.established.number { return tcpEstablished }
            if state == FlowState.closing.number { return tcpClosing }
            return state == FlowState.closed.number ? tcpClosed : tcpOpening
        }
        if protocolNumber == 1 || protocolNumber == 58 { return icmp }
        let isAnswered = state == FlowState.established.number
        if protocolNumber == 17 { return isAnswered ? udpAnswered : udpOneSided }
        if protocolNumber == 132 { return isAnswered ? sctpAnswered : sctpOneSided }
        return isAnswered ? otherAnswered : otherOneSided
    }
}
