// SPDX-License-Identifier: Apache-2.0
import Classifier
import Compiler
import Net
import Policy
import PolicyText
import Testing

@Suite("Failsafe") struct FailsafeTests {
    /// A set that denies everything in every way that there is, to workloads and to nobody's addresses.
    private static let closed = """
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: web, namespace: shop, labels: {app: web}}
        spec: {addresses: [10.0.0.2]}
        ---
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: client, namespace: shop, labels: {app: client}}
        spec: {addresses: [10.0.0.1]}
        ---
        apiVersion: bulkhead/v1
        kind: Tier
        metadata: {name: first}
        spec: {layer: zone, order: -1000}
        ---
        apiVersion: bulkhead/v1
        kind: Policy
        metadata: {name: nothing}
        spec:
          tier: first
          order: -1000
          isolates: {ingress: all, egress: all}
          rules:
            - {action: reject, from: {}}
            - {action: deny, to: {}, services: [everything]}
        """

    private func loaded() throws -> (Loaded, Failsafe) {
        var admins = Term()
        admins.cidrs = ["10.0.0.0/24"].compactMap { Prefix($0) }
        let failsafe = Failsafe(
            addresses: ["192.0.2.1/32"].compactMap { Prefix($0) },
            box: [.init("ssh", services: [ServiceRange(.tcp, ports: 22...22)], from: admins)],
            transit: [.init("dns", services: [ServiceRange(.udp, ports: 53...53)])])
        return (try Loaded(try PolicySet(try decode(Self.closed, file: "closed.yaml")), failsafe: failsafe), failsafe)
    }

    private func connection(_ from: String, _ to: String, _ service: ServiceKey) throws -> Reference.Connection {
        Reference.Connection(
            from: .init(address: try #require(Address(from)), zone: Zone.implicit),
            to: .init(address: try #require(Address(to)), zone: Zone.implicit), service: service, time: 0)
    }

    @Test func `a policy that denies everything cannot close it`() throws {
        let (loaded, failsafe) = try loaded()
        let reference = Reference(loaded.compiled.set, failsafe: failsafe)
        let (ssh, dns) = (ServiceKey(.tcp, port: 22), ServiceKey(.udp, port: 53))
        let open = [
            try connection("10.0.0.1", "192.0.2.1", ssh), try connection("10.0.0.77", "192.0.2.1", ssh),
            try connection("10.0.0.1", "10.0.0.2", dns), try connection("198.51.100.1", "10.0.0.2", dns),
            try connection("198.51.100.1", "198.51.100.2", dns),
        ]
        for connection in open {
            let judgement = loaded.judge(connection)
            #expect(judgement.decision == .allow && judgement.isFailsafe, "\(connection.line)")
            #expect(reference.judge(connection).decision == .allow)
        }
        let closed = [
            try connection("198.51.100.1", "192.0.2.1", ssh), try connection("10.0.0.1", "10.0.0.2", ssh),
            try connection("10.0.0.1", "192.0.2.1", ServiceKey(.tcp, port: 23)),
            try connection("10.0.0.1", "10.0.0.2", ServiceKey(.tcp, port: 53)),
        ]
        for connection in closed {
            let judgement = loaded.judge(connection)
            #expect(judgement.decision != .allow && !judgement.isFailsafe, "\(connection.line)")
            #expect(reference.judge(connection).decision != .allow || reference.judge(connection).egress == nil)
        }
    }

    @Test func `only what an opening decided bears its mark`() throws {
        let set = try PolicySet(try decode(Self.closed, file: "closed.yaml"))
        let without = try Loaded(set)
        #expect(
            (0..<without.snapshot.recordCount).allSatisfy { number in
                without.snapshot.record(UInt32(number)).map { $0.flags & SideRecord.failsafe == 0 } ?? false
            })
        let (with, _) = try loaded()
        let marked = (0..<with.snapshot.recordCount).compactMap { with.snapshot.record(UInt32($0)) }.filter {
            $0.flags & SideRecord.failsafe != 0
        }
        #expect(!marked.isEmpty && marked.allSatisfy { $0.decision == Decision.allow.rawValue })
    }
}
