// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// An Ansible inventory as a foreign language: files that end in `.ini` or are called `hosts` or `inventory`, and YAML documents with
/// the group `all` on their first level.
struct AnsibleDialect: ForeignDialect {
    let isLossy: Bool
    let isAlone: Bool

    func claims(apiVersion: String, kind: String) -> Bool { false }

    func claims(_ value: YAMLValue) -> Bool { isAlone || AnsibleDocument.recognises(value) }

    func claims(file: String) -> Bool {
        let name = file.split(separator: "/").last.map(String.init) ?? file
        if name.hasSuffix(".ini") || name == "hosts" || name == "inventory" { return true }
        return isAlone && !Loader.endings.contains(where: name.hasSuffix)
    }

    func read(_ documents: [ForeignDocument]) throws(PolicyError) -> ForeignReading {
        var hosts = AnsibleHosts(Ledger(isLossy: isLossy))
        var objects: [Document] = []
        for document in documents { objects += try hosts.documents(try AnsibleDocument.inventory(document.value)) }
        return ForeignReading(documents: objects, losses: hosts.ledger.losses, ignored: hosts.ledger.ignored)
    }

    func read(_ text: String, file: String) throws(PolicyError) -> ForeignReading {
        try InventoryFile.check(text, file)
        var hosts = AnsibleHosts(Ledger(isLossy: isLossy))
        let objects = try hosts.documents(try AnsibleText.inventory(text[...], file: file))
        return ForeignReading(documents: objects, losses: hosts.ledger.losses, ignored: hosts.ledger.ignored)
    }
}
