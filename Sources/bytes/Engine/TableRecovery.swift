// SPDX-License-Identifier: Apache-2.0
internal import Flow
internal import Net

/// A table of either family that is being taken over. Closures and no protocol, so that each is compiled for its family's keys: through a
/// witness the reading of ten million entries took seconds.
struct RecoverableTable: Sendable {
    let parts: Int
    let readEntries: @Sendable (Int) -> Void
    let readIndex: @Sendable (Int) -> Void
    let conclude: @Sendable () -> FlowTableOutcome

    init<Key: FlowKey>(_ recovery: FlowTableRecovery<Key>) {
        parts = recovery.parts
        readEntries = { recovery.readEntries($0) }
        readIndex = { recovery.readIndex($0) }
        conclude = { recovery.conclude() }
    }
}

/// Where a flow table lies, and whose it is.
@safe struct TablePlace: @unchecked Sendable {
    let pair: Int
    let worker: Int
    let isIPv4: Bool
    let base: UnsafeMutableRawPointer
    let capacity: Int
    let secret: HashSecret

    /// Whether no table was ever laid out here: fresh memory is zero.
    var isBlank: Bool { unsafe UnsafeRawBufferPointer(start: base, count: FlowTableHeader.size).allSatisfy { $0 == 0 } }

    /// An empty table, whatever is there now.
    func format() {
        if isIPv4 {
            unsafe FlowTable<FlowKey4>.format(base: base, capacity: capacity)
        } else {
            unsafe FlowTable<FlowKey6>.format(base: base, capacity: capacity)
        }
    }

    /// What takes over the table that is there; `nil` where there is none of this kind, size and secret.
    func recovery(parts: Int) -> RecoverableTable? {
        isIPv4 ? recovery(FlowKey4.self, parts) : recovery(FlowKey6.self, parts)
    }

    private func recovery<Key: FlowKey>(_: Key.Type, _ parts: Int) -> RecoverableTable? {
        guard let table = unsafe FlowTable<Key>(base: base, capacity: capacity, secret: secret) else { return nil }
        return FlowTableRecovery(table, parts: parts).map(RecoverableTable.init)
    }
}

/// The tables of all pairs, made ready for workers that follow killed ones, or nobody. All tables are read at the same time, and each in
/// parts, because until it is done nothing passes.
struct TableRecovery {
    /// A table that could not be taken over.
    struct Refusal {
        let place: TablePlace
        let why: String
    }

    /// Entries that are worth a part of their own.
    static let entriesPerPart = 65_536

    private let threads: Int
    private var tables: [(place: TablePlace, recovery: RecoverableTable)] = []
    private var empty: [TablePlace] = []
    private var refusals: [Refusal] = []

    /// For these tables, on so many threads.
    init(_ places: [TablePlace], threads: Int) {
        self.threads = threads
        for place in places {
            // Several to each thread, so that one which is held up does not hold up all; a small table is not worth it.
            let parts = min(threads * 2, place.capacity / Self.entriesPerPart)
            if place.isBlank {
                empty.append(place)
            } else if let recovery = place.recovery(parts: parts) {
                tables.append((place, recovery))
            } else {
                refuse(place, "its header is none of this table's")
            }
        }
    }

    /// Takes over what can be and lays out empty tables in place of the rest; those that were refused.
    mutating func run() -> [Refusal] {
        var undecided = tables
        while !undecided.isEmpty {
            let outcomes = read(undecided.map(\.recovery))
            for (table, outcome) in zip(undecided, outcomes) {
                if case .refused(let contradictions) = outcome {
                    refuse(table.place, "\(contradictions) contradictions, more than a kill leaves")
                }
            }
            undecided = zip(undecided, outcomes).filter { $0.1 == .again }.map(\.0)
        }
        let empty = empty
        Parallel.forEach(empty.count, threads: threads) { empty[$0].format() }
        return refusals
    }

    /// Reads all of these tables once and says what has become of them.
    private func read(_ open: [RecoverableTable]) -> [FlowTableOutcome] {
        let parts = open.flatMap { table in (0..<table.parts).map { (table, $0) } }
        Parallel.forEach(parts.count, threads: threads) { parts[$0].0.readEntries(parts[$0].1) }
        Parallel.forEach(parts.count, threads: threads) { parts[$0].0.readIndex(parts[$0].1) }
        return Parallel.map(open.count, threads: threads) { open[$0].conclude() }
    }

    private mutating func refuse(_ place: TablePlace, _ why: String) {
        empty.append(place)
        refusals.append(Refusal(place: place, why: why))
    }
}
