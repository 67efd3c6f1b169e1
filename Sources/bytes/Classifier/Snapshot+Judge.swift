// SPDX-License-Identifier: Apache-2.0
public import Net

extension Snapshot {
    /// What becomes of a connection from one owner to another; `now` is unix seconds, `sourcePort` is asked only of protocols that
    /// have ports.
    ///
    /// Both sides judge by themselves: the source's egress row against the destination's class, the destination's ingress row against
    /// the source's. A workload reaches itself. What no side judges gets the setting of its zone pair, in `Judgement.egress`. Numbers
    /// of another generation are harmless: a class beyond this snapshot's counts as contested, a zone beyond them as zone 0.
    @_noLocks @inlinable public func judge(
        source: Owner, destination: Owner, sourceZone: ZoneNumber, destinationZone: ZoneNumber, service: ServiceKey,
        sourcePort: UInt16, now: UInt64
    ) -> Judgement {
        if source.workload == destination.workload && source.workload != SnapshotLayout.none {
            return judgement(itselfRecord, itselfRecord, now)
        }
        let from = source.classNumber < classTotal ? source.classNumber : contestedClass
        let to = destination.classNumber < classTotal ? destination.classNumber : contestedClass
        let (subject, peer) = (rowsOf(from), rowsOf(to))
        // Both sides' lines are asked for before either is read, so that their ways overlap.
        touchRow(subject.egress, to)
        touchRow(peer.ingress, from)
        var egress =
            from == contestedClass
            ? contestedRecord : side(subject.egress, to, service, sourcePort)
        let ingress =
            to == contestedClass
            ? contestedRecord : side(peer.ingress, from, service, sourcePort)
        if egress == SnapshotLayout.none && ingress == SnapshotLayout.none {
            egress = zonePair(sourceZone, destinationZone)
        }
        return judgement(egress, ingress, now)
    }

    /// What becomes of a frame to a group: the source's egress judges, and the pair of zones where that side says nothing. Receivers
    /// of a group have no ingress side, because nobody knows who they are.
    @_noLocks @inlinable public func judgeGroup(
        source: Owner, destination: Owner, sourceZone: ZoneNumber, destinationZone: ZoneNumber, service: ServiceKey,
        sourcePort: UInt16, now: UInt64
    ) -> Judgement {
        let from = source.classNumber < classTotal ? source.classNumber : contestedClass
        let to = destination.classNumber < classTotal ? destination.classNumber : contestedClass
        let subject = rowsOf(from)
        var egress =
            from == contestedClass
            ? contestedRecord : side(subject.egress, to, service, sourcePort)
        if egress == SnapshotLayout.none { egress = zonePair(sourceZone, destinationZone) }
        return judgement(egress, SnapshotLayout.none, now)
    }

    /// Asks for what a row says of a peer first.
    @_noLocks @inlinable @inline(__always) func touchRow(_ row: Row, _ peer: ClassNumber) {
        if row.lines > 0 { touchFilter(row.first &+ PeerLine.home(of: peer, lines: row.lines)) }
    }

    /// The record word of one side, or none where it does not judge.
    @_noLocks @inlinable @inline(__always) func side(
        _ row: Row, _ peer: ClassNumber, _ service: ServiceKey, _ sourcePort: UInt16
    ) -> UInt32 {
        guard row.lines > 0 else { return SnapshotLayout.none }
        let table = table(row, peer)
        guard table != 0 else { return SnapshotLayout.none }
        let word = interval(table &- 1, service.rawValue)
        return RecordWord.isSplit(word) ? interval(word & RecordWord.number, UInt32(sourcePort)) : word
    }

    /// One more than the first interval of the table of the peer's class, else of its nearest ancestor that the row names, else 0.
    @_noLocks @inlinable @inline(__always) func table(_ row: Row, _ peer: ClassNumber) -> UInt32 {
        var found = probe(row, peer)
        let count = ancestorCount(peer)
        var index = 0
        while found == 0 {
            if index == count { return 0 }
            let above = ancestor(of: peer, index)
            found = above == root ? row.root : probe(row, above)
            index &+= 1
        }
        return found
    }

    /// One look into a row.
    @_noLocks @inlinable @inline(__always) func probe(_ row: Row, _ peer: ClassNumber) -> UInt32 {
        var number = PeerLine.home(of: peer, lines: row.lines)
        guard mayName(row.first &+ number, peer) else { return 0 }
        var left = row.lines
        while left > 0 {
            let line = peerLine(row.first &+ number)
            let found = line.table(of: peer)
            if found != 0 || line.hasRoom { return found }
            number = number &+ 1 == row.lines ? 0 : number &+ 1
            left &-= 1
        }
        return 0
    }

    /// The word of the last interval that starts at or before the key. The first one starts at 0, so there is one.
    @_noLocks @inlinable @inline(__always) func interval(_ table: UInt32, _ key: UInt32) -> UInt32 {
        var low = table
        var count = intervalEntry(table).start
        while count > 1 {
            let half = count >> 1
            let middle = low &+ half
            if intervalEntry(middle).start <= key { low = middle }
            count &-= half
        }
        return intervalEntry(low).record
    }

    /// The judgement of both sides' words. Where neither record has more to say than its decision, neither is read.
    @_noLocks @inlinable @inline(__always) func judgement(_ egress: UInt32, _ ingress: UInt32, _ now: UInt64) -> Judgement {
        let first = egress == SnapshotLayout.none ? RecordWord.plain : egress
        let second = ingress == SnapshotLayout.none ? RecordWord.plain : ingress
        if first & second & RecordWord.plain != 0 {
            var judgement = Judgement(
                egress: egress == SnapshotLayout.none ? egress : egress & RecordWord.number,
                ingress: ingress == SnapshotLayout.none ? ingress : ingress & RecordWord.number)
            let decision = first >> 30 != 0 ? first >> 30 : second >> 30
            judgement.decision = decision == 0 ? .allow : decision == 2 ? .reject : .deny
            judgement.change = .reevaluate
            return judgement
        }
        return slowly(egress, ingress, now)
    }

    /// The judgement where a record says more: audit, an end, a change mode, a mark.
    @_noLocks @inlinable @inline(never) func slowly(_ egress: UInt32, _ ingress: UInt32, _ now: UInt64) -> Judgement {
        var judgement = Judgement(egress: current(egress, now), ingress: current(ingress, now))
        settle(&judgement)
        return judgement
    }

    /// The setting for what no side judges.
    @_noLocks @inlinable func zonePair(_ source: ZoneNumber, _ destination: ZoneNumber) -> UInt32 {
        let from = UInt32(source) < zoneCount ? UInt32(source) : 0
        let to = UInt32(destination) < zoneCount ? UInt32(destination) : 0
        return zonePairRecord(from &* zoneCount &+ to)
    }

    /// The record that decides at this time: a chain of successors has an end, as the check of the image proved.
    @_noLocks @inlinable func current(_ word: UInt32, _ now: UInt64) -> UInt32 {
        guard word != SnapshotLayout.none else { return word }
        var record = word & RecordWord.number
        while sideRecord(record).validUntil <= now && sideRecord(record).successor != SnapshotLayout.none
            && sideRecord(record).validUntil != .max
        {
            record = sideRecord(record).successor
        }
        return record
    }

    /// Merges both records into the judgement.
    @_noLocks @inlinable func settle(_ judgement: inout Judgement) {
        var audited = false
        var wouldBe: UInt8 = 0
        var rank: UInt8 = 0
        var number = judgement.egress
        var decision: UInt8 = 0
        var turn = 0
        while turn < 2 {
            if number != SnapshotLayout.none {
                let record = sideRecord(number)
                if decision == 0 && record.decision != 0 {
                    decision = record.decision
                    judgement.reason =
                        record.flags & SideRecord.contested != 0
                        ? .contested : record.flags & SideRecord.unjudged != 0 ? .unjudged : .denied
                }
                audited = audited || record.audit != .max
                if wouldBe == 0 { wouldBe = record.audit != .max ? record.audit : record.decision }
                let stops = record.flags & SideRecord.lease != 0 ? record.flowsUntil : record.validUntil
                let until = stops < UInt64(UInt32.max) ? UInt32(truncatingIfNeeded: stops) : .max
                if until < judgement.validUntil { judgement.validUntil = until }
                if judgement.inspection == 0 { judgement.inspection = record.inspection }
                if record.flags & SideRecord.stateless != 0 { judgement.isStateless = true }
                if record.flags & SideRecord.logged != 0 { judgement.isLogged = true }
                if record.flags & SideRecord.failsafe != 0 { judgement.isFailsafe = true }
                if record.replySeconds > judgement.replySeconds { judgement.replySeconds = record.replySeconds }
                let strictness = record.strictness
                if strictness > rank { rank = strictness }
                if record.change == 2 && record.drainSeconds < judgement.drainSeconds {
                    judgement.drainSeconds = record.drainSeconds
                }
            }
            number = judgement.ingress
            turn &+= 1
        }
        judgement.decision = decision == 0 ? .allow : decision == 2 ? .reject : .deny
        judgement.auditDecision = audited ? wouldBe : .max
        judgement.change = rank == 3 ? .reset : rank == 2 ? .reevaluate : rank == 1 ? .drain : .keep
    }
}

extension SideRecord {
    /// The change mode by strictness: keep 0, drain 1, re-evaluate 2, reset 3.
    @inlinable var strictness: UInt8 {
        @_noLocks get { change == 0 ? 2 : change == 1 ? 0 : change == 2 ? 1 : 3 }
    }
}
