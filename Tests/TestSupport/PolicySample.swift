// SPDX-License-Identifier: Apache-2.0

/// Texts of policy.
public enum PolicySample {
    /// Two zones, `lan` and `wan`, what passes from the first to the second without a judge is allowed; workloads in one, in the other and in
    /// both, and one that owns a block. Without a line's end.
    public static let twoZones = """
        apiVersion: bulkhead/v1
        kind: Zone
        metadata: {name: lan}
        spec: {unjudged: {wan: allow}}
        ---
        apiVersion: bulkhead/v1
        kind: Zone
        metadata: {name: wan}
        ---
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: web, labels: {app: web}}
        spec: {addresses: [10.9.0.11, "fd00::11"], zones: [lan]}
        ---
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: db, labels: {app: db}}
        spec: {addresses: [10.9.0.21, "fd00::21"], zones: [wan]}
        ---
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: roaming, labels: {app: web}}
        spec: {addresses: [10.9.0.31]}
        ---
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: farm, labels: {app: web}}
        spec: {addresses: [10.9.1.0/24], zones: [lan]}
        """

    /// A set that has every kind with every key.
    public static let everything = """
        apiVersion: bulkhead/v1
        kind: Zone
        metadata: {name: lan, labels: {site: a}}
        spec: {on-link: true, dhcp-server: true, unjudged: {wan: audit}}
        ---
        {apiVersion: bulkhead/v1, kind: Zone, metadata: {name: wan}, spec: {unjudged: allow}}
        ---
        apiVersion: bulkhead/v1
        kind: Namespace
        metadata: {name: shop, labels: {team: a}}
        spec: {defaults: {ingress: audit, egress: allow}}
        ---
        {apiVersion: bulkhead/v1, kind: ServiceAccount, metadata: {name: web, namespace: shop, labels: {trust: high}}, spec: {}}
        ---
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: web-1, namespace: shop, labels: {app: web}}
        spec:
          addresses: [10.9.0.11, "fd00::11", 10.9.1.0/24]
          mac: [02:00:00:00:00:01, 02-00-00-00-00-02]
          zones: [lan]
          serviceAccount: web
          services: {sql: tcp/5432, ping: icmp/8.0, all-udp: udp}
        ---
        {apiVersion: bulkhead/v1, kind: Workload, metadata: {name: db}, spec: {addresses: [10.9.0.21], mac: 02:00:00:00:00:03}}
        ---
        apiVersion: bulkhead/v1
        kind: AddressSet
        metadata: {name: partners, namespace: shop, labels: {kind: partner}}
        spec:
          cidrs: [192.0.2.0/24, 2001:db8::/32]
          except: [192.0.2.1]
          entries:
            - {cidr: 198.51.100.0/24, except: [198.51.100.7], service: tcp/443, until: "2027-01-31T18:00:00Z"}
            - {dns: "*.example.com"}
        ---
        apiVersion: bulkhead/v1
        kind: Entity
        metadata: {name: internet}
        spec:
          terms:
            - {entities: [outside], notCidrs: [10.0.0.0/8]}
        ---
        {apiVersion: bulkhead/v1, kind: Entity, metadata: {name: nothing}, spec: {terms: {entities: []}}}
        ---
        apiVersion: bulkhead/v1
        kind: Tier
        metadata: {name: guard, labels: {by: us}}
        spec: {layer: network, order: 10.5, shape: set, end: audit}
        ---
        apiVersion: bulkhead/v1
        kind: Policy
        metadata: {name: every, namespace: shop, labels: {l: v}}
        spec:
          tier: default
          order: 100
          subject: {selector: {matchLabels: {app: web}, matchExpressions: [{key: env, operator: NotIn, values: [prod]}]}}
          isolates: {ingress: all, egress: [tcp, "icmp/8"]}
          mode: enforce
          track: flow
          expires: "2030-01-01T00:00:00Z"
          change: {drain: 5m}
          owner: shop team
          ticket: SHOP-1
          reason: it sells
          rules:
            - name: first
              action: allow
              subject: {cidrs: [10.9.0.11]}
              from:
                - selector: 'app == "web"'
                  notSelector: has(bad)
                  namespaceSelector: team in {"a"}
                  notNamespaceSelector: global()
                  serviceAccounts: [web]
                  serviceAccountSelector: {matchLabels: {trust: high}}
                  principal:
                    names: [cluster.local/ns/shop/sa/web, {prefix: cluster.local/ns/shop/}, {suffix: /web}, {present: true}]
                    notNames: [cluster.local/ns/shop/sa/bad]
                    assurance: bound
                  cidrs: [10.0.0.0/8]
                  notCidrs: [10.10.0.0/16]
                  zones: [lan]
                  entities: [known, internet]
              services: [sql, 6, tcp/1000-2000, gre, esp, vxlan, any, everything]
              notServices: [udp/53]
              family: IPv4
              log: seen
              mode: audit
              track: none
              expires: "2029-01-01T00:00:00Z"
            - action: log
              to: {}
            - action: allow
              to: {entities: [multicast]}
              expectReplies: 3s
              services:
                - {service: udp/5353, sourcePorts: [5353, 1024-65535]}
                - service: tcp/80
                  priority: 7
                  http:
                    - methods: [GET]
                      notMethods: [{regex: "P.*"}]
                      paths: [{template: "/a/{*}"}, /b]
                      notPaths: [/c]
                      hosts: [{suffix: .example.com}]
                      notHosts: [x.example.com]
                      headers: {x-user: {present: true}}
                - {service: tcp/443, tls: ["**.example.com"]}
                - {service: udp/53, dns: [www.example.com]}
        ---
        apiVersion: bulkhead/v1
        kind: Policy
        metadata: {name: unordered}
        spec: {tier: guard, change: keep, rules: [{action: pass, from: []}, {action: reject, to: {}}, {action: deny, to: {}}]}
        """
}
