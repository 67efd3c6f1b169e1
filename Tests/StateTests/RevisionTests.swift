// SPDX-License-Identifier: Apache-2.0
import State
import Testing

@Suite struct Revisions {
    private let state: TemporaryState
    init() throws { state = try TemporaryState() }

    @Test func `a revision comes back as it was added, with number and digest`() throws {
        let store = try state.open()
        let terms = Probation(bootID: "b-1", published: 5, deadline: .max, console: true, maxNewDenies: 3)
        let added = try store.add(
            source: .rollback, returnsTo: 4, actor: .tester, reason: "because", documents: "kind: Policy\n", places: "{}",
            time: 9,
            deadline: 77, probation: terms)
        #expect(added.number == 1)
        #expect(added.digest == "6aeae0c2ca02c71f6bf36bb3d155a3522e246bcacda215c991fa8228d3167fce")
        #expect(added.outcome == .pending)
        #expect(added.probation == terms)
        #expect(try store.revision(1) == added)
        #expect(try store.pending() == added)
        #expect(try store.serving() == nil)
    }

    @Test func `numbers go up without gaps, and survive a closing`() throws {
        do {
            let store = try state.open()
            #expect(try store.add("a").number == 1)
            #expect(try store.add("b").number == 2)
        }
        let store = try state.open()
        #expect(store.damage == nil)
        #expect(try store.add("c").number == 3)
        #expect(try store.revision(2)?.documents == "b")
        #expect(try store.revision(9) == nil)
    }

    @Test func `the latest confirmed one serves, also when a later one is pending or was taken back`() throws {
        let store = try state.open()
        try store.add("a")
        try store.add("b")
        try store.add("c", deadline: 100)
        #expect(try store.serving()?.number == 2)
        try store.settle(3, as: .confirmed)
        #expect(try store.serving()?.number == 3)
        #expect(try store.serving()?.deadline == nil)
        #expect(try store.pending() == nil)
        try store.settle(3, as: .rolledBack)
        #expect(try store.serving()?.number == 2)
        try store.settle(2, as: .refused)
        #expect(try store.serving()?.number == 1)
    }

    @Test func `there is one pending revision at a time`() throws {
        let store = try state.open()
        try store.add("a", deadline: 100)
        #expect(throws: StateError.self) { try store.add("b", deadline: 200) }
        #expect(try store.numbers == [1])
    }

    @Test(arguments: [
        (Revision.Outcome.rolledBack, Revision.Outcome.confirmed), (.refused, .confirmed), (.confirmed, .pending),
        (.confirmed, .confirmed), (.rolledBack, .refused),
    ])
    func `what is over does not begin again`(old: Revision.Outcome, new: Revision.Outcome) throws {
        let store = try state.open()
        try store.add("a", deadline: 100)
        try store.settle(1, as: old)
        #expect(throws: StateError.self) { try store.settle(1, as: new) }
        #expect(try store.revision(1)?.outcome == old)
    }

    @Test func `settling what is not there is an error`() throws {
        let store = try state.open()
        #expect(throws: StateError.self) { try store.settle(7, as: .confirmed) }
    }

    @Test func `history comes from the newest, page by page, without contents`() throws {
        let store = try state.open()
        for index in 1...5 { try store.add("documents \(index)", time: Int64(index)) }
        #expect(try store.history(before: nil, limit: 2).map(\.number) == [5, 4])
        let page = try store.history(before: 4, limit: 2)
        #expect(page.map(\.number) == [3, 2])
        #expect(page.allSatisfy { $0.documents.isEmpty && $0.places.isEmpty && $0.digest.count == 64 })
        #expect(try store.history(before: nil, limit: -1).isEmpty)
    }

    @Test func `the latest of a source is found whatever became of it`() throws {
        let store = try state.open()
        try store.add("f1", source: .files)
        try store.add("f2", source: .files)
        try store.settle(2, as: .refused)
        try store.add("a")
        #expect(try store.latest(from: .files)?.number == 2)
        #expect(try store.latest(from: .rollback) == nil)
    }

    @Test func `old ones beyond the number go, young ones and needed ones stay`() throws {
        let store = try state.open { limits in
            limits.revisions = 3
            limits.revisionAge = 10
        }
        try store.add("files", source: .files, time: 1)
        for index in 2...6 { try store.add("a\(index)", time: 1) }
        for index in 7...9 { try store.add("a\(index)", time: 100) }
        // 1 is the last from the files; 7, 8 and 9 are the last three.
        #expect(try store.numbers == [9, 8, 7, 1])
        for index in 10...14 { try store.add("a\(index)", time: 105) }
        #expect(try store.numbers == [14, 13, 12, 11, 10, 9, 8, 7, 1])
    }

    @Test func `bytes are bounded however young revisions are, and contents go with their revision`() throws {
        var store = try state.open { $0.contents = 10_000 }
        try store.add("serves", time: 1)
        for _ in 2...20 {
            let added = try store.add(String(repeating: "x", count: 2_000), time: 1)
            try store.settle(added.number, as: .refused)
        }
        #expect(try store.numbers == [20, 19, 18, 1])
        #expect(try store.serving()?.documents == "serves")
        _ = consume store
        store = try state.open()
        #expect(store.damage == nil)
    }

    @Test func `one that is too long, or that SQLite would cut, is refused`() throws {
        let store = try state.open { $0.content = 100 }
        #expect(throws: StateError.self) { try store.add(String(repeating: "x", count: 101)) }
        #expect(throws: StateError.self) { try store.add("a\0b") }
        #expect(try store.history(before: nil, limit: 10).isEmpty)
    }

    @Test func `a line that is written with it names its digest`() throws {
        let store = try state.open()
        let added = try store.add(
            source: .applied, returnsTo: nil, actor: .tester, reason: nil, documents: "a", places: "", time: 3, deadline: nil
        ) { AuditEvent("policy.apply", of: "revision \($0.number)", by: $0.actor, .done, old: "before", time: $0.time) }
        let line = try #require(try store.auditLog(before: nil, limit: 1).first)
        #expect(line.object == "revision 1")
        #expect(line.new == added.digest)
        #expect(line.old == "before")
    }
}
