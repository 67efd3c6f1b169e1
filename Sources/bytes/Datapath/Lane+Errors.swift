// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Ring
internal import Wire

// ICMP errors. Each speaks of a packet that it quotes, and whoever forges one can reset or slow down connections of others. So an error
// passes only to the sender of a packet that has passed here, in a live flow that policy would allow now: told by a quotation that fits
// the flow, from the side to which that packet went, with a sequence number that is still on its way (RFC 5927, 4 and 5). It belongs to
// no flow itself: it opens none, keeps none alive, and is counted in none.

/// The smallest MTUs that an error may tell: every host takes 576 bytes of IPv4 (RFC 791, 3.1), every link 1280 of IPv6 (RFC 8200, 5), and
/// less would only slow a connection down to a fraction of its speed (RFC 5927, 7).
private enum LeastMTU {
    static var overIPv4: UInt32 { @_noLocks get { 576 } }
    static var overIPv6: UInt32 { @_noLocks get { 1280 } }
}

extension Lane {
    /// Finds the flow that an ICMP error speaks of: its hash and owner. What speaks of none is judged where it came in.
    @_noLocks @inline(never)
    mutating func readQuoted(_ index: Int) {
        var quoted = Reading()
        burst.notes[index].hash = 0
        guard umem.readQuoted(burst.notes[index].descriptor, of: burst.readings[index], into: &quoted) else { return }
        burst.notes[index].hash = flows.hash(quoted)
        if ownerByHash { noteOwner(index) }
    }

    /// The verdict on an ICMP error.
    @_noLocks @inline(never)
    mutating func judgeError(_ index: Int, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict {
        let port = burst.notes[index].port
        // Any router may send one, but nobody in another's name.
        let sender = Sender(burst.readings[index], port: port, pair: pair, policy)
        if let reason = sender.fault(of: burst.readings[index].source, policy) {
            let question = Question(of: burst.readings[index], port: port, policy, pair: pair)
            reporter.refuse(
                burst.readings[index], question, .unasked(reason), reason, port: port, generation: policy.snapshot.generation, now
            )
            return .drop(reason)
        }
        guard maySpeak(index) else { return .drop(.unrelatedICMP) }
        var quoted = Reading()
        guard umem.readQuoted(burst.notes[index].descriptor, of: burst.readings[index], into: &quoted),
            quoted.source == burst.readings[index].destination
        else { return .drop(.unrelatedICMP) }
        let (number, end) = flows.find(quoted, hash: burst.notes[index].hash, candidate: burst.notes[index].candidate)
        guard !number.isNone, hasSent(quoted, from: end, in: flows[number], errorCameBy: port) else {
            return .drop(.unrelatedICMP)
        }
        let isStale = flows.place(of: number)
            .isStale(generation: policy.snapshot.generation, epoch: policy.map.epoch, wall: now.wall, timer: now.seconds)
        if isStale, let reason = judgeAgain(number, policy, now) { return .drop(reason) }
        guard settings.errorsPerSecond == 0 || errors.spend(at: now.nanoseconds) else { return .drop(.errorLimit) }
        return .forward
    }

    /// Whether an error is of a kind that hosts act on for the better. A redirect and a source quench (RFC 6633) serve nobody but who
    /// forges them, neither does an MTU that no link has; one error goes to one host and is whole.
    @_noLocks
    private func maySpeak(_ index: Int) -> Bool {
        guard case .packet = burst.readings[index].kind else { return false }
        guard burst.readings[index].marks.rawValue & Reading.Marks.group.rawValue == 0 else { return false }
        let (isIPv4, type) = (burst.readings[index].isIPv4, burst.readings[index].icmpType)
        if isIPv4, type == 4 || type == 5 { return false }
        guard let mtu = umem.toldMTU(burst.notes[index].descriptor, of: burst.readings[index]) else { return true }
        return isIPv4 ? mtu == 0 || mtu >= LeastMTU.overIPv4 : mtu >= LeastMTU.overIPv6
    }

    /// Whether an end of a flow can have sent the quoted packet: it has sent frames, away from the port that the error came in by, and
    /// of TCP this one is on its way, of ICMP the initiator's are requests and the responder's replies.
    @_noLocks
    private func hasSent(_ quoted: borrowing Reading, from end: FlowEnd, in entry: FlowEntry, errorCameBy port: UInt8) -> Bool {
        let isInitiator = entry.isInitiator(end)
        guard isInitiator == (port != entry.initiatorPort) else { return false }
        // Frames may have wrapped to 0, bytes not with them.
        let isLow = end == .low
        guard isLow ? entry.lowFrames != 0 || entry.lowBytes != 0 : entry.highFrames != 0 || entry.highBytes != 0 else {
            return false
        }
        if quoted.protocolNumber.isICMP {
            return isInitiator == (quoted.marks.rawValue & Reading.Marks.icmpReply.rawValue == 0)
        }
        let isStrict = settings.windows == FlowSettings.Windows.strict.rawValue && settings.isAsymmetric == 0
        guard isStrict, quoted.protocolNumber == .tcp else { return true }
        return entry.isOnItsWay(quoted.sequence, from: end)
    }
}

extension FlowEntry {
    /// The most that an end may have sent before anything of it was acknowledged: a window that no option has scaled yet (RFC 7323, 2.2).
    static var firstWindow: UInt32 { @_noLocks get { 0xffff } }

    /// Whether a TCP segment that begins at a sequence number can be sent and not yet acknowledged: SND.UNA to SND.NXT (RFC 5927, 4.1).
    /// Both ends count: a bare acknowledgement begins behind all that was sent.
    @_noLocks
    func isOnItsWay(_ sequence: UInt32, from end: FlowEnd) -> Bool {
        let own = end == .low ? lowWindow : highWindow
        let other = end == .low ? highWindow : lowWindow
        // Bit 0: it is known what was sent. Bit 3: it is known what was acknowledged.
        guard own.flags & 1 != 0, Int32(bitPattern: own.end &- sequence) >= 0 else { return false }
        guard other.flags & 8 != 0 else { return own.end &- sequence <= FlowEntry.firstWindow }
        return Int32(bitPattern: sequence &- other.acknowledged) >= 0
    }
}

extension UMEM {
    /// The door to `Wire.readQuoted`; the descriptor was read, so that it lies inside the UMEM.
    @_semantics("no_performance_analysis")
    func readQuoted(_ descriptor: Descriptor, of reading: borrowing Reading, into quoted: inout Reading) -> Bool {
        unsafe Wire.readQuoted(
            RawSpan(_unsafeStart: bytes(at: descriptor.address), byteCount: Int(descriptor.length)), of: reading, into: &quoted)
    }

    /// The door to `Wire.toldMTU`.
    @_semantics("no_performance_analysis")
    func toldMTU(_ descriptor: Descriptor, of reading: borrowing Reading) -> UInt32? {
        unsafe Wire.toldMTU(
            RawSpan(_unsafeStart: bytes(at: descriptor.address), byteCount: Int(descriptor.length)), of: reading)
    }
}
