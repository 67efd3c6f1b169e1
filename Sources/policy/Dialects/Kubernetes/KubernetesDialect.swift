// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// Kubernetes objects as a foreign language.
struct KubernetesDialect: ForeignDialect {
    let isLossy: Bool

    /// Every object is its own whose `apiVersion` is one of a cluster's, so that a kind that is not read is refused by name.
    func claims(apiVersion: String, kind: String) -> Bool {
        apiVersion == "v1" || (apiVersion.utf8.contains(UInt8(ascii: "/")) && !apiVersion.hasPrefix("bulkhead"))
    }

    func read(_ documents: [ForeignDocument]) throws(PolicyError) -> ForeignReading {
        var reader = KubernetesReader(Ledger(isLossy: isLossy))
        let objects = try reader.documents(of: documents.map(\.value))
        return ForeignReading(documents: objects, losses: reader.ledger.losses, ignored: reader.ledger.ignored)
    }
}
