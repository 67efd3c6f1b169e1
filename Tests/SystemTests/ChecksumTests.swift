// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests.SideBySide {
    /// Transport checksums of real stacks, which work them out or leave them to a device that is not there, and of frames by hand.
    @Suite struct Checksums {
        /// What a workload's stack does with checksums, and what the appliance does with partial ones.
        struct Setting: Sendable, CustomTestStringConvertible {
            let offloads: Bool
            let partial: String
            var testDescription: String { "tx \(offloads ? "on" : "off"), partial: \(partial)" }
        }

        private static func lab(_ setting: Setting) throws -> Lab {
            let lab = try Lab(
                .init(offloadsChecksums: setting.offloads, configuration: "checksums: {partial: \(setting.partial)}"))
            try lab.start()
            return lab
        }

        @Test(arguments: [
            Setting(offloads: true, partial: "complete"), Setting(offloads: false, partial: "complete"),
            Setting(offloads: false, partial: "refuse"),
        ])
        func `TCP and UDP work whoever works out the sums, over both families`(_ setting: Setting) throws {
            let lab = try Self.lab(setting)
            defer { lab.remove() }
            for family in [Lab.Family.ipv4, .ipv6] {
                let target = lab.db.address(family)
                let server = try Transfer.serve(lab, "serve", at: lab.db, address: target, port: Lab.allowedPort)
                let sent: Transfer.Outcome = try Transfer.run(
                    "send", at: lab.web, address: target, port: Lab.allowedPort, 5_000_000)
                #expect(sent.answer.bytes == 5_000_000 && sent.answer.sha256 == sent.sha256)
                try server.end()
                let echo = try Transfer.serve(lab, "echo", at: lab.db, address: target, port: Lab.allowedPort)
                let echoes: Transfer.Echoes = try Transfer.run("ask", at: lab.web, address: target, port: Lab.allowedPort, 300)
                #expect(echoes.answered == 300)
                try echo.end()
            }
            let status = try lab.quietStatus()
            status.expectBalance()
            #expect(status.dropped("badTransportChecksum") == 0 && status.dropped("partialChecksum") == 0)
            // Each of the 1,200 datagrams and answers at least, and nothing where stacks do their own work.
            let completed = status.checksums.completed
            #expect(setting.offloads ? completed >= 1200 : completed == 0, "\(completed)")
            figure("checksums, \(setting.testDescription)", "\(completed) completed")
        }

        @Test func `where partial ones are refused nothing of a stack that leaves them passes, and the counter says why`() throws
        {
            let lab = try Self.lab(Setting(offloads: true, partial: "refuse"))
            defer { lab.remove() }
            let server = try Transfer.serve(lab, "serve", at: lab.db, address: lab.db.ipv4, port: Lab.allowedPort)
            let attempt: Transfer.Attempt = try Transfer.run(
                "connect", at: lab.web, address: lab.db.ipv4, port: Lab.allowedPort, 2)
            #expect(!attempt.connected)
            let status = try lab.quietStatus()
            #expect(status.dropped("partialChecksum") > 0 && status.flows.used == 0)
            // An echo's checksum has no pseudo-header: its sender works it out.
            let said = try lab.web.namespace.run("ping", "-n", "-c", "3", "-i", "0.05", "-W", "2", lab.db.ipv4)
            #expect(said.contains("3 received"), "\(said)")
            try server.end()
        }

        @Test func `a frame with a wrong sum opens nothing, and its twin with the right one passes`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            func datagram(_ checksum: Checksum) -> Packet {
                Ethernet(from: "02:00:00:00:00:0b", to: "02:00:00:00:00:15") / IPv4(from: "10.9.0.11", to: "10.9.0.21")
                    / UDP(from: 40000, to: UInt16(Lab.allowedPort), checksum: checksum) / Payload("who?")
            }
            let wrong = try Frames.cross([datagram(.wrong)], lab, from: lab.web, to: lab.db)
            #expect(wrong.arrived.isEmpty && wrong.drops == ["badTransportChecksum": 1])
            #expect(wrong.after.flows.used == wrong.before.flows.used)
            let right = try Frames.cross([datagram(.right)], lab, from: lab.web, to: lab.db)
            #expect(right.isExactly([datagram(.right)]) && right.drops.isEmpty)
            #expect(right.after.flows.used == right.before.flows.used + 1)
        }

        @Test func `a reload changes what becomes of them`() throws {
            let lab = try Self.lab(Setting(offloads: false, partial: "refuse"))
            defer { lab.remove() }
            let partial =
                Ethernet(from: "02:00:00:00:00:0b", to: "02:00:00:00:00:15") / IPv4(from: "10.9.0.11", to: "10.9.0.21")
                / UDP(from: 40000, to: UInt16(Lab.allowedPort), checksum: .partial) / Payload("who?")
            #expect(try Frames.cross([partial], lab, from: lab.web, to: lab.db).drops == ["partialChecksum": 1])
            let before = try lab.status().generation
            var text = try String(contentsOf: lab.configurationFile, encoding: .utf8)
            text = text.replacing("partial: refuse", with: "partial: complete")
            try text.write(to: lab.configurationFile, atomically: true, encoding: .utf8)
            kill(lab.runs[0].pid, SIGHUP)
            try eventually("the next generation", within: 10) { try lab.status().generation > before }
            let outcome = try Frames.cross([partial], lab, from: lab.web, to: lab.db)
            let whole =
                Ethernet(from: "02:00:00:00:00:0b", to: "02:00:00:00:00:15") / IPv4(from: "10.9.0.11", to: "10.9.0.21")
                / UDP(from: 40000, to: UInt16(Lab.allowedPort)) / Payload("who?")
            #expect(outcome.isExactly([whole]) && outcome.drops.isEmpty)
        }
    }
}
