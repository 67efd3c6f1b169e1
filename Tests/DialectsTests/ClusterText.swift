// SPDX-License-Identifier: Apache-2.0

/// The text of a small cluster: a document an object. Lists that are absent are left out, or written as null where `writesNull` says so.
struct ClusterText {
    let writesNull: Bool

    func text(_ cluster: SmallCluster) -> String {
        var documents: [String] = []
        for (name, labels) in cluster.namespaces.sorted(by: { $0.key < $1.key }) {
            documents.append(object("v1", "Namespace", metadata(name, nil, labels), ""))
        }
        documents += cluster.pods.map(pod)
        documents += cluster.policies.enumerated().map { policy($1, "policy-\($0)") }
        return documents.joined(separator: "\n---\n")
    }

    private func object(_ version: String, _ kind: String, _ metadata: String, _ rest: String) -> String {
        "{\"apiVersion\": \"\(version)\", \"kind\": \"\(kind)\", \"metadata\": \(metadata)\(rest)}"
    }

    private func metadata(_ name: String, _ namespace: String?, _ labels: [String: String]) -> String {
        let namespace = namespace.map { "\"namespace\": \"\($0)\", " } ?? ""
        return "{\"name\": \"\(name)\", \(namespace)\"labels\": \(self.labels(labels))}"
    }

    private func labels(_ labels: [String: String]) -> String {
        "{" + labels.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \"\($0.value)\"" }.joined(separator: ", ") + "}"
    }

    private func pod(_ pod: SmallCluster.Pod) -> String {
        let ports = pod.ports.map {
            "{\"name\": \"\($0.name)\", \"protocol\": \"\($0.carrier)\", \"containerPort\": \($0.number)}"
        }
        let host = pod.extra == "host" ? ", \"hostNetwork\": true" : ""
        let phase = pod.extra.isEmpty || pod.extra == "host" ? "Running" : pod.extra
        let spec = "{\"containers\": [{\"name\": \"c\", \"ports\": [\(ports.joined(separator: ", "))]}]\(host)}"
        return object(
            "v1", "Pod", metadata(pod.name, pod.namespace, pod.labels),
            ", \"spec\": \(spec), \"status\": {\"phase\": \"\(phase)\", \"podIP\": \"\(dotted(pod.address))\"}")
    }

    private func policy(_ policy: SmallCluster.Policy, _ name: String) -> String {
        let fields =
            ["\"podSelector\": \(selector(policy.selector))"]
            + list("policyTypes", policy.types) { "\"\($0)\"" } + list("ingress", policy.ingress) { rule($0, "from") }
            + list("egress", policy.egress) { rule($0, "to") }
        return object(
            "networking.k8s.io/v1", "NetworkPolicy", metadata(name, policy.namespace, [:]),
            ", \"spec\": {\(fields.joined(separator: ", "))}")
    }

    private func list<T>(_ key: String, _ items: [T]?, _ text: (T) -> String) -> [String] {
        guard let items else { return writesNull ? ["\"\(key)\": null"] : [] }
        return ["\"\(key)\": [\(items.map(text).joined(separator: ", "))]"]
    }

    private func rule(_ rule: SmallCluster.Rule, _ key: String) -> String {
        "{" + (list(key, rule.peers, peer) + list("ports", rule.ports, port)).joined(separator: ", ") + "}"
    }

    private func peer(_ peer: SmallCluster.Peer) -> String {
        switch peer {
        case .pods(let pods): "{\"podSelector\": \(selector(pods))}"
        case .namespaces(let namespaces): "{\"namespaceSelector\": \(selector(namespaces))}"
        case .both(let namespaces, let pods):
            "{\"namespaceSelector\": \(selector(namespaces)), \"podSelector\": \(selector(pods))}"
        case .block(let block, let except):
            "{\"ipBlock\": {\"cidr\": \"\(block.text)\", \"except\": [\(except.map { "\"\($0.text)\"" }.joined(separator: ", "))]}}"
        }
    }

    private func selector(_ selector: SmallCluster.Selector) -> String {
        let expressions = selector.expressions.map { expression in
            let values = expression.values.map { "\"\($0)\"" }.joined(separator: ", ")
            return "{\"key\": \"\(expression.key)\", \"operator\": \"\(expression.sign)\", \"values\": [\(values)]}"
        }
        return "{\"matchLabels\": \(labels(selector.labels)), \"matchExpressions\": [\(expressions.joined(separator: ", "))]}"
    }

    private func port(_ port: SmallCluster.Port) -> String {
        let fields = [
            port.carrier.map { "\"protocol\": \"\($0)\"" }, port.number.map { "\"port\": \($0)" },
            port.name.map { "\"port\": \"\($0)\"" }, port.end.map { "\"endPort\": \($0)" },
        ]
        return "{" + fields.compactMap { $0 }.joined(separator: ", ") + "}"
    }
}
