// SPDX-License-Identifier: Apache-2.0
import Classifier
import Compiler
import Net
import Policy
import PolicyText
import Replay
import TestSupport
import Testing

@Suite struct Captures {
    let web: Address = "10.9.0.11"
    let database: Address = "10.9.0.21"

    private func tcp(_ flags: TCPFlags, port: UInt16 = 5432, sequence: UInt32 = 1, acknowledgement: UInt32 = 0) -> Packet {
        Ethernet() / IPv4(from: web, to: database)
            / TCP(from: 40000, to: port, flags, sequence: sequence, acknowledgement: acknowledgement)
    }

    private func answer(_ flags: TCPFlags, sequence: UInt32, acknowledgement: UInt32) -> Packet {
        Ethernet() / IPv4(from: database, to: web)
            / TCP(from: 5432, to: 40000, flags, sequence: sequence, acknowledgement: acknowledgement)
    }

    static let documents = """
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: web, namespace: shop, labels: {app: web}}
        spec: {addresses: [10.9.0.11]}
        ---
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: db, namespace: shop, labels: {app: db}}
        spec: {addresses: [10.9.0.21]}
        ---
        apiVersion: bulkhead/v1
        kind: Policy
        metadata: {name: db, namespace: shop}
        spec:
          subject: {}
          isolates: {ingress: all, egress: all}
          rules:
            - {action: allow, from: {selector: 'app == "web"'}, services: [tcp/5432]}
            - {action: allow, to: {selector: 'app == "db"'}, services: [tcp/5432, tcp/22]}
            - {action: reject, from: {}, services: [tcp/22]}
        """

    private static let zoned =
        documents + """

            ---
            apiVersion: bulkhead/v1
            kind: Zone
            metadata: {name: lan}
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: only-lan}
            spec:
              order: 1
              subject: {selector: 'app == "db"'}
              rules:
                - {action: allow, from: {zones: [lan]}, services: [tcp/5432]}
                - {action: deny, from: {}}
            """

    /// Replays a file; the fates, the summary, and what ended it early.
    func replay(
        _ capture: CaptureBytes, _ documents: String? = Self.documents, zones: ZonesOfCapture? = nil
    ) throws -> (fates: [FrameFate], summary: ReplaySummary, fault: ReplayError?) {
        let zones = try zones ?? ZonesOfCapture([], ports: [], implicit: Zone.implicit)
        let policy = try documents.map { try Self.policy($0, zones) }
        return try capture.written { path in
            var replay = try Replay(capture: path, policy: policy, zones: zones, flows: 4096)
            var fates: [FrameFate] = []
            var fault: ReplayError?
            do throws(ReplayError) { try replay.run { fates.append($0) } } catch { fault = error }
            return (fates, replay.summary, fault)
        }
    }

    private static func policy(_ documents: String, _ zones: ZonesOfCapture) throws -> ReplayPolicy {
        let set = try PolicySet(try decode(documents, file: "policy.yaml"))
        var inventory = Inventory()
        let places = zones.placements.map { ZonePlacement(zone: $0.zone, pair: $0.pair, port: $0.port) }
        let compiled = try compile(set, zones: places, generation: 1, inventory: &inventory)
        return try ReplayPolicy(image: compiled.image, addresses: 16) { (writer) throws(AddressMapError) in
            try inventory.feed(compiled.set, into: &writer, afresh: true)
        }
    }

    @Test(arguments: [CaptureBytes.Format.pcap, .pcapng])
    func `a handshake opens a flow whose state goes along with it`(_ format: CaptureBytes.Format) throws {
        var capture = CaptureBytes(format, interfaces: ["lan0"])
        capture.add(tcp([.syn]), at: 0)
        capture.add(answer([.syn, .ack], sequence: 9, acknowledgement: 2), at: 1_000_000)
        capture.add(tcp([.ack], sequence: 2, acknowledgement: 10), at: 2_000_000)
        let result = try replay(capture)
        #expect(result.fates.map(\.verdict) == [.forward, .forward, .forward])
        #expect(result.fates.map(\.state) == ["synSent", "synReceived", "established"])
        #expect(result.fates.allSatisfy { $0.flow == "tcp 10.9.0.11:40000 > 10.9.0.21:5432" })
        #expect(result.summary.flows == 1)
        #expect(
            result.fates[0].json
                == #"{"frame": 1, "verdict": "forward", "flow": "tcp 10.9.0.11:40000 > 10.9.0.21:5432", "state": "synSent"}"#)
    }

    @Test func `a refused connection says why, and a rejected one that its sender is told`() throws {
        var capture = CaptureBytes()
        capture.add(tcp([.syn], port: 80), at: 0)
        capture.add(tcp([.syn], port: 22), at: 1)
        let result = try replay(capture)
        #expect(result.fates.map(\.verdict) == [.drop(.denied), .reject(.denied)])
        #expect(result.fates[1].json == #"{"frame": 2, "verdict": "reject", "reason": "denied"}"#)
        #expect(result.summary.json.contains(#""dropped": {"denied": 2}, "rejected": 1"#))
    }

    @Test func `without policies what can be read is unjudged and what cannot keeps its reason`() throws {
        var capture = CaptureBytes()
        capture.add(tcp([.syn]), at: 0)
        capture.add(answer([.syn, .ack], sequence: 9, acknowledgement: 2), at: 1)
        capture.add(tcp([.syn, .fin]), at: 2)
        let result = try replay(capture, nil)
        #expect(result.fates.map(\.verdict) == [.drop(.unjudged), .drop(.unjudged), .drop(.badTCP)])
    }

    @Test func `a flow that was quiet in capture time has ended`() throws {
        var capture = CaptureBytes()
        capture.add(tcp([.syn]), at: 0)
        capture.add(answer([.syn, .ack], sequence: 9, acknowledgement: 2), at: 3_600_000_000_000)
        #expect(try replay(capture).fates.map(\.verdict) == [.forward, .drop(.notOpening)])
    }

    @Test(arguments: [26, 27, 30, 45, 52, 79, 104] as [UInt64])
    func `a flow is gone after any number of days`(days: UInt64) throws {
        var capture = CaptureBytes()
        capture.add(tcp([.syn]), at: 0)
        capture.add(answer([.syn, .ack], sequence: 9, acknowledgement: 2), at: days * 86_400_000_000_000)
        #expect(try replay(capture).fates.map(\.verdict) == [.forward, .drop(.notOpening)])
    }

    @Test func `time stamps that go back neither end flows nor stop the clock`() throws {
        var capture = CaptureBytes()
        capture.add(tcp([.syn]), at: 5_000_000_000)
        capture.add(answer([.syn, .ack], sequence: 9, acknowledgement: 2), at: 0)
        capture.add(tcp([.ack], sequence: 2, acknowledgement: 10), at: 6_000_000_000)
        #expect(try replay(capture).fates.map(\.verdict) == [.forward, .forward, .forward])
    }

    @Test func `the longest block of the source gives the zone, and an answer meets its flow`() throws {
        let broad = ZonesOfCapture.Assignment(prefix: try #require(Prefix("10.9.0.0/16")), zone: "default")
        let narrow = ZonesOfCapture.Assignment(prefix: try #require(Prefix("10.9.0.11/32")), zone: "lan")
        var capture = CaptureBytes()
        capture.add(tcp([.syn]), at: 0)
        capture.add(answer([.syn, .ack], sequence: 9, acknowledgement: 2), at: 1_000_000)
        let inLAN = try ZonesOfCapture([broad, narrow], ports: [], implicit: Zone.implicit)
        #expect(try replay(capture, Self.zoned, zones: inLAN).fates.map(\.verdict) == [.forward, .forward])
        let elsewhere = try ZonesOfCapture([broad], ports: [], implicit: Zone.implicit)
        #expect(try replay(capture, Self.zoned, zones: elsewhere).fates.map(\.verdict) == [.drop(.denied), .drop(.notOpening)])
    }

    @Test func `an interface of the configuration gives the port where no block does`() throws {
        let ports = [["lan0", "srv0"]]
        let zones = try ZonesOfCapture([], ports: ports, implicit: Zone.implicit)
        var capture = CaptureBytes(.pcapng, interfaces: ["lan0", "srv0", "other"])
        capture.add(tcp([.syn]), at: 0, interface: 0)
        // The answer comes in by the other port; a copy of it by the first one is not its sender's.
        capture.add(answer([.syn, .ack], sequence: 9, acknowledgement: 2), at: 1_000_000, interface: 1)
        capture.add(answer([.syn, .ack], sequence: 9, acknowledgement: 2), at: 2_000_000, interface: 0)
        #expect(try replay(capture, zones: zones).fates.map(\.verdict) == [.forward, .forward, .drop(.spoofed)])
    }

    @Test func `a cut file tells what it holds and then that it is cut`() throws {
        var capture = CaptureBytes()
        capture.add(tcp([.syn]), at: 0)
        capture.add(tcp([.syn]), at: 1)
        capture.bytes.removeLast(10)
        let result = try replay(capture)
        #expect(result.fates.map(\.verdict) == [.forward])
        guard case .cut(_, let frames, _) = result.fault else {
            Issue.record("\(String(describing: result.fault))")
            return
        }
        #expect(frames == 1)
    }

    @Test func `a frame recorded in part is truncated and counted`() throws {
        var capture = CaptureBytes()
        capture.add(tcp([.syn]), at: 0, recorded: 40)
        let result = try replay(capture)
        #expect(result.fates.map(\.verdict) == [.drop(.badLength)])
        #expect(result.summary.shortened == 1)
    }

    @Test func `frames without an Ethernet header are refused by name`() throws {
        let error = #expect(throws: ReplayError.self) { try replay(CaptureBytes(linkType: 101)) }
        guard case .notEthernet(_, let link) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(link == "RAW")
    }

    @Test func `more zones than there are numbers are refused with the limit`() throws {
        let many = (0..<30).map { ZonesOfCapture.Assignment(prefix: Prefix(host: Address(v4: UInt32($0))), zone: "z\($0)") }
        #expect(throws: ReplayError.tooManyZones(31, limit: 22)) {
            try ZonesOfCapture(many, ports: [], implicit: Zone.implicit)
        }
    }
}
