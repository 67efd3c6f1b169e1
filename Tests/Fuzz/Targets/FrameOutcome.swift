// SPDX-License-Identifier: Apache-2.0
public import Net
import Wire

/// What Wire made of a frame, step by step into its tunnels, and what is wrong with that.
public struct FrameOutcome: Sendable {
    /// Why the frame is not readable; `nil` when it is.
    public let reason: DropReason?
    /// The frame's own reading; whole only when it is readable.
    public let reading: Reading
    /// Why the packet inside the first, then the second tunnel is not readable; ends at the first that is not.
    public private(set) var inner: [(reason: DropReason?, reading: Reading)] = []
    /// What is wrong; `nil` when nothing is.
    public private(set) var flaw: String?

    /// Reads a frame as deep as it goes, and checks each reading.
    public init(of frame: [UInt8]) {
        var reading = Reading()
        reason = Self.read(frame, into: &reading)
        self.reading = reading
        flaw = Self.flaw(in: reason, reading, from: 0, to: frame.count)
        guard reason == nil, flaw == nil else { return }
        var outer = reading
        while outer.kind == .packet, outer.carried.kind != .none {
            let (reason, reading) = Self.readInner(frame, of: outer)
            inner.append((reason, reading))
            flaw = Self.innerFlaw(in: reason, reading, of: outer)
            guard reason == nil, flaw == nil else { return }
            outer = reading
        }
    }

    /// What is wrong, also with a second reading of the same bytes into a reading that held another frame's, and with one of the same
    /// packet before other padding.
    public static func flaw(of frame: [UInt8]) -> String? {
        let outcome = FrameOutcome(of: frame)
        if let flaw = outcome.flaw { return flaw }
        var again = outcome.inner.last?.reading ?? junk
        guard read(frame, into: &again) == outcome.reason else { return "another reason the second time" }
        if outcome.reason == nil, !same(again, outcome.reading) { return "another reading the second time" }
        // A frame without IP has no length of its own.
        guard outcome.reason == nil, outcome.reading.kind != .link else { return nil }
        let end = Int(outcome.reading.end)
        let padded = FrameOutcome(of: frame.prefix(end) + frame.dropFirst(end).map(~) + [0x45, 0, 0, 20, 0, 0, 0])
        guard padded.reason == nil, same(padded.reading, outcome.reading) else { return "padding changes the reading" }
        return padded.inner.count == outcome.inner.count ? nil : "padding changes what is inside"
    }

    /// A reading in which every bit is set that may be: nothing of it may survive.
    private static let junk: Reading = {
        var junk = Reading()
        junk.source = Address(high: .max, low: .max)
        junk.vlans = VLANTags(outer: .max, inner: .max)
        junk.tunnel = Tunnel(.geneve, identifier: .max, depth: .max)
        junk.carried = junk.tunnel
        junk.marks = Reading.Marks(rawValue: .max)
        junk.fragmentOffset = .max
        junk.windowScale = 0
        junk.target = junk.source
        junk.claimedMAC = MACAddress(bits: .max)
        junk.link = .unknown
        return junk
    }()

    /// Reads bytes as the data path does.
    static func read(_ frame: [UInt8], into reading: inout Reading) -> DropReason? {
        // Bytes have no padding that a raw span could show.
        unsafe Wire.read(frame.span.bytes, into: &reading)
    }

    /// One step into a tunnel.
    static func readInner(_ frame: [UInt8], of outer: Reading) -> (DropReason?, Reading) {
        var inner = junk
        // As in `read`.
        let reason = unsafe Wire.readInner(frame.span.bytes, of: outer, into: &inner)
        return (reason, inner)
    }
}
