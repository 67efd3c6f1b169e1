// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Synchronization
import Telemetry
import Testing

@testable import API

@Suite(.enabled(if: Authority.isPossible, "openssl is missing")) struct TLSFilesOverTime {
    private static let day: Int64 = 86_400

    private func files(_ authority: Authority, _ log: @escaping @Sendable (String) -> Void = { _ in }) -> TLSFiles {
        TLSFiles(
            .init(
                host: "127.0.0.1", port: 1, certificate: authority.path("server.pem"), key: authority.path("server.key"),
                clientAuthority: authority.path("clients.pem")), log: log)
    }

    /// Days of life, and days after its beginning at which it is warned of: thirty before the end, a third of the life before it where
    /// that is less.
    @Test(arguments: [(365, 335), (90, 60), (30, 20), (3, 2)])
    func `a certificate is warned of before it ends, and told when it has ended`(life: Int, warned: Int) throws {
        let authority = try Authority()
        defer { authority.remove() }
        try authority.root("root")
        try authority.issue("server", by: "root", days: life)
        try authority.install(clients: "root")
        let (files, now) = (files(authority), Int64(time(nil)))
        files.look(now: now)
        #expect(files.current != nil && files.conditions(now: now).isEmpty)
        // An hour of room for the clock's seconds.
        #expect(files.conditions(now: now + Int64(warned) * Self.day - 3600).isEmpty)
        let near = files.conditions(now: now + Int64(warned) * Self.day + 3600)
        #expect(near.map(\.name) == ["certificate-ends"] && near[0].detail.contains("server.pem ends at "))
        let over = files.conditions(now: now + Int64(life) * Self.day + 3600)
        #expect(over.contains { $0.detail.contains("server.pem ended at ") && $0.detail.contains("no restart is needed") })
    }

    @Test(arguments: [
        ("server.pem", "holds no certificate in PEM"), ("server.key", "holds no private key in PEM"),
        ("clients.pem", "holds no certificate in PEM"),
    ])
    func `a file that cannot be used is told once, and mended is no condition any more`(name: String, why: String) throws {
        let authority = try Authority()
        defer { authority.remove() }
        try authority.root("root")
        try authority.issue("server", by: "root")
        try authority.install(clients: "root")
        let said = Mutex<[String]>([])
        let files = files(authority) { line in said.withLock { $0.append(line) } }
        files.look(now: 1000)
        let good = try Data(contentsOf: URL(fileURLWithPath: authority.path(name)))
        for bad in [Data(), Data("-----BEGIN".utf8), good.prefix(good.count / 2)] {
            try bad.write(to: URL(fileURLWithPath: authority.path(name)))
            files.look(now: 2000)
            files.look(now: 3000)
        }
        #expect(said.withLock { $0 }.count == 1, "\(said.withLock { $0 })")
        let conditions = files.conditions(now: 3000)
        #expect(conditions.map(\.name) == ["certificate-files"] && conditions[0].since == "1970-01-01T00:33:20.000000Z")
        #expect(conditions[0].detail.contains(why) && conditions[0].detail.contains("what was read before serves on"))
        try FileManager.default.removeItem(atPath: authority.path(name))
        files.look(now: 4000)
        #expect(files.conditions(now: 4000)[0].detail.contains("cannot be read") && files.current != nil)
        try good.write(to: URL(fileURLWithPath: authority.path(name)))
        files.look(now: 5000)
        // The authorities are those that were there before: connections stay believed.
        #expect(files.conditions(now: 5000).isEmpty && files.trustVersion == 1)
    }

    @Test(arguments: [(Int?.none, "keyEncipherment", "digitalSignature"), (1024, "digitalSignature", "RSA of 2048 bits")])
    func `what TLS does not take is told in words that help`(bits: Int?, keyUse: String, remedy: String) throws {
        let authority = try Authority()
        defer { authority.remove() }
        try authority.root("root")
        try authority.issue("server", by: "root", keyUse: keyUse, bits: bits)
        try authority.install(clients: "root")
        let files = files(authority)
        files.look(now: 1000)
        let detail = try #require(files.conditions(now: 1000).first?.detail)
        #expect(
            detail.contains(remedy) && detail.contains("make") && detail.contains("anew") && !detail.contains("BoringSSL")
                && !detail.contains(".c:"), "\(detail)")
    }

    @Test func `before there were good files nothing is served`() throws {
        let authority = try Authority()
        defer { authority.remove() }
        let files = files(authority)
        files.look(now: 1000)
        #expect(files.current == nil && files.conditions(now: 1000)[0].detail.contains("the API is not served over TLS"))
    }
}
