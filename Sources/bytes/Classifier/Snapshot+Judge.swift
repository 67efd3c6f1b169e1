// SPDX-License-Identifier: Apache-2.0
public import Net

extension Snapshot {
    /// What becomes of a connection from one owner to another; `now` is unix seconds.
    ///
    /// Both sides judge by themselves: the source's egress row against the destination's class, the destination's ingress row against
    /// the source's. A workload reaches itself. What no side judges gets the setting of its zone pair, in `Judgement.egress`. Numbers
    /// of another generation are harmless: a class beyond this snapshot's counts as contested, a zone beyond them as zone 0.
    @_noLocks @inlinable public func judge(
        source: Owner, destination: Owner, sourceZone: ZoneNumber, destinationZone: ZoneNumber, service: ServiceKey, now: UInt64
    ) -> Judgement {
        let from = source.classNumber < classTotal ? source.classNumber : contestedClass
        let to = destination.classNumber < classTotal ? destination.classNumber : contestedClass
        var egress: UInt32
        var ingress: UInt32
        if source.workload == destination.workload && source.workload != SnapshotLayout.none {
            egress = itselfRecord
            ingress = itselfRecord
        } else {
            egress = from == contestedClass ? contestedRecord : side(row: classEntry(from).egressRow, peer: to, service)
            ingress = to == contestedClass ? contestedRecord : side(row: classEntry(to).ingressRow, peer: from, service)
            if egress == SnapshotLayout.none && ingress == SnapshotLayout.none {
                egress = zonePair(sourceZone, destinationZone)
            }
        }
        var judgement = Judgement(egress: current(egress, now), ingress: current(ingress, now))
        settle(&judgement)
        return judgement
    }

    /// What becomes of a frame to a group: the source's egress judges, and the pair of zones where that side says nothing. Receivers
    /// of a group have no ingress side, because nobody knows who they are.
    @_noLocks @inlinable public func judgeGroup(
        source: Owner, destination: Owner, sourceZone: ZoneNumber, destinationZone: ZoneNumber, service: ServiceKey, now: UInt64
    ) -> Judgement {
        let from = source.classNumber < classTotal ? source.classNumber : contestedClass
        let to = destination.classNumber < classTotal ? destination.classNumber : contestedClass
        var egress = from == contestedClass ? contestedRecord : side(row: classEntry(from).egressRow, peer: to, service)
        if egress == SnapshotLayout.none { egress = zonePair(sourceZone, destinationZone) }
        var judgement = Judgement(egress: current(egress, now), ingress: SnapshotLayout.none)
        settle(&judgement)
        return judgement
    }

    /// The record of one side, or none where it does not judge.
    @_noLocks @inlinable func side(row: UInt32, peer: ClassNumber, _ service: ServiceKey) -> UInt32 {
        guard row != SnapshotLayout.none else { return SnapshotLayout.none }
        let table = table(row: row, peer: peer)
        guard table != SnapshotLayout.none else { return SnapshotLayout.none }
        return interval(of: tableEntry(table), service)
    }

    /// The table of the peer's class, else of its nearest ancestor that the row names, else none.
    @_noLocks @inlinable func table(row: UInt32, peer: ClassNumber) -> UInt32 {
        let own = probe(row: row, peer: peer)
        if own != SnapshotLayout.none { return own }
        let entry = classEntry(peer)
        var index: UInt32 = 0
        while index < UInt32(entry.ancestorCount) {
            let found = probe(row: row, peer: ancestor(entry.firstAncestor &+ index))
            if found != SnapshotLayout.none { return found }
            index &+= 1
        }
        return SnapshotLayout.none
    }

    /// One look into the hash of rows.
    @_noLocks @inlinable func probe(row: UInt32, peer: ClassNumber) -> UInt32 {
        guard rowEntryTotal > 0 else { return SnapshotLayout.none }
        let mask = rowEntryTotal &- 1
        var slot = spread(row, peer) & mask
        while true {
            let entry = rowEntry(slot)
            if entry.row == row && entry.peer == peer { return entry.table }
            // The check of the image found an empty slot, so this ends.
            if entry.row == SnapshotLayout.none { return SnapshotLayout.none }
            slot = (slot &+ 1) & mask
        }
    }

    /// The record of the last interval that starts at or before the service. The first one starts at 0, so there is one.
    @_noLocks @inlinable func interval(of table: TableEntry, _ service: ServiceKey) -> UInt32 {
        var low = table.first
        var count = table.count
        while count > 1 {
            let half = count >> 1
            let middle = low &+ half
            if intervalEntry(middle).start <= service.rawValue { low = middle }
            count &-= half
        }
        return intervalEntry(low).record
    }

    /// The setting for what no side judges.
    @_noLocks @inlinable func zonePair(_ source: ZoneNumber, _ destination: ZoneNumber) -> UInt32 {
        let from = UInt32(source) < zoneCount ? UInt32(source) : 0
        let to = UInt32(destination) < zoneCount ? UInt32(destination) : 0
        return zonePairRecord(from &* zoneCount &+ to)
    }

    /// The record that decides at this time: a chain of successors has an end, as the check of the image proved.
    @_noLocks @inlinable func current(_ number: UInt32, _ now: UInt64) -> UInt32 {
        guard number != SnapshotLayout.none else { return number }
        var record = number
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
                let until = record.validUntil < UInt64(UInt32.max) ? UInt32(truncatingIfNeeded: record.validUntil) : .max
                if until < judgement.validUntil { judgement.validUntil = until }
                if judgement.inspection == 0 { judgement.inspection = record.inspection }
                if record.flags & SideRecord.stateless != 0 { judgement.isStateless = true }
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
