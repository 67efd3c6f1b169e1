// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// The API over mutual TLS, asked by curl and openssl as other people's clients.
@Suite(.serialized, .enabled(if: Authority.isPossible && Curl.isThere, "openssl or curl is missing")) struct Secure {
    private static let roles = [
        RoleBinding(.administrator, certificates: ["spiffe://example.org/ops"]),
        RoleBinding(.viewer, users: [String(geteuid())], certificates: ["CN=alice,O=Example"]),
    ]

    /// Runs a server over TLS with the usual files for as long as `body` takes.
    private func withSecureServer(
        plane: FakePlane = FakePlane(), holding: @Sendable (APIServer) -> Void = { _ in },
        _ body: @escaping @Sendable (Authority, Curl, String) throws -> Void
    ) async throws {
        let authority = try Authority()
        defer { authority.remove() }
        try authority.root("root")
        try authority.issue("server", by: "root", subject: "/CN=bulkhead", names: "IP:127.0.0.1")
        try authority.issue("ops", by: "root", names: "URI:spiffe://example.org/ops")
        try authority.issue("alice", by: "root", subject: "/O=Example/CN=alice")
        try authority.install(clients: "root")
        let port = try Self.freePort()
        try await withServer(
            plane: plane, holding: holding, glance: .milliseconds(100),
            settings: { settings in
                settings.tls = .init(
                    host: "127.0.0.1", port: port, certificate: authority.path("server.pem"), key: authority.path("server.key"),
                    clientAuthority: authority.path("clients.pem"))
                settings.roles = Self.roles
            }
        ) { path in
            let curl = Curl(authority, "https://127.0.0.1:\(port)")
            for _ in 0..<100 where try curl.get("/v1/health", as: "ops").status != 200 { Thread.sleep(forTimeInterval: 0.05) }
            try body(authority, curl, path)
        }
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard result else { throw Failure(text: "no port is free") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    @Test func `a SPIFFE identity and a distinguished name have the roles that are bound to them`() async throws {
        let plane = FakePlane()
        try await withSecureServer(plane: plane) { authority, curl, _ in
            #expect(try curl.get("/v1/status", as: "ops").status == 200)
            #expect(try curl.ask("POST", "/v1/reload", as: "ops").status == 200)
            #expect(try curl.get("/v1/status", as: "alice").status == 200)
            let refused = try curl.ask("POST", "/v1/reload", as: "alice")
            #expect(refused.status == 403 && refused.body.contains("CN=alice,O=Example may not"))
            try authority.issue("bob", by: "root", subject: "/O=Example/CN=bob")
            #expect(try curl.get("/v1/health", as: "bob").status == 200)
            #expect(try curl.get("/v1/status", as: "bob").status == 403)
        }
        #expect(
            plane.asked == [
                "spiffe://example.org/ops: reload",
                "CN=alice,O=Example refused: policy.reload - it needs the role operator or administrator",
            ])
    }

    @Test func `nobody is let in without a certificate of the authority for clients, and not below TLS 1_3`() async throws {
        try await withSecureServer { authority, curl, _ in
            #expect(try curl.get("/v1/health", as: nil).status == 0)
            try authority.root("other")
            try authority.issue("stranger", by: "other", names: "URI:spiffe://example.org/ops")
            #expect(try curl.get("/v1/health", as: "stranger").status == 0)
            try authority.issue("appliance", by: "root", names: "URI:spiffe://example.org/ops", use: "serverAuth")
            #expect(try curl.get("/v1/health", as: "appliance").status == 0)
            #expect(try curl.get("/v1/health", as: "ops", "--tls-max", "1.2").status == 0)
            // Plain HTTP finds nobody to talk to.
            #expect(try curl.get("/v1/health", as: nil, plain: true).status == 0)
        }
    }

    @Test func `a certificate with two SPIFFE identities is nobody's`() async throws {
        try await withSecureServer { authority, curl, _ in
            try authority.issue("two", by: "root", names: "URI:spiffe://example.org/ops,URI:spiffe://example.org/dev")
            #expect(try curl.get("/v1/health", as: "two").status == 401)
        }
    }

    @Test func `changed files are used without a restart, and bad ones change nothing and are told`() async throws {
        try await withSecureServer { authority, curl, path in
            func conditions() throws -> String {
                let client = try #require(UnixClient(path))
                client.send("GET", "/v1/status", body: nil)
                return client.answer().body
            }
            func wait(_ done: () throws -> Bool) throws -> Bool {
                for _ in 0..<100 {
                    if try done() { return true }
                    Thread.sleep(forTimeInterval: 0.05)
                }
                return false
            }
            #expect(try !conditions().contains("certificate-"))
            // A key that is another one's.
            try authority.issue("next", by: "root", subject: "/CN=next", names: "IP:127.0.0.1", days: 1)
            try authority.install(key: "next")
            let isTold = try wait { try conditions().contains("do not belong together; what was read before serves on") }
            let told = try conditions()
            #expect(isTold, "\(told)")
            #expect(try curl.get("/v1/health", as: "ops").status == 200)
            // And its certificate: near its end from the first.
            try authority.install(certificate: "next")
            #expect(try wait { try curl.get("/v1/health", as: "ops").shown.contains("next") })
            #expect(try wait { try !conditions().contains("certificate-files") })
            // Other clients: the old ones are not let in any more.
            try authority.root("second")
            try authority.issue("dev", by: "second", names: "URI:spiffe://example.org/ops")
            try authority.install(clients: "second")
            #expect(try wait { try curl.get("/v1/status", as: "dev").status == 200 })
            #expect(try curl.get("/v1/status", as: "ops").status == 0)
        }
    }

    @Test func `a connection that was made under an authority that is gone is not believed any more`() async throws {
        try await withSecureServer { authority, curl, _ in
            try authority.root("second")
            let codes = try curl.again("/v1/status", as: "ops") { try authority.install(clients: "second") }
            #expect(codes.first == "200 1" && codes.last == "401 0", "\(codes)")
        }
    }

    @Test func `roles that are taken away hold for the next request of an open connection`() async throws {
        let server = Mutex<APIServer?>(nil)
        try await withSecureServer(holding: { held in server.withLock { $0 = held } }) { _, curl, _ in
            let codes = try curl.again("/v1/status", as: "ops") {
                let held = server.withLock { $0 }
                Task { await held?.replaceRoles([RoleBinding(.administrator, users: ["4294967294"])]) }
            }
            #expect(codes.first == "200 1" && codes.last == "403 0", "\(codes)")
        }
    }
}

/// The curl command as a client.
struct Curl {
    static let isThere = FileManager.default.isExecutableFile(atPath: "/usr/bin/curl")

    let authority: Authority
    let base: String

    init(_ authority: Authority, _ base: String) {
        self.authority = authority
        self.base = base
    }

    func get(_ target: String, as name: String?, plain: Bool = false, _ more: String...) throws -> (
        status: Int, body: String, shown: String
    ) {
        try ask("GET", target, as: name, plain: plain, more)
    }

    func ask(
        _ method: String, _ target: String, as name: String?, plain: Bool = false, _ more: [String] = []
    ) throws -> (status: Int, body: String, shown: String) {
        let address = plain ? base.replacingOccurrences(of: "https", with: "http") : base
        var words =
            ["-sv", "--max-time", "10", "-X", method, "-w", "\n%{http_code}", "--cacert", authority.path("root.pem")] + more
        if let name { words += ["--cert", authority.path("\(name).pem"), "--key", authority.path("\(name).key")] }
        let tool = try Tool.run("/usr/bin/curl", words + [address + target])
        let lines = tool.output.components(separatedBy: "\n")
        return (Int(lines.last ?? "") ?? 0, lines.dropLast().joined(separator: "\n"), tool.errors)
    }

    /// Asks the same thing twenty times in two seconds over one connection, and does something in the middle of it. Each answer as its
    /// status, and 1 where it took a new connection.
    func again(_ target: String, as name: String, _ midway: () throws -> Void) throws -> [String] {
        let curl = try Tool(
            "/usr/bin/curl",
            ["-s", "--max-time", "10", "--rate", "600/m", "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\\n"]
                + [
                    "--cacert", authority.path("root.pem"), "--cert", authority.path("\(name).pem"), "--key",
                    authority.path("\(name).key"),
                ]
                + [base + target + "?[1-20]"])
        Thread.sleep(forTimeInterval: 0.7)
        try midway()
        return curl.wait().output.split(separator: "\n").map(String.init)
    }
}
