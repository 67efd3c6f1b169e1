// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests.SideBySide {
    /// What a keeper makes of what an earlier one has left.
    @Suite struct Adoption {
        /// Whether frames pass; one may be lost where the machine held the worker up.
        private func ping(_ lab: Lab) throws -> Bool {
            try !lab.web.namespace.run("ping", "-n", "-c", "5", "-i", "0.1", "-W", "1", lab.db.ipv4).contains(" 0 received")
        }

        private func lose(_ keeper: Companion) throws {
            kill(keeper.pid, SIGKILL)
            try keeper.waitForEnd(within: 5)
        }

        @Test func `a data process that does not answer the next keeper is replaced`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let first = try lab.start()
            let data = try lab.status().process("data").pid
            try lose(first)
            kill(data, SIGSTOP)
            try lab.start()
            #expect(!isAlive(data))
            #expect(try lab.status().process("data").pid != data)
            #expect(try ping(lab))
        }

        @Test(arguments: ["closed", "open"])
        func `a keeper that died between two steps is finished by the next one`(fail: String) throws {
            let lab = try Lab(.init(fail: fail))
            defer { lab.remove() }
            let first = try lab.start()
            let data = try lab.status().process("data").pid
            try lose(first)
            // As after a kill between the mode word and the sockets: workers run, no frame comes to them, and the word says block.
            let pins = "/sys/fs/bpf/bulkhead/\(lab.appliance.inode)"
            for port in ["p0", "p1"] {
                try Command.run(
                    ["bpftool", "map", "delete", "pinned", "\(pins)/ports/\(port)/sockets", "key"]
                        + Array(repeating: "0", count: 4))
            }
            try Command.run(
                ["bpftool", "map", "update", "pinned", "\(pins)/pairs/wire/mode", "key", "0", "0", "0", "0", "value"]
                    + ["0", "0", "0", "0", "99", "0", "0", "0"])
            try lab.start()
            let status = try lab.status()
            #expect(try status.process("data").pid == data)
            #expect(status.pairs.map(\.mode) == [fail])
            let before = try status.port("p0").received
            #expect(try ping(lab))
            #expect(try lab.quietStatus().port("p0").received > before, "the workers see no frame")
        }

        @Test func `a hand-over to another machine than the one that runs starts it anew`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let first = try lab.start()
            let text = lab.configuration.replacingOccurrences(of: "capacity: 65536", with: "capacity: 131072")
            try text.write(to: lab.configurationFile, atomically: true, encoding: .utf8)
            let second = try lab.start("--take-over")
            #expect(try first.waitForEnd(within: 10) == 0)
            #expect(try lab.status().process("keeper").pid == second.pid)
            #expect(try ping(lab))
        }
    }
}
