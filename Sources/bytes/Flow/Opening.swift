// SPDX-License-Identifier: Apache-2.0
public import Net

/// Whether a frame that belongs to no known flow may open one.
@frozen public enum Opening: BitwiseCopyable, Sendable {
    /// It opens a flow in this state, if policy allows.
    case opens(FlowState)
    /// It opens no flow, whatever policy says.
    case refused(DropReason)

    /// What a reading may open. TCP only by a SYN alone (RFC 9293, 3.5): a segment from the middle of a connection proves nothing, and
    /// a SYN with ACK is an answer. SCTP only by an INIT, which alone has a tag of 0 (RFC 9260, 8.5.1). ICMP only by a request or a
    /// message that calls for no request: replies and errors need their flow.
    @_noLocks @inlinable public static func of(_ reading: borrowing Reading) -> Opening {
        if reading.protocolNumber.rawValue == 6 {
            return reading.tcpFlags.rawValue & 0x17 == 0x02 ? .opens(.synSent) : .refused(.notOpening)
        }
        if reading.protocolNumber == .sctp, reading.sequence != 0 { return .refused(.notOpening) }
        if reading.protocolNumber.isICMP, reading.marks.rawValue & 0x0c != 0 { return .refused(.unrelatedICMP) }
        return .opens(.oneSided)
    }
}
