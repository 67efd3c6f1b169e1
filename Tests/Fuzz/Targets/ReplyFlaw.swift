// SPDX-License-Identifier: Apache-2.0
import Net
import Wire

/// What must hold for the reply to any frame.
enum ReplyFlaw {
    /// What is wrong with the reply that Wire writes; `nil` when nothing is, or there is none.
    static func flaw(inReplyTo frame: [UInt8]) -> String? {
        var trigger = Reading()
        guard FrameOutcome.read(frame, into: &trigger) == nil else { return nil }
        var memory = [UInt8](repeating: 0xee, count: frame.count)
        var mutable = memory.mutableSpan
        // Bytes have no padding, and any bit pattern is one.
        var span = unsafe mutable.mutableBytes
        let length = unsafe writeReply(to: trigger, frame: frame.span.bytes, into: &span)
        guard length > 0 else { return nil }
        guard length <= frame.count else { return "a reply longer than its trigger" }
        guard memory[length...].allSatisfy({ $0 == 0xee }) else { return "a reply writes behind its end" }
        let outcome = FrameOutcome(of: Array(memory.prefix(length)))
        guard outcome.reason == nil, outcome.flaw == nil else { return "a reply that is not readable" }
        let back = outcome.reading
        guard back.source == trigger.destination, back.destination == trigger.source, back.vlans == trigger.vlans,
            back.sourceMAC == trigger.destinationMAC, back.destinationMAC == trigger.sourceMAC
        else { return "a reply that goes elsewhere" }
        guard back.marks.contains(.icmpError) || back.tcpFlags.contains(.rst) else { return "a reply that somebody may answer" }
        return nil
    }
}
