// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests.SideBySide {
    /// The metrics page, as Prometheus meets it.
    @Suite struct MetricsPage {
        private static let configuration = """
            api: {tls: {listen: "127.0.0.1:8443", certificate: appliance.pem, key: appliance.key, client-ca: clients.pem}}
            roles:
              - {role: administrator, users: [root]}
              - {role: viewer, certificates: ["CN=prometheus"]}
            """

        @Test func `a page over the unix socket has nothing to complain of`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            try lab.attempt(port: Lab.deniedPort)
            try lab.scan(ports: 2000..<2100)
            pause(1.5)
            let page = lab.folder.appending(path: "page")
            try Command.run("curl", "-sS", "--fail", "--unix-socket", lab.socket, "http://bulkhead/metrics", "-o", page.path)
            let text = try String(contentsOf: page, encoding: .utf8)
            let checked = try Command.attempt(["sh", "-c", "promtool check metrics < '\(page.path)'"])
            #expect(checked.code == 0 && checked.errors.isEmpty, "\(checked.errors)")
            let refused = try lab.quietStatus().flows.refused
            #expect(text.contains("\nbulkhead_flows_refused_total \(refused)\n") && refused >= 101)
            let hits = "bulkhead_rule_hits_total{side=\"ingress\",policy=\"default\",rule=\"(tier)\",decision=\"deny\"}"
            #expect(text.contains(hits), "\(text)")
        }

        @Test func `Prometheus scrapes it over mutual TLS, and its rules are right`() throws {
            let lab = try Lab(.init(configuration: Self.configuration))
            defer { lab.remove() }
            try lab.certify(client: "prometheus")
            try Command.run("ip", "-n", lab.appliance.name, "link", "set", "lo", "up")
            try lab.start()
            try lab.attempt(port: Lab.deniedPort)
            let rules = Requirement.package.appending(path: "examples/prometheus/bulkhead.rules.yml")
            try Command.run("promtool", "check", "rules", rules.path)
            let configuration = lab.folder.appending(path: "prometheus.yml")
            try prometheus(lab, rules).write(to: configuration, atomically: true, encoding: .utf8)
            try Command.run("promtool", "check", "config", configuration.path)
            let prometheus = try Companion(
                lab.appliance.command([
                    "prometheus", "--config.file=\(configuration.path)", "--storage.tsdb.path=\(lab.folder.path)/tsdb",
                    "--web.listen-address=127.0.0.1:9090",
                ]), in: lab.folder, name: "prometheus")
            defer { _ = try? prometheus.end() }
            let took = try eventually("a scraped sample", within: 30, every: 0.5) {
                try value(of: "bulkhead_flows_refused_total", lab).map { $0 >= 1 } ?? false
            }
            #expect(try value(of: "up", lab) == 1)
            #expect(try value(of: "sum(bulkhead_frames_dropped_total{reason=\"denied\"})", lab) ?? 0 >= 1)
            #expect(try value(of: "count(bulkhead_process_up == 1)", lab) == 3)
            figure("Prometheus", "has its first sample after \((took / 1000).short) s")
        }

        private func prometheus(_ lab: Lab, _ rules: URL) -> String {
            """
            global: {scrape_interval: 1s, evaluation_interval: 1s}
            rule_files: [\(rules.path)]
            scrape_configs:
              - job_name: bulkhead
                scheme: https
                tls_config: {ca_file: servers.pem, cert_file: prometheus.pem, key_file: prometheus.key}
                static_configs: [{targets: ["127.0.0.1:8443"]}]

            """
        }

        /// The value of an expression, asked of Prometheus; `nil` while it has none.
        private func value(of expression: String, _ lab: Lab) throws -> Double? {
            let answer = try Command.attempt(
                lab.appliance.command([
                    "curl", "-sS", "--get", "--data-urlencode", "query=\(expression)", "http://127.0.0.1:9090/api/v1/query",
                ]))
            guard answer.code == 0 else { return nil }
            struct Answer: Decodable {
                struct Result: Decodable { let value: Value }
                struct Found: Decodable { let result: [Result] }
                let data: Found
            }
            let found = try JSONDecoder().decode(Answer.self, from: Data(answer.output.utf8))
            return found.data.result.first?.value.number
        }
    }
}

/// A sample: when, and the number as a text.
private struct Value: Decodable {
    let number: Double

    init(from decoder: any Decoder) throws {
        var values = try decoder.unkeyedContainer()
        _ = try values.decode(Double.self)
        number = Double(try values.decode(String.self)) ?? .nan
    }
}
