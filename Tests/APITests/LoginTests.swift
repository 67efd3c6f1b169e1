// SPDX-License-Identifier: Apache-2.0
import Foundation
import Telemetry
import Testing

@testable import API

@Suite struct Logins {
    /// Writes `/proc/N/stat` files for processes with a name, a parent, a session and a time in ticks.
    private func began(
        _ process: Int32, seen: UInt64 = 1_000_000,
        _ processes: [(number: Int, name: String, parent: Int, session: Int, ticks: UInt64)]
    ) throws -> UInt64? {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "bulkhead-proc-\(UInt32.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: folder) }
        for entry in processes {
            let own = folder.appendingPathComponent(String(entry.number))
            try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
            let text =
                "\(entry.number) (\(entry.name)) S \(entry.parent) \(entry.number) \(entry.session) 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 \(entry.ticks) 1 1\n"
            try text.write(to: own.appendingPathComponent("stat"), atomically: true, encoding: .utf8)
        }
        return Login.began(process: process, seen: seen * 10_000_000, root: folder.path)
    }

    @Test(arguments: ["sshd", "sshd-session"]) func `below an ssh login it is the nearest sshd that counts`(name: String) throws {
        let time = try began(
            40,
            [
                (10, "sshd", 1, 10, 50), (20, name, 10, 20, 500), (30, "bash", 20, 30, 510), (35, "sudo", 30, 30, 900),
                (40, "bulkhead", 35, 30, 901),
            ])
        #expect(time == 5_000_000_000)
    }

    @Test func `without ssh it is the session's leader, whatever its parents`() throws {
        let time = try began(40, [(20, "login", 1, 20, 300), (30, "bash", 20, 20, 310), (40, "bulkhead", 30, 20, 901)])
        #expect(time == 3_000_000_000)
        let tmux = try began(40, [(20, "tmux: server", 1, 20, 300), (30, "bash", 20, 30, 310), (40, "bulkhead", 30, 30, 901)])
        #expect(tmux == 3_100_000_000)
    }

    @Test func `a name with blanks and parentheses hides nothing`() throws {
        let time = try began(40, [(20, "x) S 1 (sshd) ", 1, 20, 300), (40, ") (", 20, 20, 901)])
        #expect(time == 3_000_000_000)
    }

    @Test func `a process that began after it was seen is another one`() throws {
        #expect(try began(40, seen: 900, [(40, "bulkhead", 1, 40, 901)]) == nil)
    }

    @Test func `a process that is not there, or whose leader is gone, has no login`() throws {
        #expect(try began(40, []) == nil)
        #expect(try began(0, []) == nil)
        #expect(try began(40, [(40, "bulkhead", 1, 20, 901)]) == nil)
        // A ring of parents ends.
        #expect(try began(40, [(40, "a", 41, 0, 1), (41, "b", 40, 0, 1)]) == nil)
    }

    @Test func `our own login lies in the past`() throws {
        let now = BootTime.now
        let own = try #require(Login.began(process: getpid(), seen: now))
        #expect(own <= now)
    }
}
