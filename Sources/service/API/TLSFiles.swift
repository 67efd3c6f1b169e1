// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import Glibc
internal import NIOSSL
internal import SwiftASN1
internal import Synchronization
internal import Telemetry
internal import X509

/// The certificate, the key and the clients' authorities of the TLS server, read again when they change. What cannot be used changes
/// nothing: the last good ones serve on, and a condition says so until the files are mended.
final class TLSFiles: Sendable {
    /// Bytes of a file.
    private static let fileLimit = 1 << 20
    /// The longest time before the end of a certificate at which it is warned of; a third of its life where that is shorter.
    private static let notice: Int64 = 30 * 86_400

    /// What was read.
    private struct Contents: Hashable {
        var certificate, key, clientAuthority: Data
    }

    /// A certificate's life, in seconds since 1970.
    private struct Life {
        var what: String
        var begins, ends: Int64

        /// Since when it is near its end, or over it.
        var warned: Int64 { ends - min(TLSFiles.notice, max(0, ends - begins) / 3) }
    }

    private struct State {
        var read: Contents?
        var context: NIOSSLContext?
        var authority = Data()
        var trustVersion: UInt64 = 0
        var lives: [Life] = []
        var fault: (text: String, since: Int64)?
    }

    private let settings: APISettings.TLS
    private let state = Mutex(State())
    private let log: @Sendable (String) -> Void

    init(_ settings: APISettings.TLS, log: @escaping @Sendable (String) -> Void) {
        self.settings = settings
        self.log = log
    }

    /// What handshakes are made with, and the version of the authorities in it; `nil` before there were good files.
    var current: (context: NIOSSLContext, trust: UInt64)? {
        state.withLock { state in state.context.map { ($0, state.trustVersion) } }
    }

    /// Which version of the authorities holds: connections that were checked against an older one are not believed any more.
    var trustVersion: UInt64 { state.withLock { $0.trustVersion } }

    /// Looks at the files and takes them over if they are others than before and fit together; `now` is in seconds since 1970.
    func look(now: Int64) {
        do throws(Fault) {
            let contents = Contents(
                certificate: try read(settings.certificate), key: try read(settings.key),
                clientAuthority: try read(settings.clientAuthority))
            guard state.withLock({ $0.read }) != contents else { return }
            let (context, lives) = try make(contents)
            let isFirst = state.withLock { state in
                let isFirst = state.context == nil
                if state.authority != contents.clientAuthority { state.trustVersion += 1 }
                (state.read, state.context, state.lives, state.fault) = (contents, context, lives, nil)
                state.authority = contents.clientAuthority
                return isFirst
            }
            if !isFirst { log("the API's certificate, key or client-ca has changed; new connections use them") }
        } catch {
            let isNew = state.withLock { state in
                defer { if state.fault?.text != error.text { state.fault = (error.text, now) } }
                // A mended file that is what serves already must end the fault.
                state.read = nil
                return state.fault?.text != error.text
            }
            if isNew { log("\(error.text); \(consequence)") }
        }
    }

    /// What is wrong, or will soon be.
    func conditions(now: Int64) -> [StatusReport.Condition] {
        let (fault, lives) = state.withLock { ($0.fault, $0.lives) }
        var conditions: [StatusReport.Condition] = []
        if let fault {
            conditions.append(
                .init(name: "certificate-files", since: Self.written(fault.since), detail: "\(fault.text); \(consequence)"))
        }
        for life in lives where now >= life.warned {
            let verb = now >= life.ends ? "ended" : "ends"
            conditions.append(
                .init(
                    name: "certificate-ends", since: Self.written(life.warned),
                    detail:
                        "\(life.what) \(verb) at \(Self.written(life.ends)): put a new one into its place, no restart is needed"))
        }
        return conditions
    }

    private var consequence: String {
        state.withLock { $0.context == nil } ? "the API is not served over TLS" : "what was read before serves on"
    }

    private static func written(_ seconds: Int64) -> String {
        Timestamp(nanoseconds: seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue).description
    }
}

extension TLSFiles {
    /// Why files cannot be used.
    private struct Fault: Error {
        var text: String
    }

    private func read(_ path: String) throws(Fault) -> Data {
        guard let data = FileManager.default.contents(atPath: path) else { throw Fault(text: "\(path) cannot be read") }
        guard data.count <= Self.fileLimit else { throw Fault(text: "\(path) has more than \(Self.fileLimit) bytes") }
        return data
    }

    /// Makes what handshakes need, and demands that it fits together.
    private func make(_ contents: Contents) throws(Fault) -> (NIOSSLContext, [Life]) {
        let chain = try certificates(contents.certificate, settings.certificate)
        let authorities = try certificates(contents.clientAuthority, settings.clientAuthority)
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(bytes: [UInt8](contents.key), format: .pem)
        } catch {
            throw Fault(text: "\(settings.key) holds no private key in PEM")
        }
        var configuration = TLSConfiguration.makeServerConfigurationWithMTLS(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key), trustRoots: .certificates(authorities)
        )
        configuration.minimumTLSVersion = .tlsv13
        configuration.applicationProtocols = ["http/1.1"]
        configuration.sendCANameList = true
        // The library takes any key beside any certificate, and fails in the handshake.
        guard let secret = try? Certificate.PrivateKey(pemEncoded: String(decoding: contents.key, as: UTF8.self)) else {
            throw Fault(
                text: "\(settings.key) holds a key of a kind or size that is not taken: make one anew as docs/api.md shows, "
                    + "ECDSA on P-256 or P-384 or RSA of 2048 bits or more")
        }
        guard let own = try? Certificate(derEncoded: try chain[0].toDERBytes()), secret.publicKey == own.publicKey else {
            throw Fault(text: "\(settings.certificate) and \(settings.key) do not belong together")
        }
        do {
            let lives =
                [Life(what: settings.certificate, begins: Int64(chain[0].notValidBefore), ends: Int64(chain[0].notValidAfter))]
                + authorities.map {
                    Life(what: settings.clientAuthority, begins: Int64($0.notValidBefore), ends: Int64($0.notValidAfter))
                }
            return (try NIOSSLContext(configuration: configuration), lives)
        } catch {
            // What the library says of it is its own file and line, which helps nobody.
            throw Fault(
                text: "\(settings.certificate) or \(settings.clientAuthority) is no certificate that TLS takes: where one has a "
                    + "keyUsage, the server's must name digitalSignature and an authority's keyCertSign; make it anew as "
                    + "docs/api.md shows")
        }
    }

    private func certificates(_ data: Data, _ path: String) throws(Fault) -> [NIOSSLCertificate] {
        guard let found = try? NIOSSLCertificate.fromPEMBytes([UInt8](data)), !found.isEmpty else {
            throw Fault(text: "\(path) holds no certificate in PEM")
        }
        return found
    }
}
