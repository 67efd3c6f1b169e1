// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite struct Import {
        @Test func `Kubernetes objects are enforced on the wire as kubectl prints them`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try Self.objects(lab, port: Lab.allowedPort).write(
                to: lab.folder.appending(path: "policy.yaml"), atomically: true, encoding: .utf8)
            let run = try lab.start()
            let before = try lab.status().generation
            let allowed = try Stream(lab, from: lab.web, to: lab.db, rate: 1000)
            let denied = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 1000)
            pause(1)
            #expect(try denied.finish().frames.isEmpty)
            let passed = try allowed.finish()
            #expect(passed.lost == 0 && !passed.frames.isEmpty)

            // A set that would lose something leaves the old one in force.
            try (Self.objects(lab, port: Lab.deniedPort) + "---\n{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy}\n").write(
                to: lab.folder.appending(path: "policy.yaml"), atomically: true, encoding: .utf8)
            kill(run.pid, SIGHUP)
            pause(1)
            #expect(try lab.status().generation == before)
            let told = run.errors + run.output
            #expect(told.contains("CiliumNetworkPolicy of cilium.io/v2 is no kind that is imported"), "\(told)")
        }

        /// The laboratory's workloads as pods in a list, and a policy for db.
        private static func objects(_ lab: Lab, port: Int) -> String {
            """
            apiVersion: v1
            kind: List
            items:
            - apiVersion: v1
              kind: Pod
              metadata: {name: web-1, namespace: shop, labels: {app: web}, uid: "1"}
              spec: {containers: [{name: web, image: web}]}
              status: {phase: Running, podIP: \(lab.web.ipv4), podIPs: [{ip: \(lab.web.ipv4)}, {ip: "\(lab.web.ipv6)"}]}
            - apiVersion: v1
              kind: Pod
              metadata: {name: db-1, namespace: shop, labels: {app: db}, uid: "2"}
              spec: {containers: [{name: db, image: db, ports: [{name: sql, containerPort: \(port), protocol: UDP}]}]}
              status: {phase: Running, podIP: \(lab.db.ipv4), podIPs: [{ip: \(lab.db.ipv4)}, {ip: "\(lab.db.ipv6)"}]}
            - apiVersion: networking.k8s.io/v1
              kind: NetworkPolicy
              metadata: {name: db, namespace: shop}
              spec:
                podSelector: {matchLabels: {app: db}}
                ingress:
                - from: [{podSelector: {matchLabels: {app: web}}}]
                  ports: [{port: sql, protocol: UDP}]

            """
        }

        @Test func `the verb writes native documents, tells what is lost, and its exit codes say how it went`() throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "bulkhead-import-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let (source, output) = (folder.appending(path: "k.yaml").path, folder.appending(path: "native.yaml").path)
            try """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: db, namespace: shop}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: db, namespace: shop}
            """.write(toFile: source, atomically: true, encoding: .utf8)

            let strict = try Command.attempt([Requirement.binary, "policy", "import", source, "--output", output])
            #expect(strict.code == 1 && strict.output.isEmpty && !FileManager.default.fileExists(atPath: output))
            #expect(strict.errors.contains("k.yaml:5:1: Deployment of apps/v1 is no kind that is imported"))

            let lossy = try Command.attempt([
                Requirement.binary, "policy", "import", source, "--output", output, "--lossy", "--report",
            ])
            #expect(lossy.code == 0 && lossy.output.isEmpty)
            #expect(lossy.errors.contains("k.yaml:1:1: written: Policy shop/db"))
            #expect(lossy.errors.contains("k.yaml:5:1: lost: Deployment of apps/v1 is no kind that is imported"))
            let again = try Command.run(Requirement.binary, "policy", "import", output)
            #expect(try again == String(contentsOfFile: output, encoding: .utf8))
            try Command.run(Requirement.binary, "check", "--policies", output)

            let machine = try Command.attempt([Requirement.binary, "policy", "import", source, "--lossy", "--json"])
            let answer = try #require(try JSONSerialization.jsonObject(with: Data(machine.output.utf8)) as? [String: Any])
            #expect(answer["ok"] as? Bool == true && answer["yaml"] as? String == again)
            #expect((answer["lost"] as? [[String: Any]])?.first?["line"] as? Int == 5)

            #expect(try Command.attempt([Requirement.binary, "policy", "import", "--from", "cvs", source]).code == 2)
            #expect(try Command.attempt([Requirement.binary, "check", "--config", source, "--lossy"]).code == 2)
            #expect(try Command.attempt([Requirement.binary, "check", "--policies", source]).code == 1)
            #expect(try Command.attempt([Requirement.binary, "check", "--policies", source, "--lossy"]).code == 0)
        }
    }
}
