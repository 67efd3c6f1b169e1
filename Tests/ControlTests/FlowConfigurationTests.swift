// SPDX-License-Identifier: Apache-2.0
import Classifier
import Control
import Layout
import Net
import Policy
import Testing

/// `flows`, `checksums`, `replies` and `icmp-errors`.
@Suite struct FlowConfigurations {
    private static let pair = "pairs: [{name: edge, ports: [left, right]}]\n"

    private func read(_ text: String) throws -> FlowSettings {
        let configuration = try Configuration.read(Self.pair + text, file: "/etc/bulkhead/b.yaml")
        #expect(configuration.flows.isPossible)
        return configuration.flows
    }

    @Test func `what the file does not say has the settings' defaults`() throws {
        for text in [
            "", "flows: {}\nchecksums: {}\n", "flows: {capacity: 4096}\n", "flows: {timeouts: {}, tcp: {}, fragments: {}}\n",
        ] {
            #expect(try read(text) == FlowSettings())
        }
    }

    /// A key with a value, and what it sets.
    struct Row: Sendable, CustomTestStringConvertible {
        let text: String
        let change: @Sendable (inout FlowSettings) -> Void
        var testDescription: String { text }
        init(_ text: String, _ change: @escaping @Sendable (inout FlowSettings) -> Void) {
            (self.text, self.change) = (text, change)
        }
    }

    private static let rows: [Row] = [
        Row("flows: {half-open: 1}") { $0.waitingShare = 10 },
        Row("flows: {half-open: 100}") { $0.waitingShare = 1000 },
        Row("flows: {when-full: pass}") { $0.whenFull = FlowSettings.WhenFull.pass.rawValue },
        Row("flows: {when-full: deny}") { $0.whenFull = FlowSettings.WhenFull.deny.rawValue },
        Row("flows: {reserved: 0}") { $0.reservedFlows = 0 },
        Row("flows: {reserved: 32768}") { $0.reservedFlows = 32_768 },
        Row("flows: {reserved: 65536, capacity: 524288}") { $0.reservedFlows = 65_536 },
        Row("flows: {per-source: {rate: 100, burst: 1000}}") { ($0.sourceRate, $0.sourceBurst) = (100, 1000) },
        Row("flows: {per-source: {rate: 10000000}}") { ($0.sourceRate, $0.sourceBurst) = (10_000_000, 10_000_000) },
        Row("flows: {per-source: {rate: 0}}") { ($0.sourceRate, $0.sourceBurst) = (0, 0) },
        Row("flows: {tcp: {pick-up: never}}") { $0.pickUp = FlowSettings.PickUp.never.rawValue },
        Row("flows: {tcp: {pick-up: restart}}") { $0.pickUp = FlowSettings.PickUp.restart.rawValue },
        Row("flows: {tcp: {pick-up: always, grace: 1h}}") {
            ($0.pickUp, $0.graceSeconds) = (FlowSettings.PickUp.always.rawValue, 3600)
        },
        Row("flows: {tcp: {windows: loose}}") { $0.windows = FlowSettings.Windows.loose.rawValue },
        Row("flows: {tcp: {windows: strict, asymmetric: false}}") { $0.isAsymmetric = 0 },
        Row("flows: {tcp: {windows: loose, asymmetric: true}}") { ($0.windows, $0.isAsymmetric) = (1, 1) },
        Row("flows: {tcp: {asymmetric: true}}") { $0.isAsymmetric = 1 },
        Row("flows: {fragments: {timeout: 2m, datagrams: 1, held: 1024}}") {
            ($0.fragmentTimeout, $0.fragmentDatagrams, $0.fragmentFrames) = (FlowTimeouts.ticks(seconds: 120), 1, 1024)
        },
        Row("checksums: {verify: false}") { $0.verifiesChecksums = 0 },
        Row("checksums: {verify: true, partial: refuse}") { $0.partialChecksums = FlowSettings.Partial.refuse.rawValue },
        Row("checksums: {partial: complete}") { $0.partialChecksums = FlowSettings.Partial.complete.rawValue },
        Row("replies: {per-second: 0}") { $0.repliesPerSecond = 0 },
        Row("replies: {per-second: 1000000}") { $0.repliesPerSecond = 1_000_000 },
        Row("icmp-errors: {per-second: 0}") { $0.errorsPerSecond = 0 },
        Row("icmp-errors: {per-second: 5}") { $0.errorsPerSecond = 5 },
    ]

    @Test(arguments: rows) func `each key sets its own, and nothing else`(row: Row) throws {
        var expected = FlowSettings()
        row.change(&expected)
        #expect(try read(row.text + "\n") == expected)
    }

    @Test func `each timeout has a key, up to twenty days`() throws {
        for (name, path) in FlowTimeouts.names {
            for (text, seconds) in [("1s", 1), ("124m", 7440), ("20d", 1_728_000)] as [(String, UInt32)] {
                var expected = FlowSettings()
                expected.timeouts[keyPath: path] = FlowTimeouts.ticks(seconds: seconds)
                #expect(try read("flows: {timeouts: {\(name): \(text)}}\n") == expected)
            }
            let error = #expect(throws: PolicyError.self) { try read("flows: {timeouts: {\(name): 21d}}\n") }
            #expect(error?.message == "flows.timeouts.\(name) must be 1s to 20d, not 21d")
        }
    }

    @Test(arguments: [
        ("flows: {half-open: 0}", 20, "flows.half-open must be a whole number from 1 to 100"),
        ("flows: {half-open: 101}", 20, "flows.half-open must be a whole number from 1 to 100"),
        ("flows: {half-open: 2.5}", 20, "flows.half-open must be a whole number"),
        ("flows: {when-full: drop}", 20, "flows.when-full must be one of deny, pass, not \"drop\""),
        ("flows: {reserved: -1}", 19, "flows.reserved must be a whole number from 0 to 65536"),
        ("flows: {reserved: 32769}", 19, "more than an eighth of the 262144 flows that a worker has"),
        ("flows: {reserved: 129, capacity: 1024}", 19, "reserve at most 128"),
        ("flows: {per-source: {burst: 5}}", 21, "needs the key \"rate\""),
        ("flows: {per-source: {rate: 10000001}}", 28, "flows.per-source.rate must be a whole number from 0 to 10000000"),
        ("flows: {per-source: {rate: 5, burst: 0}}", 38, "flows.per-source.burst must be a whole number from 1 to 10000000"),
        ("flows: {per-source: {rate: 0, burst: 5}}", 38, "means nothing at a rate of 0"),
        ("flows: {per-source: {rates: 5}}", 22, "did you mean \"rate\"?"),
        ("flows: {timeouts: {tcp-openings: 5s}}", 20, "did you mean \"tcp-opening\"?"),
        ("flows: {timeouts: {icmp: 30}}", 26, "flows.timeouts.icmp must be a length of time, and 30 has no unit; write 30s"),
        ("flows: {timeouts: {icmp: 0s}}", 26, "flows.timeouts.icmp must be 1s to 20d, not 0s"),
        ("flows: {timeouts: {icmp: 2h4m}}", 26, "flows.timeouts.icmp must be a whole number with a unit"),
        ("flows: {tcp: {pick-up: sometimes}}", 24, "never, restart, always"),
        ("flows: {tcp: {grace: 61m}}", 22, "flows.tcp.grace must be 1s to 1h, not 61m"),
        ("flows: {tcp: {windows: lose}}", 24, "did you mean \"loose\"?"),
        ("flows: {tcp: {windows: strict, asymmetric: true}}", 24, "windows cannot be strict where only one direction is seen"),
        ("flows: {tcp: {asymmetric: 1}}", 27, "flows.tcp.asymmetric must be true or false"),
        ("flows: {tcp: {pickup: never}}", 15, "did you mean \"pick-up\"?"),
        ("flows: {fragments: {timeout: 3m}}", 30, "flows.fragments.timeout must be 1s to 2m, not 3m"),
        ("flows: {fragments: {datagrams: 0}}", 32, "flows.fragments.datagrams must be a whole number from 1 to 1024"),
        ("flows: {fragments: {held: 1025}}", 27, "flows.fragments.held must be a whole number from 1 to 1024"),
        ("flows: {fragments: {frames: 5}}", 21, "flows.fragments has no key \"frames\""),
        ("checksums: {verify: yes}", 21, "checksums.verify must be true or false"),
        ("checksums: {partial: drop}", 22, "checksums.partial must be one of complete, refuse"),
        ("checksums: {verify: false, partial: refuse}", 37, "partial checksums cannot be refused where none is looked at"),
        ("checksum: {verify: true}", 1, "did you mean \"checksums\"?"),
        ("replies: {per-second: 1000001}", 23, "replies.per-second must be a whole number from 0 to 1000000"),
        ("replies: {}", 10, "replies needs the key \"per-second\""),
        ("replies: 5", 10, "replies must be a mapping"),
        ("icmp-errors: {per-second: -1}", 27, "icmp-errors.per-second must be a whole number from 0 to 1000000"),
        ("icmp-errors: {rate: 1}", 15, "icmp-errors has no key \"rate\""),
    ])
    func `what is not understood or out of range is refused in its place`(text: String, column: Int, message: String) throws {
        let error = #expect(throws: PolicyError.self) { try read(text + "\n") }
        #expect(error?.place == Place(file: "/etc/bulkhead/b.yaml", line: 2, column: column), "\(error?.description ?? "")")
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `with several pairs a worker has its share of the capacity, and an eighth of that to reserve`() throws {
        let pairs = "pairs: [{name: a, ports: [a, b]}, {name: b, ports: [c, d]}]\n"
        #expect(throws: PolicyError.self) {
            try Configuration.read(pairs + "flows: {capacity: 16384, reserved: 1025}\n", file: "/etc/b.yaml")
        }
        #expect(
            try Configuration.read(pairs + "flows: {capacity: 16384, reserved: 1024}\n", file: "/etc/b.yaml").flows.reservedFlows
                == 1024)
        #expect(try Configuration.read(pairs + "flows: {capacity: 1024}\n", file: "/etc/b.yaml").flows == FlowSettings())
    }

    @Test func `a reload brings what the file says now, and a mistake in it keeps what was`() async throws {
        let configuration = "pairs: [{name: edge, ports: [left, right]}]\npolicies: [set.yaml]\nrun: run\n"
        let code = try await withControl(configuration: configuration) { keeper in
            try keeper.obey()
            let (first, before) = try #require(keeper.next())
            #expect(try settings(in: before) == FlowSettings())
            try keeper.send(Message(.inForce, first.arguments[0]))
            try keeper.write(configuration + "checksums: {partial: refused}\n", to: "bulkhead.yaml")
            try keeper.send(Message(.reload))
            #expect(keeper.hears("nothing was changed: generation 1 stays"))
            #expect(keeper.next(within: .zero) == nil)
            try keeper.write(configuration + "flows: {timeouts: {icmp: 5s}}\nchecksums: {partial: refuse}\n", to: "bulkhead.yaml")
            try keeper.send(Message(.reload))
            let (second, after) = try #require(keeper.next())
            var expected = FlowSettings()
            expected.timeouts.icmp = FlowTimeouts.ticks(seconds: 5)
            expected.partialChecksums = FlowSettings.Partial.refuse.rawValue
            #expect(try settings(in: after) == expected)
            try keeper.send(Message(.inForce, second.arguments[0]))
            try keeper.send(Message(.stop))
        }
        #expect(code == 0)
    }
}

/// What a published image says of connections.
private func settings(in descriptors: [Int32]) throws -> FlowSettings {
    let image = try SharedMemory(adopting: descriptors[0], writable: false)
    let map = try SharedMemory(adopting: descriptors[1], writable: false)
    defer { withExtendedLifetime((image, map)) {} }
    return try unsafe Snapshot(validating: image.base, byteCount: image.byteCount).flowSettings
}
