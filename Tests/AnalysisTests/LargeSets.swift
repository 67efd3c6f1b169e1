// SPDX-License-Identifier: Apache-2.0
import Net
import Policy

/// Sets of any size, in the shape of a shop with many services: each service in its namespace is isolated, lets in some others on a port
/// of its own, and may reach them.
enum LargeSets {
    /// A set with so many rules, ten a policy, and five workloads a policy.
    static func documents(rules: Int) -> [Document] {
        let services = max(2, rules / 10)
        var documents: [Document] = []
        for service in 0..<services {
            let namespace = "team-\(service % 40)"
            for copy in 0..<5 {
                let number = service * 5 + copy
                var workload = Workload(name: ObjectName("svc-\(service)-\(copy)", namespace: namespace))
                workload.labels = ["app": "svc-\(service)", "env": copy == 0 ? "test" : "prod"]
                workload.addresses = [Prefix(host: Address(v4: 0x0a00_0000 + UInt32(number)))]
                documents.append(.workload(workload))
            }
            documents.append(.policy(policy(service, of: services, namespace)))
        }
        return documents
    }

    private static func policy(_ service: Int, of services: Int, _ namespace: String) -> Policy {
        let place = Place(file: "large.yaml", line: service * 20 + 1, column: 1)
        var policy = Policy(
            name: ObjectName("svc-\(service)", namespace: namespace), subject: term("svc-\(service)"), place: place)
        (policy.ingress, policy.egress) = (.all, .all)
        for number in 1...10 {
            let isIngress = number <= 5
            let peer = (service + (isIngress ? services - number : number - 5)) % services
            var rule = Rule(
                number: number, action: .allow, direction: isIngress ? .ingress : .egress,
                peers: [term("svc-\(peer)", everywhere: true)],
                place: Place(file: "large.yaml", line: service * 20 + 1 + number, column: 7))
            let port = UInt16(8000 + (isIngress ? service : peer) % 1000)
            rule.services = ServiceList([.range(ServiceRange(.tcp, ports: port...port))], text: "services: [tcp/\(port)]")
            policy.rules.append(rule)
        }
        return policy
    }

    private static func term(_ app: String, everywhere: Bool = false) -> Term {
        var term = Term()
        term.selector = Selector(.equals("app", app), text: "app == \"\(app)\"")
        if everywhere { term.namespaceSelector = Selector(.all, text: "all()") }
        return term
    }

    /// The same set, in which one rule in the middle names another port.
    static func changed(_ documents: [Document]) -> [Document] {
        var changed = documents
        for index in changed.indices {
            guard case .policy(var policy) = changed[index], policy.name.name == "svc-1" else { continue }
            let wider = ServiceRange(.tcp, ports: 7000...8001)
            policy.rules[0].services = ServiceList([.range(wider)], text: "services: [tcp/7000-8001]")
            changed[index] = .policy(policy)
        }
        return changed
    }
}
