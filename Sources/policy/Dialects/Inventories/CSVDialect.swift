// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// Comma-separated values as a foreign language: files that end in `.csv`.
struct CSVDialect: ForeignDialect {
    let isLossy: Bool
    let isAlone: Bool

    func claims(apiVersion: String, kind: String) -> Bool { false }

    func claims(file: String) -> Bool { isAlone || file.hasSuffix(".csv") }

    func read(_ documents: [ForeignDocument]) throws(PolicyError) -> ForeignReading { ForeignReading() }

    func read(_ text: String, file: String) throws(PolicyError) -> ForeignReading {
        try InventoryFile.check(text, file)
        var inventory = CSVInventory(Ledger(isLossy: isLossy))
        let objects = try inventory.documents(text[...], file: file)
        return ForeignReading(documents: objects, losses: inventory.ledger.losses, ignored: inventory.ledger.ignored)
    }
}
