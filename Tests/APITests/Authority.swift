// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// Certificates for the tests, made by the openssl command, as docs/api.md shows it.
struct Authority {
    static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")

    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-ca-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    /// A root: `NAME.pem` and `NAME.key`.
    func root(_ name: String) throws {
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path("\(name).key"),
            "-out",
            path("\(name).pem"), "-days", "3650", "-subj", "/CN=\(name)", "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign")
    }

    /// A certificate that a root signed: `NAME.pem` and `NAME.key`.
    func issue(
        _ name: String, by root: String, subject: String = "/O=Example/CN=ops", names: String? = nil, days: Int = 365,
        use: String = "clientAuth,serverAuth", keyUse: String? = nil, bits: Int? = nil
    ) throws {
        let kind = bits.map { ["rsa:\($0)"] } ?? ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        try openssl(
            ["req", "-newkey"] + kind
                + ["-nodes", "-keyout", path("\(name).key"), "-out", path("\(name).csr"), "-subj", subject])
        var extensions = "extendedKeyUsage=\(use)\n" + (names.map { "subjectAltName=\($0)\n" } ?? "")
        extensions += keyUse.map { "keyUsage=\($0)\n" } ?? ""
        try extensions.write(toFile: path("\(name).ext"), atomically: true, encoding: .utf8)
        try openssl(
            "x509", "-req", "-in", path("\(name).csr"), "-CA", path("\(root).pem"), "-CAkey", path("\(root).key"),
            "-CAcreateserial",
            "-days", String(days), "-extfile", path("\(name).ext"), "-out", path("\(name).pem"))
    }

    /// Puts files into the place of those that the server reads: `server.pem`, `server.key`, `clients.pem`.
    func install(certificate: String? = nil, key: String? = nil, clients: String? = nil) throws {
        for (name, to) in [
            (certificate.map { "\($0).pem" }, "server.pem"), (key.map { "\($0).key" }, "server.key"),
            (clients.map { "\($0).pem" }, "clients.pem"),
        ] {
            guard let name else { continue }
            try Data(contentsOf: URL(fileURLWithPath: path(name))).write(to: URL(fileURLWithPath: path(to)), options: .atomic)
        }
    }

    private func openssl(_ words: String...) throws { try openssl(words) }

    private func openssl(_ words: [String]) throws { _ = try Tool.run("/usr/bin/openssl", words).succeeded() }
}
