// SPDX-License-Identifier: Apache-2.0
public import Net
import TestSupport
import Wire

/// What must hold for whatever is recognised as a plain packet: Wire reads it too, to the same key and the same numbers.
public enum PlainFlaw {
    /// Terms under which the checksum counts, and no address is the pair's own.
    public static let terms = PlainTerms(pair: 3, verifiesChecksum: true, own: (.max, .max))

    /// What was recognised: key, sender and the rest.
    public enum Recognised {
        /// Over IPv4.
        case four(FlowKey4, FlowEnd, PlainPacket)
        /// Over IPv6.
        case six(FlowKey6, FlowEnd, PlainPacket)
    }

    /// The plain packet that a frame is; `nil` for none.
    public static func recognised(_ frame: [UInt8], _ terms: PlainTerms = terms) -> Recognised? {
        // A byte has no padding that a raw span could show; below the same.
        let family = unsafe plainFamily(frame.span.bytes, terms)
        guard family == 1 else { return recognised(frame, family, .untagged, terms) }
        let (behind, link) = unsafe plainFamilyBehindTag(frame.span.bytes)
        return recognised(frame, behind, link, terms)
    }

    private static func recognised(_ frame: [UInt8], _ family: UInt8, _ link: PlainLink, _ terms: PlainTerms) -> Recognised? {
        var packet = PlainPacket()
        switch family {
        case 4: return unsafe readPlain4(frame.span.bytes, link, terms, into: &packet).map { .four($0.key, $0.sender, packet) }
        case 6: return unsafe readPlain6(frame.span.bytes, link, terms, into: &packet).map { .six($0.key, $0.sender, packet) }
        default: return nil
        }
    }

    /// What is wrong; `nil` when nothing is.
    public static func flaw(in frame: [UInt8], _ terms: PlainTerms = terms) -> String? {
        guard let recognised = recognised(frame, terms) else { return nil }
        var reading = Reading()
        if let reason = FrameOutcome.read(frame, into: &reading) { return "plain, and \(reason)" }
        let state = unsafe checksumState(of: PacketExtent(reading), in: frame.span.bytes, .shared)
        guard state == .right || !terms.verifiesChecksum else { return "plain, and its checksum is \(state)" }
        guard reading.kind == .packet, reading.link == .none, reading.carried.kind == .none, reading.vlans.count < 2 else {
            return "plain, and a \(reading.kind) of \(reading.link)"
        }
        guard reading.marks.isSubset(of: .dontFragment) else { return "plain, and marks \(reading.marks)" }
        switch recognised {
        case .four(let key, let sender, let packet):
            let (slow, end) = FlowKey4.make(of: reading, pair: terms.pair)
            guard reading.isIPv4, FlowKey4.same(key, slow), sender == end else { return "another key over IPv4" }
            return flaw(in: packet, reading)
        case .six(let key, let sender, let packet):
            let (slow, end) = FlowKey6.make(of: reading, pair: terms.pair)
            guard !reading.isIPv4, FlowKey6.same(key, slow), sender == end else { return "another key over IPv6" }
            return flaw(in: packet, reading)
        }
    }

    private static func flaw(in packet: PlainPacket, _ reading: Reading) -> String? {
        guard packet.isDatagram == (reading.protocolNumber == .udp) else { return "another protocol" }
        if packet.isDatagram { return nil }
        guard reading.tcpFlags.isDisjoint(with: [.syn, .fin, .rst]), reading.tcpFlags.contains(.ack) else {
            return "plain with flags \(reading.tcpFlags)"
        }
        let end = reading.sequence &+ UInt32(reading.end - reading.payloadOffset)
        guard packet.end == end, packet.acknowledgement == reading.acknowledgement,
            packet.window == reading.window, packet.flags == reading.tcpFlags
        else { return "another segment" }
        return nil
    }
}
