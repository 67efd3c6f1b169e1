// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Wire

/// What must hold for the transport checksums of any frame, and of the packets in it.
enum ChecksumFlaw {
    /// What is wrong; `nil` when nothing is.
    static func flaw(in frame: [UInt8]) -> String? {
        var reading = Reading()
        guard FrameOutcome.read(frame, into: &reading) == nil else { return nil }
        while true {
            if let flaw = flaw(in: frame, reading) { return flaw }
            guard reading.carried.kind != .none else { return nil }
            let (reason, inner) = FrameOutcome.readInner(frame, of: reading)
            guard reason == nil else { return nil }
            reading = inner
        }
    }

    private static func flaw(in frame: [UInt8], _ reading: Reading) -> String? {
        // A byte has no padding that a raw span could show.
        let state = unsafe checksumState(of: PacketExtent(reading), in: frame.span.bytes, .shared)
        let right = slowlyRight(frame, reading)
        guard (state == .right) == (right == true), (state == .absent) == (right == nil) else {
            return "a checksum that is \(state), and by the slow sum \(right.map { $0 ? "right" : "wrong" } ?? "absent")"
        }
        var completed = frame
        guard let value = unsafe rightChecksum(of: PacketExtent(reading), in: frame.span.bytes, .shared) else {
            return state == .absent || state == .wrong ? nil : "no right checksum for one that is \(state)"
        }
        var mutable = completed.mutableSpan
        var bytes = unsafe mutable.mutableBytes
        value.write(into: &bytes)
        guard slowlyRight(completed, reading) == true else { return "a checksum that was completed wrong" }
        let changed = frame.indices.filter { frame[$0] != completed[$0] }
        guard let first = changed.first, let last = changed.last else { return nil }
        return last - first < 4 && first >= Int(reading.transportOffset) ? nil : "completing changes bytes \(changed)"
    }

    /// Whether the packet's checksum is right, by the definition and byte for byte; `nil` where it has none.
    private static func slowlyRight(_ frame: [UInt8], _ reading: Reading) -> Bool? {
        guard reading.kind == .packet || reading.kind == .neighbour else { return nil }
        let (start, network) = (Int(reading.transportOffset), Int(reading.networkOffset))
        var segment = Array(frame[start..<Int(reading.end)])
        let number = reading.protocolNumber.rawValue
        let length = segment.count
        var pseudoLength = length
        switch number {
        case 6, 1, 58: break
        case 17:
            guard segment[6] != 0 || segment[7] != 0 else { return nil }
            pseudoLength = Int(segment[4]) << 8 | Int(segment[5])
            segment = Array(segment.prefix(pseudoLength))
        case 136:
            guard length >= 8, segment[6] != 0 || segment[7] != 0 else { return false }
            let coverage = Int(segment[4]) << 8 | Int(segment[5])
            guard coverage == 0 || (8...length).contains(coverage) else { return false }
            segment = Array(segment.prefix(coverage == 0 ? length : coverage))
        case 132:
            let check = segment[8..<12]
            segment.replaceSubrange(8..<12, with: [0, 0, 0, 0])
            return castagnoli(segment) == Array(check)
        default: return nil
        }
        var pseudo = Array(reading.isIPv4 ? frame[network + 12..<network + 20] : frame[network + 8..<network + 40])
        pseudo += [0, number, UInt8(pseudoLength >> 8), UInt8(pseudoLength & 0xff)]
        return internetChecksum((number == 1 ? [] : pseudo) + segment) == 0
    }
}
