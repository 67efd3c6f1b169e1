// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Ring
internal import Wire

// Tunnels. A rule must name a tunnel to allow it; then it passes as a whole. Where the configuration places a zone in a tunnel, what is
// inside is judged too: the frame's reading is of the innermost headers that some zone asks for, at most two tunnels deep, and every
// packet around them is judged as the flow that it belongs to. All must allow. The inner flow's hash names the worker, so that the flow
// of a tunnel stands in the table of each worker that has flows inside of it.

extension Lane {
    /// Reads what is inside of a tunnel, where policy judges that.
    @_noLocks @inline(never)
    mutating func enterTunnel(_ index: Int, by policy: borrowing PolicyInForce) {
        while policy.snapshot.judgesInside(of: burst.readings[index].carried, pair: pair) {
            let outer = burst.readings[index]
            burst.notes[index].reason = umem.readInner(burst.notes[index].descriptor, of: outer, into: &burst.readings[index])
            burst.notes[index].steps |= FrameNote.inTunnel
            guard burst.notes[index].reason == nil else { return }
        }
        // What nobody asks for is judged as a whole, but not three deep: nobody has read what that is.
        if burst.readings[index].carried.depth > Lane.mostTunnels { burst.notes[index].reason = .badTunnel }
    }

    /// How deep policy judges: as deep as Wire reads.
    private static var mostTunnels: UInt8 { @_noLocks get { 2 } }

    /// The verdict on the tunnels around a frame whose inside is judged; `nil` where it may pass. The outermost comes first.
    @_noLocks @inline(never)
    mutating func judgeTunnel(_ index: Int, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict? {
        // A fragment that waits will be judged when it goes on.
        if case .fragment = burst.readings[index].kind, !burst.isResolved(index) { return nil }
        let (inner, key, hash) = (burst.readings[index], burst.notes[index].keys, burst.notes[index].hash)
        let (candidate, steps) = (burst.notes[index].candidate, burst.notes[index].steps)
        burst.notes[index].steps = 0
        var around = Reading()
        guard umem.read(burst.notes[index].descriptor, into: &around) == nil else { return .drop(.badTunnel) }
        while true {
            burst.readings[index] = around
            burst.notes[index].hash = flows.hash(around, keeping: &burst.notes[index].keys)
            burst.notes[index].candidate = flows.candidate(burst.notes[index].hash, isIPv4: around.isIPv4)
            let verdict = judgeHeaders(index, by: policy, at: now)
            // The reading stays the tunnel's, so that its sender is told if policy says so.
            guard case .forward = verdict else { return verdict }
            if around.tunnel.depth &+ 1 >= inner.tunnel.depth { break }
            let outer = around
            guard umem.readInner(burst.notes[index].descriptor, of: outer, into: &around) == nil else { return .drop(.badTunnel) }
        }
        burst.readings[index] = inner
        burst.notes[index].keys = key
        burst.notes[index].hash = hash
        burst.notes[index].candidate = candidate
        burst.notes[index].steps = steps
        return nil
    }

    /// Whether a fragment is of a packet with a tunnel inside, on a pair where insides are judged: those of its parts cannot be.
    @_noLocks
    func isPartOfTunnel(_ index: Int, _ policy: borrowing PolicyInForce) -> Bool {
        policy.snapshot.judgesInside(pair: pair)
            && mayCarry(burst.readings[index].protocolNumber, burst.readings[index].destinationPort)
    }
}

extension UMEM {
    /// The door to `Wire.readInner`; the descriptor was read, so that it lies inside the UMEM.
    @_semantics("no_performance_analysis")
    func readInner(_ descriptor: Descriptor, of outer: Reading, into inner: inout Reading) -> DropReason? {
        unsafe Wire.readInner(
            RawSpan(_unsafeStart: bytes(at: descriptor.address), byteCount: Int(descriptor.length)), of: outer, into: &inner)
    }
}
