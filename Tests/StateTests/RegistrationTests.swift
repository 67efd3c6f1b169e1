// SPDX-License-Identifier: Apache-2.0
import State
import Testing

@Suite struct Registrations {
    private let state: TemporaryState
    init() throws { state = try TemporaryState() }

    private func registration(_ name: String, _ document: String = "kind: Workload", lease: Int64? = nil) -> Registration {
        Registration(name: name, document: document, actor: .tester, since: 5, leaseUntil: lease)
    }

    @Test func `they come back by name as they were registered, also after a closing`() throws {
        let both = [registration("shop/web", lease: 9), registration("shop/db")]
        do { try state.open().register(both) }
        #expect(try state.open().registrations() == [both[1], both[0]])
    }

    @Test func `one of the same name takes the other's place`() throws {
        let store = try state.open()
        try store.register([registration("a", "old")])
        try store.register([registration("a", "new")])
        #expect(try store.registrations().map(\.document) == ["new"])
    }

    @Test func `those that are removed are gone, and those that are not there are no error`() throws {
        let store = try state.open()
        try store.register([registration("a"), registration("b")])
        try store.unregister(["a", "nobody"])
        #expect(try store.registrations().map(\.name) == ["b"])
    }

    @Test func `beyond the limit none of them is registered, nor is the line written`() throws {
        let store = try state.open { $0.registrations = 2 }
        try store.register([registration("a")])
        let event = AuditEvent("workload.add", of: "workload b", by: .tester, .done, time: 1)
        #expect(throws: StateError.self) {
            try store.register([registration("b"), registration("c")], auditing: [event])
        }
        #expect(try store.registrations().map(\.name) == ["a"])
        #expect(try store.auditLog(before: nil, limit: 10).isEmpty)
        try store.register([registration("b")], auditing: [event])
        #expect(try store.auditLog(before: nil, limit: 10).map(\.action) == ["workload.add"])
    }

    @Test(arguments: ["", "a\nb", "a\u{202E}b", String(repeating: "n", count: 513), "a\0"])
    func `a name that could not be printed as it is, is refused`(name: String) throws {
        let store = try state.open()
        #expect(throws: StateError.self) { try store.register([registration(name)]) }
    }

    @Test func `a document that is too long is refused`() throws {
        let store = try state.open()
        #expect(throws: StateError.self) { try store.register([registration("a", String(repeating: "d", count: 65_537))]) }
        #expect(throws: StateError.self) { try store.register([registration("a", "\0")]) }
    }
}
