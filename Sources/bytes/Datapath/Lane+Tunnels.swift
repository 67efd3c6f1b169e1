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
            burst.reasons[index] = umem.readInner(burst.descriptors[index], of: outer, into: &burst.readings[index])
            burst.steps[index] |= BurstNotes.inTunnel
            guard burst.reasons[index] == nil else { return }
        }
        // What nobody asks for is judged as a whole, but not three deep: nobody has read what that is.
        if burst.readings[index].carried.depth > Lane.mostTunnels { burst.reasons[index] = .badTunnel }
    }

    /// How deep policy judges: as deep as Wire reads.
    private static var mostTunnels: UInt8 { @_noLocks get { 2 } }

    /// The verdict on the tunnels around a frame whose inside is judged; `nil` where it may pass. The outermost comes first.
    @_noLocks @inline(never)
    mutating func judgeTunnel(_ index: Int, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict? {
        // A fragment that waits will be judged when it goes on.
        if case .fragment = burst.readings[index].kind, !burst.isResolved(index) { return nil }
        let (inner, key, hash) = (burst.readings[index], burst.keys[index], burst.hashes[index])
        let (candidate, steps) = (burst.candidates[index], burst.steps[index])
        burst.steps[index] = 0
        var around = Reading()
        guard umem.read(burst.descriptors[index], into: &around) == nil else { return .drop(.badTunnel) }
        while true {
            burst.readings[index] = around
            burst.hashes[index] = flows.hash(around, keeping: &burst.keys[index])
            burst.candidates[index] = flows.candidate(burst.hashes[index], isIPv4: around.isIPv4)
            let verdict = judgeHeaders(index, by: policy, at: now)
            // The reading stays the tunnel's, so that its sender is told if policy says so.
            guard case .forward = verdict else { return verdict }
            if around.tunnel.depth &+ 1 >= inner.tunnel.depth { break }
            let outer = around
            guard umem.readInner(burst.descriptors[index], of: outer, into: &around) == nil else { return .drop(.badTunnel) }
        }
        burst.readings[index] = inner
        burst.keys[index] = key
        burst.hashes[index] = hash
        burst.candidates[index] = candidate
        burst.steps[index] = steps
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
