// SPDX-License-Identifier: Apache-2.0
internal import Layout
internal import Record

/// Why what keeper sent could not be used.
enum KeeperError: Error, CustomStringConvertible {
    /// Keeper went away before it was asked to.
    case gone
    /// A message came without what belongs to it.
    case incomplete(String)
    /// A memory file is not what it should be.
    case foreign(String)

    var description: String {
        switch self {
        case .gone: "keeper has gone; its own message says why"
        case .incomplete(let what): "keeper sent \(what) without what belongs to it; both must come from one build"
        case .foreign(let what): "keeper's memory of \(what) has another layout; both must come from one build"
        }
    }
}

/// The memory files that keeper shares with control: counters and board for reading, event rings for reading and for their
/// consumers' positions.
struct KeeperFiles: Sendable {
    let counters: SharedMemory
    let board: SharedMemory
    let events: SharedMemory
    /// What is asked of the workers, and their answers.
    let inquiries: Inquiries
    /// The plan as keeper completed it.
    let plan: Plan

    /// Maps what came with `files`, in that order. The descriptors are taken over.
    init(_ descriptors: [Int32]) throws {
        guard descriptors.count == 4 else { throw KeeperError.incomplete("\(descriptors.count) descriptors") }
        counters = try SharedMemory(adopting: descriptors[0], writable: false)
        board = try SharedMemory(adopting: descriptors[1], writable: false)
        events = try SharedMemory(adopting: descriptors[2], writable: true)
        try Self.check(counters, CountersLayout.header, "counters")
        try Self.check(
            board, MemoryHeader(.board, byteCount: BoardLayout.byteCount, geometry: BoardLayout.geometry), "the board")
        // The board was checked to be as long as its layout says.
        plan = unsafe Board(base: board.base).plan
        guard plan.fault == nil, plan.workers <= Plan.maximumWorkers else { throw KeeperError.foreign("the plan") }
        try Self.check(events, EventsLayout(plan).header, "events")
        let (asked, layout) = (try SharedMemory(adopting: descriptors[3], writable: true), InquiriesLayout(plan))
        try Self.check(asked, layout.header, "inquiries")
        inquiries = Inquiries(asked, layout)
    }

    /// Names of all pairs' ports, as keeper numbers them.
    var ports: [[String]] {
        (0..<Int(plan.pairCount)).map { pair in (0..<2).map { plan.pairs[pair].ports[$0].name.description } }
    }

    private static func check(_ memory: SharedMemory, _ header: MemoryHeader, _ what: String) throws(KeeperError) {
        guard memory.byteCount >= Int(header.byteCount) else { throw .foreign(what) }
        // The file is at least as long as a header.
        guard unsafe memory.base.load(as: MemoryHeader.self) == header else { throw .foreign(what) }
    }
}
