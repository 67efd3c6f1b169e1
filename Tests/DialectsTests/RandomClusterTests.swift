// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Random clusters, imported, compiled and probed, against the model that was written from the documentation.
@Suite struct RandomNetworkPolicies {
    @Test(arguments: 0..<4) func `what is imported decides as the documentation says`(part: Int) throws {
        let rounds = ProcessInfo.processInfo.environment["BULKHEAD_ROUNDS"].flatMap(Int.init) ?? 500
        for round in 0..<rounds {
            let seed = UInt64(part * 1_000_000 + round)
            var random = RandomClusters(seed: seed)
            let small = random.next()
            let text = ClusterText(writesNull: round % 2 == 0).text(small)
            let cluster = try Cluster(text)
            for _ in 0..<12 {
                let connection = random.connection(in: small)
                // What no pod has a part in is the zones' matter, which deny here.
                let expected = small.allows(connection) ?? false ? "allow" : "deny"
                let service =
                    Int(connection.carrier) != nil || connection.carrier == "icmp"
                    ? connection.carrier : "\(connection.carrier.lowercased())/\(connection.port)"
                let answer = try cluster.ask(dotted(connection.source), dotted(connection.destination), service)
                #expect(answer == expected, "seed \(seed): \(connection)\n\(text)")
            }
        }
    }
}
