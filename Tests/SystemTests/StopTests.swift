// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests.SideBySide {
    @Suite struct Stop {
        private func opens(_ lab: Lab, _ port: Int) throws -> Bool {
            let attempt: Transfer.Attempt = try Transfer.run("connect", at: lab.web, address: lab.db.ipv4, port: port, 1)
            return attempt.connected
        }

        @Test func `an orderly stop with detach leaves nothing behind`() throws {
            let lab = try Lab(.init(onStop: "detach"))
            defer { lab.remove() }
            let run = try lab.start()
            #expect(try lab.ports.allSatisfy { try $0.hasProgram() })
            kill(run.pid, SIGTERM)
            #expect(try run.waitForEnd(within: 10) == 0)
            #expect(try lab.ports.allSatisfy { try !$0.hasProgram() })
            #expect(lab.appliance.pins == [])
            #expect(lab.appliance.processes == [])
            #expect(!FileManager.default.fileExists(atPath: lab.socket))
            #expect(run.errors.contains("SIGTERM: bulkhead stops") && run.errors.contains("bulkhead has stopped"))
        }

        @Test func `an orderly stop finds workers in the middle of their turns, and data ends without a fault`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let text = lab.configuration.replacingOccurrences(of: "poll: wait", with: "poll: spin")
            try text.write(to: lab.configurationFile, atomically: true, encoding: .utf8)
            let run = try lab.start()
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 5000)
            kill(run.pid, SIGTERM)
            #expect(try run.waitForEnd(within: 10) == 0)
            _ = try stream.finish()
            #expect(!run.errors.contains("killed by signal"), "\(run.errors)")
        }

        @Test func `an orderly stop with keep goes on as declared`() throws {
            for (fail, passes) in [("closed", false), ("open", true)] {
                let lab = try Lab(.init(fail: fail, onStop: "keep"))
                defer { lab.remove() }
                let run = try lab.start()
                let server = try Transfer.serve(lab, "serve", at: lab.db, address: lab.db.ipv4, port: Lab.deniedPort)
                #expect(try !opens(lab, Lab.deniedPort))
                kill(run.pid, SIGTERM)
                #expect(try run.waitForEnd(within: 10) == 0)
                #expect(try lab.ports.allSatisfy { try $0.hasProgram() })
                #expect(lab.appliance.processes == [])
                #expect(try opens(lab, Lab.deniedPort) == passes, "fail: \(fail)")
                // The next start finds what the last one left, and judges again.
                try lab.start()
                #expect(try !opens(lab, Lab.deniedPort))
                try server.end()
            }
        }
    }
}
