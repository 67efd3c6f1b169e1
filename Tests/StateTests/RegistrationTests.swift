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
        do { try state.open().register(RegistrationChange(coming: both)) }
        #expect(try state.open().registrations() == [both[1], both[0]])
    }

    @Test func `one of the same name takes the other's place`() throws {
        let store = try state.open()
        try store.register(RegistrationChange(coming: [registration("a", "old")]))
        try store.register(RegistrationChange(coming: [registration("a", "new")]))
        #expect(try store.registrations().map(\.document) == ["new"])
    }

    @Test func `those that are removed are gone, and those that are not there are no error`() throws {
        let store = try state.open()
        try store.register(RegistrationChange(coming: [registration("a"), registration("b")]))
        try store.register(RegistrationChange(going: ["a", "nobody"]))
        #expect(try store.registrations().map(\.name) == ["b"])
    }

    @Test func `beyond the limit none of them is registered, nor is the line written`() throws {
        let store = try state.open { $0.registrations = 2 }
        try store.register(RegistrationChange(coming: [registration("a")]))
        let event = AuditEvent("workload.add", of: "workload b", by: .tester, .done, time: 1)
        #expect(throws: StateError.self) {
            try store.register(RegistrationChange(coming: [registration("b"), registration("c")], lines: [event]))
        }
        #expect(try store.registrations().map(\.name) == ["a"])
        #expect(try store.auditLog(before: nil, limit: 10).isEmpty)
        try store.register(RegistrationChange(coming: [registration("b")], lines: [event]))
        #expect(try store.auditLog(before: nil, limit: 10).map(\.action) == ["workload.add"])
    }

    @Test(arguments: ["", "a\nb", "a\u{202E}b", String(repeating: "n", count: 513), "a\0"])
    func `a name that could not be printed as it is, is refused`(name: String) throws {
        let store = try state.open()
        #expect(throws: StateError.self) { try store.register(RegistrationChange(coming: [registration(name)])) }
    }

    @Test func `a document that is too long is refused`() throws {
        let store = try state.open()
        for document in [String(repeating: "d", count: 65_537), "\0"] {
            #expect(throws: StateError.self) {
                try store.register(RegistrationChange(coming: [registration("a", document)]))
            }
        }
    }

    @Test func `of changes that are made together what is wrong with one keeps none of the others`() throws {
        let store = try state.open { $0.registrations = 3 }
        func change(_ names: [String], going: [String] = []) -> RegistrationChange {
            let line = AuditEvent("workload.add", of: names.joined(separator: "+"), by: .tester, .done, time: 1)
            return RegistrationChange(coming: names.map { registration($0) }, going: going, lines: [line])
        }
        let faults = try store.register(together: [
            change(["a", "b"]), change(["c\n"]), change(["c", "d"]), change(["e"]), change([], going: ["a"]), change(["f"]),
        ])
        #expect(faults.map { $0 == nil } == [true, false, false, true, true, true], "\(faults)")
        #expect(try store.registrations().map(\.name) == ["b", "e", "f"])
        let log = try store.auditLog(before: nil, limit: 10)
        #expect(log.map(\.object) == ["f", "", "e", "a+b"], "\(log)")
        #expect(log.map(\.number) == [4, 3, 2, 1])
    }
}
