// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Frames copied on a real path, held against what other programs saw at both ends.
    @Suite struct Captures {
        /// A packet as tshark reads it.
        struct Packet {
            let interface, source, destination, number, port, comment: String

            init(_ line: Substring) {
                let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
                func field(_ place: Int) -> String { place < fields.count ? fields[place] : "" }
                (interface, source, destination) = (field(0), field(1), field(2))
                (number, port, comment) = (field(3), field(4), field(5))
            }
        }

        /// How a capture went.
        struct Summary: Decodable {
            let packets, suppressed, lost, undelivered: UInt64
            let why: String
        }

        /// A capture that runs beside the test.
        private func capture(_ lab: Lab, _ words: String...) throws -> (process: Companion, file: URL) {
            let file = lab.folder.appending(path: "seen-\(UInt32.random(in: 0 ... .max)).pcapng")
            let process = try Companion(
                [Requirement.binary, "capture", "--socket", lab.socket, "--json", "--output", file.path] + words, in: lab.folder,
                name: file.lastPathComponent)
            try eventually("a capture", within: 10, every: 0.05) {
                guard process.isRunning else { throw Trouble("the capture has ended: \(process.errors)") }
                return FileManager.default.fileExists(atPath: file.path)
            }
            // Workers look for the order at their next frame, which may be now.
            pause(0.2)
            return (process, file)
        }

        private func finish(_ process: Companion, by number: Int32 = SIGINT) throws -> Summary {
            kill(process.pid, number)
            #expect(try process.waitForEnd(within: 15) == 0, "\(process.errors)")
            return try JSONDecoder().decode(Summary.self, from: Data(process.output.utf8))
        }

        private func packets(_ file: URL, _ filter: String = "") throws -> [Packet] {
            let fields = ["frame.interface_name", "ip.src", "ip.dst", "ip.proto", "tcp.dstport", "frame.comment"]
            let arguments =
                ["tshark", "-r", file.path, "-T", "fields"] + fields.flatMap { ["-e", $0] }
                + (filter.isEmpty ? [] : ["-Y", filter])
            return try Command.run(arguments).split(separator: "\n").map(Packet.init)
        }

        /// tcpdump at a workload's interface.
        private func tcpdump(_ lab: Lab, at workload: Lab.Workload) throws -> (process: Companion, file: URL) {
            let file = lab.folder.appending(path: "dump-\(UInt32.random(in: 0 ... .max)).pcap")
            let process = try Companion(
                workload.namespace.command(["tcpdump", "-i", workload.interface.name, "-Z", "root", "-U", "-w", file.path]),
                in: lab.folder, name: file.lastPathComponent)
            try eventually("tcpdump", within: 10, every: 0.05) { process.errors.contains("listening on") }
            return (process, file)
        }

        @Test func `allowed and denied frames are seen as both ends see them, with the rule that decided`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let (atWeb, atDB) = (try tcpdump(lab, at: lab.web), try tcpdump(lab, at: lab.db))
            let (process, file) = try capture(lab)
            try lab.web.namespace.run("ping", "-n", "-c", "10", "-i", "0.02", "-W", "2", lab.db.ipv4)
            let server = try Transfer.serve(lab, "serve", at: lab.db, address: lab.db.ipv4, port: Lab.allowedPort)
            let sent: Transfer.Outcome = try Transfer.run(
                "send", at: lab.web, address: lab.db.ipv4, port: Lab.allowedPort, 200_000)
            #expect(sent.answer.bytes == 200_000)
            let denied: Transfer.Attempt = try Transfer.run(
                "connect", at: lab.web, address: lab.db.ipv4, port: Lab.deniedPort, 1)
            #expect(!denied.connected)
            try server.end()
            pause(0.5)
            let second = try lab.bulkhead("capture", "--output", "/dev/null")
            #expect(second.code == 1 && second.errors.contains("there is one capture at a time"), "\(second.errors)")
            #expect(try lab.status().conditions?.contains { $0.name == "capture" } == true)
            let summary = try finish(process)
            for dump in [atWeb, atDB] { try dump.process.end() }

            let all = try packets(file)
            #expect(UInt64(all.count) == summary.packets && summary.why == "asked")
            #expect(summary.lost + summary.suppressed + summary.undelivered == 0, "\(summary)")
            for (dump, port) in [(atWeb, "p0"), (atDB, "p1")] {
                for filter in ["icmp", "tcp.port == \(Lab.allowedPort)", "tcp.port == \(Lab.deniedPort)"] {
                    let there = try packets(dump.file, filter).count
                    let here = try packets(file, filter).count { $0.interface.hasPrefix("\(port):") }
                    #expect(here == there && (there > 0 || port == "p1"), "\(port) \(filter): \(here) here, \(there) there")
                }
            }
            let refused = try packets(file, "tcp.dstport == \(Lab.deniedPort)")
            #expect(!refused.isEmpty && refused.allSatisfy { $0.interface == "p0:in" })
            for packet in refused {
                #expect(
                    packet.comment.contains("before verdict: drop (denied)") && packet.comment.contains("shop/web-1 (10.9.0.11:"))
                #expect(
                    packet.comment.contains("ingress: deny, default deny of") && packet.comment.contains("nearest policy shop/db")
                )
            }
            let passed = try packets(file, "tcp.dstport == \(Lab.allowedPort)")
            #expect(Set(passed.map(\.interface)) == ["p0:in", "p1:out"])
            #expect(
                passed.allSatisfy { $0.comment.contains("ingress: allow, policy shop/db rule from-web, tier default") },
                "\(passed.first?.comment ?? "")")
            // Headers only: nothing of what was sent stands in the file.
            let payload = try Command.run(
                "tshark", "-r", file.path, "-T", "fields", "-e", "frame.cap_len", "-Y", "tcp.len > 0")
            #expect(
                !payload.isEmpty && payload.split(separator: "\n").allSatisfy { Int($0) ?? .max <= 74 }, "\(payload.prefix(80))")
            let infos = try Command.run("capinfos", "-T", "-c", "-r", file.path)
            #expect(infos.contains("\(all.count)"), "\(infos)")
            let log = try lab.bulkhead("audit", "list").expectSuccess().output
            #expect(log.contains("capture.begin") && log.contains("capture.end"), "\(log)")
        }

        @Test func `a client that stands still costs no frame on the path`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let (process, _) = try capture(lab, "--rate", "20000", "--frames", "10000000", "--payload")
            kill(process.pid, SIGSTOP)
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 10_000)
            pause(4)
            let arrivals = try stream.finish()
            #expect(arrivals.sent > 10_000 && arrivals.frames.count == arrivals.sent && arrivals.errors == 0)
            kill(process.pid, SIGCONT)
            let summary = try finish(process, by: SIGTERM)
            #expect(summary.undelivered + summary.lost + summary.suppressed > 0, "\(summary)")
            figure("capture with a client that stands still", "\(arrivals.sent) datagrams sent and arrived; \(summary)")
        }

        @Test func `a capture ends with control, its file is whole, and the next control begins another`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let (process, file) = try capture(lab)
            try lab.web.namespace.run("ping", "-n", "-c", "3", "-i", "0.05", "-W", "2", lab.db.ipv4)
            pause(0.3)
            let control = try lab.status().process("control").pid
            kill(control, SIGKILL)
            #expect(try process.waitForEnd(within: 15) == 1, "\(process.errors)")
            #expect(try packets(file, "icmp").count == 12)
            try lab.waitForRestart(of: "control", after: control, within: 20)
            let (next, other) = try capture(lab, "--protocol", "icmp", "--frames", "4", "--sight", "before", "--reason", "denied")
            _ = try Command.attempt(
                lab.db.namespace.command(["ping", "-n", "-c", "6", "-i", "0.05", "-W", "1", lab.web.ipv4]))
            #expect(try next.waitForEnd(within: 15) == 0)
            let seen = try packets(other)
            #expect(seen.count == 4 && seen.allSatisfy { $0.interface == "p1:in" && $0.source == lab.db.ipv4 }, "\(seen)")
        }
    }
}
