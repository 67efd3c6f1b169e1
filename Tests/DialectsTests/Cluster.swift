// SPDX-License-Identifier: Apache-2.0
import Analysis
import Dialects
import Foundation
import Policy
import PolicyText
import Testing

/// A compiled document set that can be asked.
struct Cluster {
    let set: PolicySet
    let session: ProbeSession

    /// Documents of every language, as `--policies` takes them.
    init(_ text: String) throws {
        set = try PolicySet(try decode(text, file: "cluster.yaml", dialects: Dialect.readers()))
        session = try ProbeSession(set: set, generation: 1)
    }

    /// What a connection gets: `tcp/80`, `icmp`, `47`.
    func ask(_ from: String, _ to: String, _ service: String = "tcp/80") throws -> String {
        let parts = service.split(separator: "/").map(String.init)
        let carrier = Int(parts[0]) == nil ? "\"\(parts[0])\"" : parts[0]
        let port = parts.count == 2 ? ", \"port\": \(parts[1])" : ""
        let line = "{\"from\": \"\(from)\", \"to\": \"\(to)\", \"protocol\": \(carrier)\(port)}"
        let answer = session.answer(line: line, now: 1_800_000_000)
        let fields = try #require(try JSONSerialization.jsonObject(with: Data(answer.json.utf8)) as? [String: Any])
        return try #require(fields["decision"] as? String, "\(answer.json)")
    }

    /// Expects what each line says: `n/b -> n/a tcp/80 deny`; without a service it is TCP port 80.
    func expect(_ lines: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            let service = words.count == 5 ? words[3] : "tcp/80"
            let decision = try ask(words[0], words[2], service)
            #expect(decision == words[words.count - 1], "\(line)", sourceLocation: sourceLocation)
        }
    }
}

/// Pods a and b in n, c in m, both namespaces declared; w stands for an address outside.
let pods = """
    apiVersion: v1
    kind: Namespace
    metadata: {name: n, labels: {team: n}}
    ---
    apiVersion: v1
    kind: Namespace
    metadata: {name: m, labels: {team: m}}
    ---
    \(pod("a", "n", "10.0.0.1", labels: "app: a"))
    ---
    \(pod("b", "n", "10.0.0.2", labels: "app: b"))
    ---
    \(pod("c", "m", "10.0.1.1", labels: "app: c"))
    ---

    """

/// An address of nobody.
let w = "192.0.2.1"

/// A pod in one line of YAML.
func pod(_ name: String, _ namespace: String, _ address: String, labels: String = "", ports: String = "") -> String {
    "{apiVersion: v1, kind: Pod, metadata: {name: \(name), namespace: \(namespace), labels: {\(labels)}}, "
        + "spec: {containers: [{name: c, ports: [\(ports)]}]}, status: {phase: Running, podIP: \"\(address)\"}}"
}

/// A policy in n whose spec is this.
func policy(_ spec: String, name: String = "p") -> String {
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: \(name), namespace: n}, spec: {\(spec)}}"
}
