// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Wire

extension FuzzTarget {
    /// What ICMP errors quote: the input's first byte chooses the error, the rest is the quotation.
    static let quoted = FuzzTarget(
        "quoted", "an error's quotation names a flow or none, the same way whatever follows it, and its offsets lie in the error",
        seeds: Quotation.seeds, flaw: Quotation.flaw)
}

private enum Quotation {
    /// What comes before the quotation, by the input's first byte.
    static let headers: [Packet] = [
        Ethernet() / IPv4(from: "10.0.0.9", to: "10.0.0.1") / ICMP(type: 3, code: 4, sequence: 1400),
        Ethernet() / VLAN(7) / IPv4(from: "10.0.0.9", to: "10.0.0.1") / ICMP(type: 11),
        Ethernet() / IPv6(from: "fd00::9", to: "fd00::1") / ICMPv6(type: 2, sequence: 1400),
        Ethernet() / IPv6(from: "fd00::9", to: "fd00::1") / Extension.destination() / ICMPv6(type: 1),
    ]

    /// Every sample that is a packet, quoted by an error of its family: whole, and as little of it as an error must quote.
    @Sendable static func seeds() -> [FuzzTarget.Seed] {
        Sample.all.flatMap { sample -> [FuzzTarget.Seed] in
            let reading = FrameOutcome(of: sample.bytes).reading
            guard reading.kind == .packet || reading.kind == .fragment else { return [] }
            let packet = sample.bytes[Int(reading.networkOffset)..<Int(reading.end)]
            let row: UInt8 = reading.isIPv4 ? 0 : 2
            let least = packet.prefix(Int(reading.transportOffset - reading.networkOffset) + 8)
            return [(sample.name, [row] + packet), ("\(sample.name), cut", [row + 1] + least)]
        }
    }

    @Sendable static func flaw(_ input: [UInt8]) -> String? {
        guard let first = input.first, input.count <= 9_000 else { return nil }
        let header = headers[Int(first) % headers.count]
        let frame = (header / Payload(Array(input.dropFirst()))).bytes
        if let flaw = FrameOutcome.flaw(of: frame) ?? ReplyFlaw.flaw(inReplyTo: frame) { return flaw }
        let outcome = FrameOutcome(of: frame)
        guard outcome.reason == nil else { return nil }
        let (isNamed, quoted) = read(frame, outcome.reading)
        if let flaw = flaw(in: quoted, isNamed, of: outcome.reading) { return flaw }
        // What is behind the transport's eight bytes, or a message's first eight, does not matter.
        let needed = Int(quoted.transportOffset) + 8
        let shorter = Array(frame.prefix(min(needed, Int(outcome.reading.end))))
        var cut = outcome.reading
        cut.end = UInt16(shorter.count)
        let (isNamedAgain, again) = read(shorter, cut)
        guard isNamed else { return nil }
        guard isNamedAgain, again.source == quoted.source, again.destination == quoted.destination,
            again.sourcePort == quoted.sourcePort, again.destinationPort == quoted.destinationPort,
            again.protocolNumber == quoted.protocolNumber, again.sequence == quoted.sequence, again.marks == quoted.marks
        else { return "what follows a quotation changes it" }
        return nil
    }

    private static func flaw(in quoted: Reading, _ isNamed: Bool, of error: Reading) -> String? {
        let offsets = [error.payloadOffset, quoted.networkOffset, quoted.transportOffset, quoted.payloadOffset, error.end]
        guard zip(offsets, offsets.dropFirst()).allSatisfy(<=), quoted.end == error.end else { return "offsets \(offsets)" }
        guard isNamed else { return nil }
        guard quoted.isIPv4 == error.isIPv4, quoted.destination.isIPv4 == error.isIPv4 else { return "another family" }
        guard quoted.vlans == error.vlans, quoted.tunnel == error.tunnel else { return "another way back" }
        let hasTransport = quoted.protocolNumber.hasPorts || quoted.protocolNumber.isICMP
        guard Int(quoted.payloadOffset - quoted.transportOffset) == (hasTransport ? 8 : 0) else {
            return "a transport of another length"
        }
        return quoted.marks.subtracting(.icmpReply).isEmpty ? nil : "marks \(quoted.marks)"
    }

    private static func read(_ frame: [UInt8], _ reading: Reading) -> (Bool, Reading) {
        var quoted = Reading()
        // Bytes have no padding that a raw span could show.
        let isNamed = unsafe Wire.readQuoted(frame.span.bytes, of: reading, into: &quoted)
        return (isNamed, quoted)
    }
}
