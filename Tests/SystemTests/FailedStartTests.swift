// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    @Suite struct FailedStart {
        @Test func `a start that fails on a port leaves no program, pin or process behind`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            // No veth can do zero-copy here: the sockets fail, when both ports have their program already.
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
