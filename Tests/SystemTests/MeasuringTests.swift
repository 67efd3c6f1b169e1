// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// `bulkhead lab` as it is called.
    @Suite struct Measuring {
        /// What `lab sink --json` and `lab rtt --json` say at their end, as far as tests read it.
        struct Report: Decodable {
            let frames, numbered, lost, reordered, duplicated: Int
            let ages: Ages?
        }
        struct Ages: Decodable {
            let frames: Int
            let p50, p999: Int
            enum CodingKeys: String, CodingKey { case frames, p50 = "p50_ns", p999 = "p999_ns" }
        }
        struct Sent: Decodable {
            let frames: Int
        }

        /// A wire between two namespaces without addresses, taken away at the end.
        private func withWire(_ body: (_ near: Namespace, _ far: Namespace, _ folder: URL) throws -> Void) throws {
            let name = (ProcessInfo.processInfo.environment["BULKHEAD_LAB_PREFIX"] ?? "bh\(getpid())-") + "m"
            let folder = URL(filePath: "/tmp/\(name)measuring")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let (near, far) = (try Namespace(name + "near"), try Namespace(name + "far"))
            defer {
                for namespace in [near, far] { namespace.remove() }
                try? FileManager.default.removeItem(at: folder)
            }
            for namespace in [near, far] { try namespace.shell("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6") }
            let single = ["numrxqueues", "1", "numtxqueues", "1"]
            try Command.run(
                ["ip", "-n", near.name, "link", "add", "eth0"] + single + [
                    "type", "veth", "peer", "name", "eth0", "netns", far.name,
                ]
                    + single)
            for namespace in [near, far] {
                try Command.run("ip", "-n", namespace.name, "link", "set", "eth0", "up")
                try namespace.run("ethtool", "-K", "eth0", "gro", "on")
            }
            try body(near, far, folder)
        }

        private func lab(_ words: String...) -> [String] { [Requirement.binary, "lab"] + words }

        private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
            try JSONDecoder().decode(type, from: Data((text.split(separator: "\n").last ?? "").utf8))
        }

        @Test func `100,000 frames over a wire are counted exactly`() throws {
            try withWire { near, far, folder in
                let sink = try Companion(
                    far.command(lab("sink", "eth0", "--frames", "100000", "--json", "--ages")), in: folder, name: "sink")
                try sink.waitForLine(#"{"state":"listening"}"#, within: 10)
                let words = lab(
                    "send", "eth0", "--to", "02:00:00:00:00:02", "--flows", "10000", "--frames", "100000", "--rate", "200000",
                    "--json")
                let sent = try decode(Sent.self, try Command.run(near.command(words)))
                #expect(sent.frames == 100_000)
                try #expect(sink.waitForEnd(within: 10) == 0)
                let report = try decode(Report.self, sink.output)
                #expect(report.frames == 100_000 && report.numbered == 100_000)
                #expect(report.lost == 0 && report.reordered == 0 && report.duplicated == 0)
                #expect(report.ages?.frames == 100_000)
            }
        }

        @Test func `round trips come back to who sent them`() throws {
            try withWire { near, far, folder in
                let reflector = try Companion(far.command(lab("reflect", "eth0")), in: folder, name: "reflect")
                try reflector.waitForLine("listening", within: 10)
                let words = lab("rtt", "eth0", "--to", "02:00:00:00:00:02", "--frames", "5000", "--rate", "10000", "--json")
                let report = try decode(Report.self, try Command.run(near.command(words)))
                #expect(report.numbered == 5000 && report.lost == 0)
                let ages = try #require(report.ages)
                #expect(ages.frames == 5000 && ages.p50 > 0 && ages.p999 >= ages.p50)
                #expect(try reflector.end().contains("5000 of them sent back"))
                figure("round trip over a veth", "p50 \(ages.p50) ns, p99.9 \(ages.p999) ns")
            }
        }

        @Test func `a port with an address is refused with exit code 1, wrong usage with 2`() throws {
            try withWire { near, _, _ in
                try Command.run("ip", "-n", near.name, "address", "add", "192.0.2.1/24", "dev", "eth0")
                for words in [
                    lab("sink", "eth0"), lab("reflect", "eth0"), lab("send", "eth0", "--to", "02:00:00:00:00:02"),
                    lab("rtt", "eth0", "--to", "02:00:00:00:00:02"),
                ] {
                    let refused = try Command.attempt(near.command(words))
                    #expect(refused.code == 1 && refused.errors.contains("has an address"), "\(refused)")
                }
                let missing = try Command.attempt(near.command(lab("sink", "eth7")))
                #expect(missing.code == 1 && missing.errors.contains("there is no port eth7"))
                for words in [
                    lab("sink"), lab("send", "eth0"), lab("send", "eth0", "--to", "02:00"),
                    lab("send", "eth0", "--to", "02:00:00:00:00:02", "--flows", "0"),
                    lab("send", "eth0", "--to", "02:00:00:00:00:02", "--rate", "0"),
                    lab("send", "eth0", "--to", "02:00:00:00:00:02", "--vlan", "4095"),
                ] {
                    let refused = try Command.attempt(near.command(words))
                    #expect(refused.code == 2, "\(words): \(refused)")
                }
            }
        }

        @Test func `help teaches, and size and flows that cannot be are told with what can`() throws {
            let help = try Command.run(lab("--help"))
            #expect(help.contains("lab sink eth1") && help.contains("Exit codes"))
            try withWire { near, _, _ in
                let words = lab("send", "eth0", "--to", "02:00:00:00:00:02", "--frames", "1")
                let small = try Command.attempt(near.command(words + ["--size", "59"]))
                #expect(small.code == 1 && small.errors.contains("choose --size 60 to 1514"))
                let many = try Command.attempt(near.command(words + ["--source", "198.18.0.1", "--flows", "60001"]))
                #expect(many.code == 1 && many.errors.contains("60000"))
            }
        }
    }
}
