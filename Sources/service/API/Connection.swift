// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import HTTPTypes
internal import NIOCore
internal import NIOSSL
internal import State
internal import Synchronization
internal import Telemetry

/// One connection: who is at its other end, which the kernel or the handshake says once, and what they may, which is asked for every
/// request, because roles and authorities change meanwhile.
final class Connection: Sendable {
    /// The connection whose requests the current task serves.
    @TaskLocal static var current: Connection?

    /// What the transport knows of the other end.
    enum Peer: Sendable {
        /// A process of this machine, as it was when it connected.
        case process(PeerCredentials)
        /// A TLS client.
        case remote(address: String)
    }

    /// Who is at the other end, found out with the first request.
    private enum Identity {
        case user(Actor, uid: UInt32, groups: Set<UInt32>)
        case subject(Actor, PeerCertificate)
    }

    let peer: Peer
    private let channel: any Channel
    private let accepted: UInt64
    private let book: RoleBook
    /// The files that a TLS client was checked against, and which version of them; `nil` for the unix socket.
    private let trust: (files: TLSFiles, version: UInt64)?
    private let found = Mutex<(identity: Identity, began: UInt64?)?>(nil)

    init(_ channel: any Channel, _ peer: Peer, _ book: RoleBook, trust: (TLSFiles, UInt64)?) {
        self.channel = channel
        self.peer = peer
        self.book = book
        self.trust = trust
        accepted = BootTime.now
    }

    /// What limits are counted by: a user, or an address.
    var key: String {
        switch peer {
        case .process(let credentials): "user \(credentials.user)"
        case .remote(let address): address
        }
    }

    /// Who calls and what they may, now. Throws where the certificate that was shown is no longer good.
    func caller() async throws(Problem) -> Caller {
        let (identity, began) = try await identified()
        switch identity {
        case .user(let actor, let uid, let groups):
            return Caller(actor: actor, grants: book.current.grants(user: uid, groups: groups), began: began)
        case .subject(let actor, let certificate):
            try check(certificate)
            return Caller(actor: actor, grants: book.current.grants(subjects: certificate.subjects), began: began)
        }
    }

    private func check(_ certificate: PeerCertificate) throws(Problem) {
        guard let trust, trust.files.trustVersion == trust.version else {
            throw Problem(.unauthorized, "the authorities of clients were changed after this connection began; connect anew")
        }
        guard certificate.ends > Int64(time(nil)) else {
            throw Problem(.unauthorized, "the certificate of this connection has expired; connect with a new one")
        }
    }

    private func identified() async throws(Problem) -> (identity: Identity, began: UInt64?) {
        if let known = found.withLock({ $0 }) { return known }
        let fresh: (identity: Identity, began: UInt64?)
        switch peer {
        case .process(let credentials):
            let name = await book.name(ofUser: credentials.user)
            let actor = Actor(
                kind: .unix, name: name, uid: credentials.user,
                origin: credentials.process > 0 ? "process \(credentials.process)" : nil)
            fresh = (
                .user(actor, uid: credentials.user, groups: credentials.groups),
                Login.began(process: credentials.process, seen: accepted)
            )
        case .remote(let address):
            guard let shown = try? await channel.nioSSL_peerCertificate().get(), let certificate = PeerCertificate(shown) else {
                throw Problem(.unauthorized, "the certificate of this connection cannot be read as X.509 version 3")
            }
            // From the connection on and not from its handshake, which is later: what counts is that its frames are let through.
            fresh = (
                .subject(Actor(kind: .certificate, name: certificate.name, origin: address), certificate), accepted
            )
        }
        found.withLock { $0 = fresh }
        return fresh
    }
}
