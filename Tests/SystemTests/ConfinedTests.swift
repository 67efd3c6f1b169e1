// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests.SideBySide {
    /// What control goes on doing while it is held to its files and system calls, as a user of its own: all that is opened, made, renamed
    /// or looked at behind its start.
    @Suite struct Confined {
        /// A laboratory whose control is `daemon` and whose files lie apart, so that a rule for one place is none for another. The daemon
        /// has a /dev and a table of groups of its own: `log` in the one leads to `log` here, and in the other `daemon` is a member of `games`.
        private final class Place {
            let lab: Lab
            let files: String

            init() throws {
                // Hides what the machine has behind what a test may change, for the daemon alone.
                let script = """
                    set -e; cd "$0"; mkdir old; mount --bind /dev old; mount -t tmpfs -o mode=755 none /dev; mkdir /dev/shm
                    for node in null zero full random urandom tty; do : >/dev/$node; mount --bind old/$node /dev/$node; done
                    ln -s "$0/log" /dev/log; mount --bind group /etc/group; exec "$@"
                    """
                let prefix = ProcessInfo.processInfo.environment["BULKHEAD_LAB_PREFIX"] ?? "bh\(getpid())-"
                let made = "/tmp/\(prefix)confined-\(UInt32.random(in: .min ... .max))"
                files = made
                for folder in ["", "/tls", "/policies", "/inventory", "/logs"] {
                    try FileManager.default.createDirectory(atPath: made + folder, withIntermediateDirectories: true)
                }
                try Command.run("chmod", "755", made)
                try Command.run("chown", "daemon:daemon", made + "/logs")
                let groups = try String(contentsOfFile: "/etc/group", encoding: .utf8)
                try groups.replacing("games:x:60:", with: "games:x:60:daemon").write(
                    toFile: made + "/group", atomically: true, encoding: .utf8)
                lab = try Lab(.init(launcher: ["unshare", "--mount", "sh", "-c", script, made]))
                try lab.certify(client: "ops", in: made + "/tls")
                try Command.run("mv", lab.folder.path + "/policy.yaml", made + "/policies")
                try configuration.write(to: lab.configurationFile, atomically: true, encoding: .utf8)
                try Command.run("ip", "-n", lab.appliance.name, "link", "set", "lo", "up")
            }

            var configuration: String {
                """
                pairs: [{name: wire, ports: [p0, p1]}]
                policies: [\(files)/policies]
                workloads: [\(files)/inventory]
                state: \(files)/state
                run: \(lab.folder.path)/run
                users: {data: nobody, control: daemon}
                records: {interval: 1s, syslog: true, file: {path: \(files)/logs/flows.jsonl, megabytes: 1, keep: 3}}
                roles: [{role: administrator, users: [root]}, {role: viewer, groups: [games], certificates: ["CN=ops"]}]
                api:
                  group: games
                  tls:
                    listen: "127.0.0.1:8443"
                    certificate: \(files)/tls/appliance.pem
                    key: \(files)/tls/appliance.key
                    client-ca: \(files)/tls/clients.pem

                """
            }

            var socket: String { lab.folder.path + "/run/bulkhead.sock" }

            func bulkhead(_ words: String...) throws -> Tool.Outcome {
                try Command.attempt([Requirement.binary] + words + ["--socket", socket])
            }

            /// Somebody else's question for status, with one group.
            func ask(asUser user: Int, group: Int) throws -> Tool.Outcome {
                try Command.attempt([
                    "setpriv", "--reuid=\(user)", "--regid=\(group)", "--clear-groups", Requirement.binary, "status", "--json",
                    "--socket", socket,
                ])
            }

            /// The serial number of the certificate that the API shows.
            func serial() throws -> String {
                let certificate = try Command.attempt(
                    lab.appliance.command([
                        "sh", "-c",
                        "openssl s_client -connect 127.0.0.1:8443 </dev/null 2>/dev/null | openssl x509 -noout -serial",
                    ]))
                return certificate.output
            }

            /// Whether the API answers over TLS.
            func answersOverTLS() throws -> Bool {
                let (tls, url) = ("\(files)/tls", "https://127.0.0.1:8443/v1/status")
                return try Command.attempt(
                    lab.appliance.command([
                        "curl", "-sS", "--fail", "--cacert", "\(tls)/servers.pem", "--cert", "\(tls)/ops.pem", "--key",
                        "\(tls)/ops.key", url,
                    ])
                ).code == 0
            }

            func remove() {
                lab.remove()
                try? FileManager.default.removeItem(atPath: files)
            }
        }

        @Test func `the log file is rotated, the store is opened and read, and the system's log is found again`() throws {
            let place = try Place()
            defer { place.remove() }
            let lab = place.lab
            let program = Requirement.traffic.appending(path: "logger.py").path
            let first = try Companion([program, place.files + "/log"], in: lab.folder, name: "logger-1")
            try first.waitForLine("listening", within: 10)
            try lab.start()
            try lab.scan(ports: 2000..<6000, rate: 2000)
            try eventually("a second log file", within: 20, every: 0.3) {
                FileManager.default.fileExists(atPath: place.files + "/logs/flows.jsonl.1")
            }
            // The first question opens the store.
            let flows = try place.bulkhead("flows", "--json", "--since", "1h", "--last", "100000").expectSuccess().output
            #expect(flows.split(separator: "\n").count > 1000, "\(flows.count)")
            try eventually("a message", within: 10, every: 0.1) { first.output.contains("bulkhead: {") }
            try first.end()
            // A log daemon that was started anew has another socket by the same name.
            let second = try Companion([program, place.files + "/log"], in: lab.folder, name: "logger-2")
            try second.waitForLine("listening", within: 10)
            try lab.attempt(port: Lab.deniedPort)
            try eventually("a message for the next one", within: 10, every: 0.1) { second.output.contains("bulkhead: {") }
            try second.end()
            #expect(try place.bulkhead("map", "--json").expectSuccess().output.contains("shop/web-1"))
            try expectNothingDenied(place)
        }

        @Test func `new files of workloads are seen, certificates are rotated, and the audit log is read`() throws {
            let place = try Place()
            defer { place.remove() }
            let lab = place.lab
            try lab.start()
            let document = """
                apiVersion: bulkhead/v1
                kind: Workload
                metadata: {name: web-9, namespace: shop, labels: {app: web}}
                spec: {addresses: [10.9.0.99]}

                """
            try document.write(toFile: place.files + "/inventory/new.yaml", atomically: true, encoding: .utf8)
            try eventually("the new workload", within: 15, every: 0.2) {
                try place.bulkhead("workload", "list", "--json").output.contains("shop/web-9")
            }
            #expect(try place.answersOverTLS())
            let before = try place.serial()
            #expect(before.hasPrefix("serial="))
            try lab.rotateCertificate(in: place.files + "/tls")
            try eventually("the next certificate", within: 90, every: 0.5) {
                let now = try place.serial()
                return now.hasPrefix("serial=") && now != before
            }
            #expect(try place.answersOverTLS())
            try place.bulkhead("workload", "add", "--name", "shop/x", "--address", "10.9.0.98", "--label", "app=web")
                .expectSuccess()
            #expect(try place.bulkhead("audit", "list").expectSuccess().output.contains("workload.add"))
            #expect(try place.bulkhead("policy", "history").expectSuccess().output.contains("1"))
            try expectNothingDenied(place)
        }

        @Test func `a hand-over in place goes on with the folders that are control's`() throws {
            let place = try Place()
            defer { place.remove() }
            let run = try place.lab.start()
            // As the package has it: nobody but control's user looks into it.
            try Command.run("chmod", "700", place.files + "/state")
            kill(run.pid, SIGUSR2)
            try eventually("the new binary's readiness", within: 20, every: 0.1) {
                run.output.split(separator: "\n").count { $0 == "ready" } == 2 || !run.isRunning
            }
            #expect(run.isRunning, "\(run.errors)")
            try place.bulkhead("workload", "add", "--name", "shop/x", "--address", "10.9.0.98", "--label", "app=web")
                .expectSuccess()
            try expectNothingDenied(place, restarts: 1)
        }

        @Test func `the socket is for the group that the configuration names, and for nobody else`() throws {
            let place = try Place()
            defer { place.remove() }
            try place.lab.start()
            let facts = try FileManager.default.attributesOfItem(atPath: place.socket)
            #expect(facts[.groupOwnerAccountID] as? Int == 60 && facts[.ownerAccountID] as? Int == 1)
            #expect((facts[.posixPermissions] as? Int).map { $0 & 0o777 } == 0o660, "\(facts)")
            let (games, man) = (60, 12)
            let member = try place.ask(asUser: 6, group: games)
            #expect(member.code == 0 && member.output.contains("\"generation\""), "\(member.errors)")
            let stranger = try place.ask(asUser: 6, group: man)
            #expect(stranger.code == 1 && stranger.output.isEmpty && !stranger.errors.isEmpty)
        }

        /// What keeper and control have said: nothing that the sandbox refused. `restarts` are those that the test itself has made.
        private func expectNothingDenied(_ place: Place, restarts: Int = 0) throws {
            let said = place.lab.runs.map(\.errors).joined()
            for word in ["SIGSYS", "not permitted", "denied", "Permission"] { #expect(!said.contains(word), "\(said)") }
            let status = try place.bulkhead("status", "--json").expectSuccess()
            let processes = try JSONDecoder().decode(Status.self, from: Data(status.output.utf8)).processes
            #expect(processes.allSatisfy { $0.restarts <= restarts }, "\(said)")
        }
    }
}
