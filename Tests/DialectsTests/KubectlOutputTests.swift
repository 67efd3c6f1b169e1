// SPDX-License-Identifier: Apache-2.0
import Policy
import PolicyText
import Testing

/// What `kubectl get pods -o yaml` prints, with everything that says nothing to policy.
@Suite struct KubectlOutput {
    private let text = #"""
        apiVersion: v1
        items:
        - apiVersion: v1
          kind: Pod
          metadata:
            annotations:
              kubectl.kubernetes.io/last-applied-configuration: |
                {"apiVersion":"v1","kind":"Pod"}
            creationTimestamp: "2026-01-01T00:00:00Z"
            labels:
              app: web
            managedFields:
            - apiVersion: v1
              fieldsType: FieldsV1
              fieldsV1:
                f:metadata:
                  f:labels:
                    .: {}
                    f:app: {}
                f:spec:
                  f:containers:
                    k:{"name":"web"}:
                      .: {}
                      f:ports:
                        .: {}
                        k:{"containerPort":80,"protocol":"TCP"}:
                          .: {}
                          f:containerPort: {}
              manager: kubectl
              operation: Update
              time: "2026-01-01T00:00:00Z"
            name: web
            namespace: shop
            ownerReferences:
            - apiVersion: apps/v1
              blockOwnerDeletion: true
              controller: true
              kind: ReplicaSet
              name: web
              uid: x
            resourceVersion: "123"
            uid: abc
          spec:
            affinity: {}
            containers:
            - image: nginx
              imagePullPolicy: Always
              livenessProbe:
                httpGet: {path: /, port: http, scheme: HTTP}
              name: web
              ports:
              - containerPort: 80
                name: http
                protocol: TCP
              resources: {}
              securityContext: {}
              terminationMessagePath: /dev/termination-log
              terminationMessagePolicy: File
              volumeMounts:
              - mountPath: /var/run/secrets/kubernetes.io/serviceaccount
                name: kube-api-access
                readOnly: true
            dnsPolicy: ClusterFirst
            enableServiceLinks: true
            nodeName: node-1
            preemptionPolicy: PreemptLowerPriority
            priority: 0
            restartPolicy: Always
            schedulerName: default-scheduler
            securityContext: {}
            serviceAccount: default
            serviceAccountName: default
            terminationGracePeriodSeconds: 30
            tolerations:
            - effect: NoExecute
              key: node.kubernetes.io/not-ready
              operator: Exists
              tolerationSeconds: 300
            volumes:
            - name: kube-api-access
              projected: {defaultMode: 420, sources: [{serviceAccountToken: {expirationSeconds: 3607, path: token}}]}
          status:
            conditions:
            - lastProbeTime: null
              status: "True"
              type: Ready
            containerStatuses: []
            hostIP: 10.0.0.1
            hostIPs:
            - ip: 10.0.0.1
            phase: Running
            podIP: 10.244.0.5
            podIPs:
            - ip: 10.244.0.5
            qosClass: BestEffort
            startTime: "2026-01-01T00:00:00Z"
        kind: List
        metadata:
          resourceVersion: ""
        """#

    @Test func `a list with managed fields, owners, probes and volumes is read as it is`() throws {
        let reading = try read(text)
        #expect(reading.ignored.isEmpty && reading.losses.isEmpty)
        guard case .workload(let workload)? = reading.documents.first else { throw PolicyError(.nowhere, "no workload") }
        #expect(workload.name.description == "shop/web" && workload.labels == ["app": "web"])
        #expect(workload.addresses.count == 1 && workload.services.keys.sorted() == ["http"])
        #expect(workload.place == Place(file: "k.yaml", line: 3, column: 3))
    }
}
