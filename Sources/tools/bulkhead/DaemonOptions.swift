// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Control
import Foundation

/// The options that every verb has that asks a running daemon: where it is, and who asks.
struct DaemonOptions: ParsableArguments {
    @Option(
        name: .long,
        help:
            "The daemon's socket, as `socket` in its configuration says (default: $BULKHEAD_SOCKET, or /run/bulkhead/bulkhead.sock)."
    )
    var socket: String?

    @Option(
        name: .long,
        help: .init(
            "A daemon on another machine, as `api.tls` in its configuration says: https://HOST:PORT ($BULKHEAD_SERVER).",
            valueName: "url"))
    var server: String?

    @Option(name: .long, help: .init("With --server: your certificate, in PEM ($BULKHEAD_CERTIFICATE).", valueName: "file"))
    var certificate: String?

    @Option(name: .long, help: .init("With --server: its key, in PEM ($BULKHEAD_KEY).", valueName: "file"))
    var key: String?

    @Option(
        name: .long,
        help: .init("With --server: the authority that signed the daemon's certificate ($BULKHEAD_CA).", valueName: "file"))
    var ca: String?

    func validate() throws { _ = try way() }

    /// A client of that daemon.
    var client: DaemonClient { get throws { DaemonClient(way: try way()) } }

    /// The way to the daemon: what the command line says goes before the environment, and a socket that it names before a server that
    /// only the environment names.
    private func way() throws -> DaemonClient.Way {
        let environment = ProcessInfo.processInfo.environment
        if server != nil && socket != nil { throw ValidationError("--socket and --server are two ways: name one") }
        guard let server = server ?? (socket == nil ? environment["BULKHEAD_SERVER"] : nil) else {
            guard certificate == nil && key == nil && ca == nil else {
                throw ValidationError(
                    "--certificate, --key and --ca go with --server: over the socket the kernel says who you are")
            }
            return .socket(socket ?? environment["BULKHEAD_SOCKET"] ?? Configuration.defaultSocket)
        }
        guard let url = URL(string: server), url.scheme == "https", let host = url.host, url.path.isEmpty || url.path == "/"
        else {
            throw ValidationError("\"\(server)\" is no server: write https://HOST:PORT")
        }
        guard let certificate = certificate ?? environment["BULKHEAD_CERTIFICATE"], let key = key ?? environment["BULKHEAD_KEY"],
            let ca = ca ?? environment["BULKHEAD_CA"]
        else {
            throw ValidationError("--server needs --certificate, --key and --ca: both sides show who they are")
        }
        let place = host.contains(":") ? "[\(host)]" : host
        return .server("https://\(place):\(url.port ?? 443)", certificate: certificate, key: key, ca: ca)
    }
}
