// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Record
import TestSupport
import Testing

@Suite("Rules without state") struct StatelessTests {
    /// The client may speak to the web server's port 8080 without a flow; what comes back needs a rule of its own.
    private func bench(withWayBack: Bool) throws -> PairBench {
        try PairBench(
            PairShape(),
            .town {
                var record = SideRecord()
                record.flags = SideRecord.stateless
                let number = UInt32($0.records.count)
                $0.records.append(record)
                let (client, web) = (SmallPolicy.ownClass(clients), SmallPolicy.ownClass(webs))
                $0.ingress(of: web, from: client, ServiceKey.tcp(8080), number)
                guard withWayBack else { return $0.ingress(of: client, from: web, ServiceKey.tcp(1), number) }
                $0.ingress(of: client, from: web, ServiceKey.tcp(40000), number)
            })
    }

    private let connection = Connection(source: 40000, port: 8080)

    @Test func `every segment of a connection is judged by itself, each way by its own rule, and leaves no flow`() throws {
        let bench = try bench(withWayBack: true)
        try bench.expectForwarded(connection.syn)
        try bench.expectForwarded(connection.synAck, port: 1)
        try bench.expectForwarded(connection.ack)
        try bench.expectForwarded(connection.request)
        try bench.expectForwarded(connection.answer, port: 1)
        #expect(bench.worker.counters.flows == 0 && bench.worker.counters.passedUntracked == 0)
        #expect(bench.fault == nil)
    }

    @Test func `without a rule for the way back nothing comes back, and what has state opens by a SYN alone as ever`() throws {
        let bench = try bench(withWayBack: false)
        try bench.expectForwarded(connection.request)
        try bench.expectDropped(connection.answer, .notOpening, port: 1)
        try bench.expectDropped(Connection().request, .notOpening)
        #expect(bench.worker.counters.flows == 0)
    }
}
