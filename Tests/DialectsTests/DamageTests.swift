// SPDX-License-Identifier: Apache-2.0
import Dialects
import Policy
import PolicyText
import TestSupport
import Testing

/// Foreign texts come from anywhere.
@Suite struct DamagedImports {
    private static let ini = """
        a ansible_host=10.0.0.1 bulkhead_labels='x=y;z=w'
        [web]
        w[01:10:2]:22 bulkhead_services=http=tcp/80 # why
        [web:vars]
        bulkhead_zones = lan;dmz
        [top:children]
        web
        """
    private static let csv = "name,labels,addresses,services\n\"a\"\"b\",x=1;y=,10.0.0.1;fd00::1,http=tcp/80\nc,,10.0.0.0/8,\n"
    private static let yaml = """
        all:
          vars: {bulkhead_label_vars: [env], env: x}
          children: {web: {hosts: {"w[1:3]": {bulkhead_services: {a: tcp/1}}}}}
        """
    private static let kubernetes =
        pods
        + policy(
            "policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: web}]}]")

    private func damaged(_ text: String, _ random: inout PacketRandom) -> String {
        String(decoding: random.mutated(Array(text.utf8)), as: UTF8.self)
    }

    @Test(arguments: Dialect.allCases) func `damaged texts are read or refused, never more`(dialect: Dialect) throws {
        let seed = UInt64.random(in: 0...999_999)
        print("seed \(seed)")
        var random = PacketRandom(seed: seed)
        var refused = 0
        for round in 0..<2_000 {
            do throws(PolicyError) {
                switch (dialect, round % 2) {
                case (.csv, _): _ = try PolicySet(try dialect.reader().read(damaged(Self.csv, &random), file: "f").documents)
                case (.ansible, 0):
                    _ = try PolicySet(try dialect.reader(isLossy: true).read(damaged(Self.ini, &random), file: "f").documents)
                case (.ansible, _):
                    let dialects = [dialect.reader(isLossy: true, isAlone: true)]
                    _ = try PolicySet(try decode(damaged(Self.yaml, &random), file: "f", dialects: dialects))
                default:
                    _ = try PolicySet(try decode(damaged(Self.kubernetes, &random), file: "f", dialects: Dialect.readers()))
                }
            } catch {
                refused += 1
            }
        }
        #expect(refused > 200)
    }
}
