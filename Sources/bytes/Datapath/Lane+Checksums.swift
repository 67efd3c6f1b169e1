// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Record
internal import Ring
internal import Wire

// A frame whose transport has a wrong checksum will be thrown away by the host that it is for; did it open, move or end a flow before
// that, sender and receiver would disagree with us (a reset that only we believe hides the rest of a connection). So it ends here, before
// anything is looked up. A checksum that was left to a NIC is completed where it lies, so that whatever comes later sees the frame
// that leaves.

extension Lane {
    /// Whether the bytes of the frames in hand are asked for ahead: where each byte is going to be read, and a frame has many. Its lines lie
    /// in the cache of the processor that received it, so that a sum over them would wait for the first few of each frame.
    @_noLocks @inline(always)
    func asksAhead(_ terms: PlainTerms?) -> Bool { burst.areLong && terms?.verifiesChecksum == true }

    /// Asks for the bytes of a frame that is read two frames later: one later comes too late, all at once is more than a processor keeps
    /// under way (perf/README.md has the figures).
    @_noLocks @inline(always)
    func askAhead(of index: Int, _ count: Int, _ notes: ColumnView<FrameNote>) {
        let later = index &+ 2
        if later < count { umem.prefetchRest(notes[later].descriptor) }
    }

    /// Checks the transport's checksum of a readable frame; leaves a reason where the frame must not go on.
    @_noLocks @inline(always)
    mutating func verifyChecksum(_ index: Int) {
        let descriptor = burst.notes[index].descriptor
        // The worker that received it has done so, and has completed what it found partial.
        guard burst.notes[index].reason == nil, !descriptor.isVerified else { return }
        let tunnels = burst.readings[index].carried.kind.number | burst.readings[index].tunnel.kind.number
        guard tunnels == 0 else { return verifyNested(index) }
        let state = umem.checksumState(descriptor, PacketExtent(burst.readings[index]), cyclic)
        if state == .right || state == .absent { return }
        refuseOrComplete(index, state)
    }

    /// The rare two: a packet's checksum is wrong or partial.
    @_noLocks @inline(never)
    private mutating func refuseOrComplete(_ index: Int, _ state: ChecksumState) {
        guard state == .partial else {
            burst.notes[index].reason = .badTransportChecksum
            return
        }
        guard settings.partialChecksums == FlowSettings.Partial.complete.rawValue else {
            burst.notes[index].reason = .partialChecksum
            return
        }
        umem.completeChecksum(burst.notes[index].descriptor, PacketExtent(burst.readings[index]), cyclic)
        unsafe counters.pointee.completedChecksums &+= 1
    }

    /// Of a packet in a tunnel, or one that carries another: each of its headers that can be read.
    @_noLocks @inline(never)
    private mutating func verifyNested(_ index: Int) {
        let completes = settings.partialChecksums == FlowSettings.Partial.complete.rawValue
        let nested = umem.settleChecksums(burst.notes[index].descriptor, burst.readings[index], completes: completes, cyclic)
        if nested.isWrong {
            burst.notes[index].reason = .badTransportChecksum
        } else if nested.isPartial {
            burst.notes[index].reason = .partialChecksum
        } else if nested.isCompleted {
            unsafe counters.pointee.completedChecksums &+= 1
        }
    }
}

extension Descriptor {
    /// The bit of `options` for a verified checksum: beside the port's, and that of frames whose fragments were resolved.
    private static var verifiedBit: UInt32 { @_noLocks get { 4 } }

    /// Whether the worker that received the frame has verified its checksum, for the way between workers.
    var isVerified: Bool { @_noLocks get { options & Descriptor.verifiedBit != 0 } }

    /// The same frame, noted as verified.
    @_noLocks
    func verified() -> Descriptor { Descriptor(address: address, length: length, options: options | Descriptor.verifiedBit) }
}

/// What the checksums of packets in one another come to.
private struct NestedChecksums: BitwiseCopyable {
    /// One of a packet that is judged, or of one around it, is wrong.
    var isWrong = false
    /// One is partial, and must not be completed.
    var isPartial = false
    /// Something was written.
    var isCompleted = false
}

// The doors to the bytes. The frame was read, so its descriptor lies in the UMEM.

extension UMEM {
    /// What the checksum of a packet in the frame is.
    @_semantics("no_performance_analysis")
    fileprivate func checksumState(
        _ descriptor: Descriptor, _ extent: PacketExtent, _ cyclic: CRC32C
    ) -> ChecksumState {
        unsafe Wire.checksumState(
            of: extent, in: RawSpan(_unsafeStart: bytes(at: descriptor.address), byteCount: Int(descriptor.length)), cyclic)
    }

    /// Writes the right checksum into the packet.
    @_semantics("no_performance_analysis")
    fileprivate func completeChecksum(_ descriptor: Descriptor, _ extent: PacketExtent, _ cyclic: CRC32C) {
        let start = unsafe bytes(at: descriptor.address)
        let length = Int(descriptor.length)
        guard let right = unsafe rightChecksum(of: extent, in: RawSpan(_unsafeStart: start, byteCount: length), cyclic)
        else { return }
        var frame = unsafe MutableRawSpan(_unsafeStart: start, byteCount: length)
        right.write(into: &frame)
    }

    /// Settles the checksums of a packet and of those in it, innermost first. Below the packet that `reading` describes, which is the
    /// one that policy judges, nothing is held against a frame; but what is partial there needs completing as well.
    ///
    /// The order is the sender's. Where it left an inner checksum to its NIC, it has worked out the outer one as if that were right
    /// already ("local checksum offload", Linux' checksum-offloads.rst), so that completing the inner one makes the outer one right. Where the
    /// outer one was right before, it has to follow the change.
    @_semantics("no_performance_analysis")
    fileprivate func settleChecksums(
        _ descriptor: Descriptor, _ reading: Reading, completes: Bool, _ cyclic: CRC32C
    ) -> NestedChecksums {
        var result = NestedChecksums()
        var (readings, states) = (InlineArray<3, Reading>(repeating: reading), InlineArray<3, ChecksumState>(repeating: .absent))
        if reading.tunnel.depth != 0, read(descriptor, into: &readings[0]) != nil { return result }
        var count = 1
        while count < 3, readings[count &- 1].carried.kind.number != 0 {
            var inner = Reading()
            guard readInner(descriptor, of: readings[count &- 1], into: &inner) == nil else { break }
            readings[count] = inner
            count &+= 1
        }
        for level in 0..<count { states[level] = checksumState(descriptor, PacketExtent(readings[level]), cyclic) }
        for level in (0..<count).reversed() {
            if result.isCompleted, states[level] == .wrong {
                states[level] = checksumState(descriptor, PacketExtent(readings[level]), cyclic)
            }
            if states[level] == .wrong, level <= Int(reading.tunnel.depth) { result.isWrong = true }
            if states[level] == .partial, !completes { result.isPartial = true }
            guard completes, states[level] == .partial || (result.isCompleted && states[level] == .right) else { continue }
            completeChecksum(descriptor, PacketExtent(readings[level]), cyclic)
            result.isCompleted = true
        }
        return result
    }
}
