// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests.SideBySide {
    @Suite struct FailedStart {
        @Test func `a start that fails on its second port takes the program off the first`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let folder = "/sys/fs/bpf/bulkhead/\(lab.appliance.inode)/ports/p1"
            try Command.run("mkdir", "-p", folder)
            // No link, but at its place: found out when the first port has its program already.
            try Command.run(
                "bpftool", "map", "create", folder + "/link", "type", "array", "key", "4", "value", "4", "entries", "1", "name",
                "other")
            let run = try lab.launch()
            #expect(try run.waitForEnd(within: 20) == 1)
            #expect(run.errors.contains(folder + "/link"))
            #expect(try lab.ports.allSatisfy { try !$0.hasProgram() })
            #expect(lab.appliance.pins == ["ports", "ports/p1", "ports/p1/link"])
            #expect(lab.appliance.processes == [])
        }

        @Test func `a start that asks for what a port cannot do leaves no program, pin or process behind`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            // No veth can do zero-copy here.
            let text = lab.configuration.replacingOccurrences(of: "copy: auto", with: "copy: zero-copy")
            try text.write(to: lab.configurationFile, atomically: true, encoding: .utf8)
            let run = try lab.launch()
            #expect(try run.waitForEnd(within: 20) == 1)
            #expect(run.errors.contains("zero-copy"))
            #expect(try lab.ports.allSatisfy { try !$0.hasProgram() })
            #expect(lab.appliance.pins == [])
            #expect(lab.appliance.processes == [])
        }
    }
}
