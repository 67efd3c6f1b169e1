// SPDX-License-Identifier: Apache-2.0
import Net
import Policy
import PolicyText
import Testing

/// Pods, namespaces and accounts as inventory.
@Suite struct KubernetesInventory {
    private func workload(_ pod: String) throws -> Workload {
        let reading = try read("apiVersion: v1\nkind: Pod\n\(pod)")
        guard case .workload(let workload)? = reading.documents.first else { throw PolicyError(.nowhere, "no workload") }
        return workload
    }

    private func addresses(_ rest: String) throws -> [String] {
        try workload("metadata: {name: p, namespace: n}\n\(rest)").addresses.map { "\($0.address)" }
    }

    @Test func `a pod is a workload with its labels, its account, its addresses and its named ports`() throws {
        let workload = try workload(
            """
            metadata:
              name: web-7d4b9
              namespace: shop
              labels: {app: web, empty: "", null-is-empty: }
              annotations: {anything: "goes"}
              creationTimestamp: null
              generateName: web-
              managedFields: [{fieldsV1: {"f:metadata": {".": {}}}}]
              ownerReferences: [{kind: ReplicaSet}]
              resourceVersion: "1"
              uid: 0a
            spec:
              serviceAccount: web
              serviceAccountName: web
              nodeName: node-1
              volumes: []
              containers:
                - name: web
                  image: web
                  ports: [{name: http, containerPort: 80, protocol: TCP}, {containerPort: 81}, {name: dns, protocol: UDP, containerPort: 53}]
                - name: sidecar
              initContainers:
                - {name: lasting, restartPolicy: Always, ports: [{name: proxy, containerPort: 15001}]}
                - {name: passing, ports: [{name: gone, containerPort: 1}]}
            status:
              phase: Running
              podIP: 10.0.0.1
              podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]
              hostIP: 192.168.0.1
              conditions: []
            """)
        #expect(workload.name == ObjectName("web-7d4b9", namespace: "shop") && workload.isImported)
        #expect(workload.labels == ["app": "web", "empty": "", "null-is-empty": ""])
        #expect(workload.serviceAccount == "web")
        #expect(workload.addresses.map(\.description) == ["10.0.0.1/32", "fd00::1/128"])
        #expect(
            workload.services == [
                "http": ServiceRange(.tcp, ports: 80...80), "dns": ServiceRange(.udp, ports: 53...53),
                "proxy": ServiceRange(.tcp, ports: 15_001...15_001),
            ])
    }

    @Test func `pods in their host's network, finished ones and those without an address claim nothing`() throws {
        #expect(try addresses("spec: {hostNetwork: true}\nstatus: {podIP: 10.0.0.1}") == [])
        #expect(try addresses("spec: {hostNetwork: false}\nstatus: {podIP: 10.0.0.1}") == ["10.0.0.1"])
        #expect(try addresses("status: {phase: Succeeded, podIP: 10.0.0.1}") == [])
        #expect(try addresses("status: {phase: Failed, podIPs: [{ip: 10.0.0.1}]}") == [])
        #expect(try addresses("status: {phase: Pending, podIP: \"\", podIPs: null}") == [])
        #expect(try addresses("status: null") == [] && addresses("") == [])
        #expect(try addresses("status: {phase: Unknown, podIP: 10.0.0.1}") == ["10.0.0.1"])
    }

    @Test func `an address that is free again may be claimed by the next pod`() throws {
        let finished = pod("old", "n", "10.0.0.1").replacing("Running", with: "Succeeded")
        try Cluster(pods + finished + "\n---\n" + policy("podSelector: {matchLabels: {app: a}}")).expect("n/b -> n/a deny")
    }

    @Test func `a port's name that two containers give away means neither, unless a policy asks for it`() throws {
        let both =
            "{containers: [{name: a, ports: [{name: web, containerPort: 80}]}, {name: b, ports: [{name: web, containerPort: 81}]}]}"
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: n}\nspec: \(both)"
        let reading = try read(text)
        guard case .workload(let workload)? = reading.documents.first else { throw PolicyError(.nowhere, "no workload") }
        #expect(workload.services.isEmpty)
        #expect(reading.ignored.first?.message == "two ports of Pod n/p are called \"web\", and a name means one port")
        let asked = text + "\n---\n" + policy("ingress: [{ports: [{port: web}]}]")
        let error = #expect(throws: PolicyError.self) { try read(asked) }
        #expect(error?.description.hasPrefix("k.yaml:4:98: two ports of Pod n/p are called \"web\"") ?? false, "\(error as Any)")
        #expect(try read(asked, isLossy: true).losses.count == 1)
    }

    @Test func `without a namespace in its metadata an object is in the namespace default`() throws {
        #expect(try workload("metadata: {name: p}").name.description == "default/p")
        #expect(try workload("metadata: {name: p, namespace: null}").name.description == "default/p")
    }

    @Test func `namespaces have their labels, and allow by default`() throws {
        let text =
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: n, labels: {team: x}}\nspec: {finalizers: [kubernetes]}\nstatus: {phase: Active}"
        guard case .namespace(let namespace)? = try read(text).documents.first else {
            throw PolicyError(.nowhere, "no namespace")
        }
        #expect(namespace.labels == ["team": "x"] && namespace.isImported)
        #expect(namespace.ingress == .allow && namespace.egress == .allow)
    }

    @Test func `a namespace that a native object names as well denies by default`() throws {
        let native =
            "{apiVersion: bulkhead/v1, kind: Workload, metadata: {name: w, namespace: n}, spec: {addresses: [10.0.0.9]}}\n---\n"
        let text = pod("a", "n", "10.0.0.1") + "\n---\n" + pod("b", "n", "10.0.0.2") + "\n---\n"
        try Cluster(text).expect("n/b -> n/a allow", "\(w) -> n/a allow")
        try Cluster(text + native).expect("n/b -> n/a deny", "\(w) -> n/a deny")
    }

    @Test func `policies speak of native workloads of their namespace, and of the names that those give to services`() throws {
        let native = """
            {apiVersion: bulkhead/v1, kind: Namespace, metadata: {name: n}, spec: {defaults: {ingress: allow, egress: allow}}}
            ---
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: w, namespace: n, labels: {app: w}}
            spec: {addresses: [10.0.0.9], services: {web: tcp/8080, dns: udp/53}}
            ---

            """
        try Cluster(native + policy("ingress: [{ports: [{port: web}, {port: dns}]}]"))
            .expect("\(w) -> n/w tcp/8080 allow", "\(w) -> n/w udp/53 deny", "\(w) -> n/w tcp/80 deny")
    }

    @Test func `lists of every kind are read, typed ones with items that do not name their kind`() throws {
        let text = """
            apiVersion: v1
            kind: List
            metadata: {resourceVersion: "", selfLink: ""}
            items:
              - \(pod("a", "n", "10.0.0.1"))
              - {apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: n, labels: {x: "y"}}, secrets: []}
            ---
            apiVersion: v1
            kind: PodList
            metadata: {resourceVersion: "7", continue: "", remainingItemCount: null}
            items: [{metadata: {name: b, namespace: n}, status: {podIP: 10.0.0.2}}]
            ---
            {apiVersion: v1, kind: NamespaceList, items: [{metadata: {name: n}}]}
            ---
            {apiVersion: networking.k8s.io/v1, kind: NetworkPolicyList, items: [{metadata: {name: p, namespace: n}, spec: {}}]}
            ---
            {"apiVersion": "v1", "kind": "List", "items": null}
            """
        #expect(
            try read(text).documents.map { "\($0.kind) \($0.name)" } == [
                "ServiceAccount n/web", "Namespace n", "Policy n/p", "Workload n/a", "Workload n/b",
            ])
        try Cluster(text.replacing("items\": null", with: "items\": []")).expect("n/a -> n/b deny", "n/b -> \(w) allow")
    }
}
