// SPDX-License-Identifier: Apache-2.0
internal import NIOSSL
internal import SwiftASN1
internal import X509

/// What a client's certificate says of whom it is for. That it is signed by a configured authority, and for clients, was checked by the
/// handshake.
struct PeerCertificate: Sendable {
    /// The SPIFFE URI, else the distinguished name.
    var name: String
    /// What roles may be bound to.
    var subjects: Set<String>
    /// When it ends, in seconds since 1970.
    var ends: Int64

    /// `nil` where it cannot be read, or names nobody: a SPIFFE identity is exactly one URI (X.509-SVID, 2), and of two
    /// neither is to be believed.
    init?(_ certificate: NIOSSLCertificate) {
        guard let bytes = try? certificate.toDERBytes(), let parsed = try? Certificate(derEncoded: bytes) else { return nil }
        var identities: [String] = []
        if let names = try? parsed.extensions.subjectAlternativeNames {
            for case .uniformResourceIdentifier(let text) in names where text.lowercased().hasPrefix("spiffe://") {
                identities.append(text)
            }
        }
        guard identities.count <= 1 else { return nil }
        let distinguished = parsed.subject.description
        guard let name = identities.first ?? (distinguished.isEmpty ? nil : distinguished) else { return nil }
        self.name = name
        subjects = Set(identities)
        if !distinguished.isEmpty { subjects.insert(distinguished) }
        ends = Int64(certificate.notValidAfter)
    }
}
