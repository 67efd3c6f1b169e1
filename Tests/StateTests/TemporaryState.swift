// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB

@testable import State

/// A state folder that goes away with the test.
final class TemporaryState {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "bh-state-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Opens it, without syslog and without patience.
    func open(_ change: (inout StateLimits) -> Void = { _ in }, syslog: String? = nil) throws -> StateStore {
        var limits = StateLimits()
        limits.patience = 0
        change(&limits)
        return try StateStore(folder: path, limits: limits, syslog: syslog)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func names(_ prefix: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasPrefix(prefix) }.sorted()
    }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: file(name)))) }

    func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: URL(filePath: file(name))) }

    /// Changes the store as somebody with an editor of databases would.
    func tamper(_ sql: String) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(path: file("state.db"), configuration: configuration)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// Holds the store as a program does that is in the middle of a change.
    func holding(_ sql: String = "", _ body: () throws -> Void) throws {
        let queue = try DatabaseQueue(path: file("state.db"))
        try queue.inTransaction(.exclusive) { database in
            try database.execute(sql: sql)
            try body()
            return .rollback
        }
        try queue.close()
    }

    /// Permissions of a file, without its type.
    func mode(_ name: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int ?? -1
    }
}

extension StateStore {
    /// The numbers of all revisions, from the newest.
    var numbers: [Int64] {
        get throws { try history(before: nil, limit: 1_000).map(\.number) }
    }

    /// Adds a revision about which nothing else matters.
    @discardableResult
    func add(
        _ documents: String, source: Revision.Source = .applied, time: Int64 = 1, deadline: Int64? = nil,
        probation: Probation? = nil
    ) throws -> Revision {
        try add(
            source: source, returnsTo: nil, actor: .tester, reason: nil, documents: documents, places: "[]", time: time,
            deadline: deadline, probation: probation)
    }

    /// Adds a line about which nothing else matters.
    @discardableResult
    func note(_ object: String) throws -> AuditEntry {
        try log(AuditEvent("policy.apply", of: object, by: .tester, .done, time: 1))
    }
}

extension Actor {
    static var tester: Actor { Actor(kind: .unix, name: "ada", uid: 1_000, origin: "process 7") }
}
