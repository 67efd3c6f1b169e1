// SPDX-License-Identifier: Apache-2.0

/// The document set of the language's description, which must load as it stands.
let sample = """
    apiVersion: bulkhead/v1
    kind: Workload
    metadata: {name: web-1, namespace: shop, labels: {app: web}}
    spec: {addresses: [10.9.0.11, "fd00::11"], zones: [lan], serviceAccount: web}
    ---
    apiVersion: bulkhead/v1
    kind: Workload
    metadata: {name: db-1, namespace: shop, labels: {app: db}}
    spec: {addresses: [10.9.0.21], services: {sql: tcp/5432}}
    ---
    apiVersion: bulkhead/v1
    kind: Policy
    metadata: {name: db, namespace: shop}
    spec:
      tier: default
      order: 100
      subject: {selector: 'app == "db"'}
      isolates: {ingress: all}
      rules:
        - {name: sql-from-web, action: allow, from: {selector: 'app == "web"'}, services: [sql]}
    ---
    apiVersion: bulkhead/v1
    kind: Policy
    metadata: {name: web, namespace: shop}
    spec:
      subject: {selector: 'app == "web"'}
      rules:
        - {action: allow, to: {selector: 'app == "db"'}, services: [tcp/5432]}
    """
