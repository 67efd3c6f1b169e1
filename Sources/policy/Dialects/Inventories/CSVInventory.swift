// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// Reads workloads from comma-separated values: a header that names the columns, then a workload a record.
///
/// Each record becomes the tree of a `Workload` document and is read as one, so that a cell is held to the same rules, with the same
/// words, as the field of a document, at the place of the cell.
struct CSVInventory {
    /// The columns, beside `label.KEY` for one label each.
    static let columns = ["name", "namespace", "labels", "addresses", "zones", "mac", "serviceAccount", "services"]
    static let labelPrefix = "label."
    /// Records of one file.
    static let records = 1_000_000

    private(set) var ledger: Ledger

    init(_ ledger: Ledger) { self.ledger = ledger }

    mutating func documents(_ text: Substring, file: String) throws(PolicyError) -> [Document] {
        var reader = CSVText(text, file: file)
        guard let header = try reader.next() else {
            throw PolicyError(
                Place(file: file, line: 1, column: 1), "the file is empty",
                remedy: "begin with a line that names the columns: name, addresses, …")
        }
        let columns = try columns(header)
        var documents: [Document] = []
        while let record = try reader.next() {
            guard record.count == header.count else {
                throw PolicyError(
                    record[0].place, "the line has \(record.count) fields, and the header names \(header.count)",
                    remedy: "put a field with a comma in it in quotes")
            }
            guard documents.count < Self.records else {
                throw PolicyError(record[0].place, "the file has more than \(Self.records) workloads", remedy: "split it")
            }
            let cells = zip(columns, record).compactMap { column, field in column.map { ($0, field) } }
            documents.append(try workload(cells).document())
        }
        return documents
    }

    /// The header's names; `nil` for a column that is left out.
    private mutating func columns(_ header: [InventoryField]) throws(PolicyError) -> [String?] {
        var columns: [String?] = []
        for field in header {
            let name = field.text
            if columns.contains(name) { throw PolicyError(field.place, "the column \"\(name)\" is there twice") }
            if Self.columns.contains(name) || (name.hasPrefix(Self.labelPrefix) && name != Self.labelPrefix) {
                columns.append(name)
                continue
            }
            try ledger.lose(
                field.place, "there is no column \"\(name)\"",
                remedy: Spelling.remedy(name, among: Self.columns)
                    ?? "there are \(Self.columns.joined(separator: ", ")) and label.KEY")
            columns.append(nil)
        }
        guard columns.contains("name") else { throw PolicyError(header[0].place, "the header names no column \"name\"") }
        return columns
    }

    private func workload(_ cells: [(column: String, field: InventoryField)]) throws(PolicyError) -> WorkloadTree {
        var tree = WorkloadTree(cells[0].field.place)
        for (column, field) in cells where !field.text.isEmpty {
            if column.hasPrefix(Self.labelPrefix) {
                try tree.label(String(column.dropFirst(Self.labelPrefix.count)), field.text, field.place)
                continue
            }
            switch column {
            case "name", "namespace": tree.metadata(column, field.text, field.place)
            case "labels":
                for (key, value) in try field.pairs() { try tree.label(key.text, value.text, key.place) }
            case "services":
                for (key, value) in try field.pairs() { try tree.service(key.text, value.text, key.place, value.place) }
            case "addresses", "zones": tree.list(column, field.parts().map { ($0.text, $0.place) }, field.place)
            default: tree.text(column, field.text, field.place)
            }
        }
        return tree
    }
}
