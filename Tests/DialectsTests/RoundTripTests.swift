// SPDX-License-Identifier: Apache-2.0
import Dialects
import Policy
import PolicyText
import TestSupport
import Testing

/// What `policy import` writes must be what it read.
@Suite struct RoundTrips {
    private let accidental: Set<String> = ["place", "text", "isImported", "isInventoried"]

    private func again(_ set: PolicySet) throws -> PolicySet { try PolicySet(try decode(set.yaml, file: "written.yaml")) }

    private func same(_ set: PolicySet, _ comment: String) throws {
        let again = try again(set)
        #expect(spelled(again, without: accidental) == spelled(set, without: accidental), "\(comment)")
        #expect(again.yaml == set.yaml, "\(comment)")
    }

    @Test func `random clusters are written as native sets that are equal`() throws {
        for seed in 0..<150 {
            var random = RandomClusters(seed: UInt64(9_000_000 + seed))
            try same(try Cluster(ClusterText(writesNull: false).text(random.next())).set, "seed \(9_000_000 + seed)")
        }
    }

    @Test func `names of ports that are words of the language, and accounts that nobody declares, are written too`() throws {
        let port =
            "{name: tcp, containerPort: 6379}, {name: 9p, containerPort: 564}, {name: any, protocol: UDP, containerPort: 7}"
        let text = """
            {apiVersion: v1, kind: ServiceAccount, metadata: {name: declared, namespace: n, labels: {trust: high}}}
            ---
            \(pod("a", "n", "10.0.0.1", ports: port).replacing("containers", with: "serviceAccountName: other, containers"))
            ---
            \(policy("ingress: [{ports: [{port: tcp}, {port: 9p}, {port: any, protocol: UDP}]}], policyTypes: [Ingress]"))
            """
        let set = try Cluster(text).set
        #expect(try again(set).yaml == set.yaml)
        #expect(try again(set).serviceAccounts.keys.sorted().map(\.name) == ["declared", "other"])
        try Cluster(set.yaml).expect(
            "\(w) -> n/a tcp/6379 allow", "\(w) -> n/a tcp/564 allow", "\(w) -> n/a udp/7 allow", "\(w) -> n/a tcp/7 deny")
        #expect(set.workloads.first?.services.keys.sorted() == ["port.9p", "port.any", "port.tcp"])
    }

    @Test func `a namespace that only imported objects name is written with what it allows`() throws {
        let set = try again(try Cluster(pod("a", "n", "10.0.0.1")).set)
        #expect(set.defaultSetting(of: "n", .ingress) == .allow && set.defaultSetting(of: "n", .egress) == .allow)
    }

    @Test func `inventories are written as native sets that are equal`() throws {
        let csv = try Dialect.csv.reader().read(
            "name,namespace,addresses,labels,mac,services\na,n,10.0.0.1;10.0.1.0/24,app=x;note=it's \"so\",02:00:00:00:00:01,all=udp;p=icmp/8"
                .replacing("it's \"so\"", with: "plain"), file: "w.csv")
        try same(try PolicySet(csv.documents), "csv")
        let hosts = try Dialect.ansible.reader().read("[web]\n10.0.2.[1:9] bulkhead_namespace=n\n", file: "hosts")
        try same(try PolicySet(csv.documents + hosts.documents), "ansible")
    }
}
