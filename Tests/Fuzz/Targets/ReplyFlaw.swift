// SPDX-License-Identifier: Apache-2.0
import Net
import Wire

/// What must hold for the reply to any frame.
enum ReplyFlaw {
    /// What is wrong with what Wire writes to the sender of a frame that is rejected, and of one that is too big; `nil` when nothing is,
    /// or there is nothing to say.
    static func flaw(inReplyTo frame: [UInt8]) -> String? {
        var trigger = Reading()
        guard FrameOutcome.read(frame, into: &trigger) == nil else { return nil }
        for mtu in [nil, 68, 1280] as [UInt32?] {
            var memory = [UInt8](repeating: 0xee, count: frame.count)
            let length = write(mtu, to: trigger, frame, into: &memory)
            guard length > 0 else { continue }
            guard length <= frame.count else { return "a reply longer than its trigger" }
            guard memory[length...].allSatisfy({ $0 == 0xee }) else { return "a reply writes behind its end" }
            if let flaw = flaw(in: Array(memory.prefix(length)), to: trigger) { return flaw }
        }
        return nil
    }

    /// Writes that a frame is longer than an MTU, or that it is rejected.
    private static func write(_ mtu: UInt32?, to trigger: Reading, _ frame: [UInt8], into memory: inout [UInt8]) -> Int {
        var mutable = memory.mutableSpan
        // Bytes have no padding, and any bit pattern is one.
        var span = unsafe mutable.mutableBytes
        guard let mtu else { return unsafe writeReply(to: trigger, frame: frame.span.bytes, into: &span) }
        return unsafe writeTooBig(to: trigger, frame: frame.span.bytes, mtu: mtu, into: &span)
    }

    private static func flaw(in reply: [UInt8], to trigger: Reading) -> String? {
        let outcome = FrameOutcome(of: reply)
        guard outcome.reason == nil, outcome.flaw == nil else { return "a reply that is not readable" }
        let back = outcome.reading
        guard back.source == trigger.destination, back.destination == trigger.source, back.vlans == trigger.vlans,
            back.sourceMAC == trigger.destinationMAC, back.destinationMAC == trigger.sourceMAC
        else { return "a reply that goes elsewhere" }
        guard back.marks.contains(.icmpError) || back.tcpFlags.contains(.rst) else { return "a reply that somebody may answer" }
        return nil
    }
}
