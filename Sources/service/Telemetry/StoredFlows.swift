// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import GRDB
internal import Record

/// Texts that many events share, by their numbers in the store. Names repeat, and causes are found by the numbers that a record
/// carries, so that a row costs no text.
struct Interned {
    /// A default's nearest rules depend on the connection: on its classes and its service, as far as one can tell cheaply.
    private struct Question: Hashable {
        var generation, egress, ingress, sourceClass, destinationClass, service: UInt32
    }
    private struct Causes {
        var egress, ingress, audit: Int64?
    }

    private static let capacity = 100_000
    private var numbers: [String: Int64] = [:]
    private var labels: [String: (labels: [String: String], number: Int64)] = [:]
    private var causes: [Question: Causes] = [:]

    /// The columns of an event's row behind its number, making those texts known that are not yet.
    mutating func columns(of event: FlowEvent, in database: Database) throws -> StatementArguments {
        let record = event.record
        let causes = try causes(of: event, in: database)
        let blob = unsafe withUnsafeBytes(of: record) { unsafe Data($0) }
        return [
            event.time.nanoseconds, event.firstSeen.nanoseconds, Int(record.decision),
            try event.source.workload.map { try number(of: $0, in: database) }, try labelNumber(event.source, in: database),
            try number(of: event.source.zone, in: database),
            try event.destination.workload.map { try number(of: $0, in: database) },
            try labelNumber(event.destination, in: database), try number(of: event.destination.zone, in: database),
            try number(of: event.pair, in: database), try number(of: event.port, in: database), causes.egress, causes.ingress,
            causes.audit, blob,
        ]
    }

    private mutating func number(of text: String, in database: Database) throws -> Int64 {
        if let number = numbers[text] { return number }
        let insert = try database.cachedStatement(sql: "INSERT OR IGNORE INTO texts (text) VALUES (?)")
        try insert.execute(arguments: [text])
        let select = try database.cachedStatement(sql: "SELECT id FROM texts WHERE text = ?")
        guard let number = try Int64.fetchOne(select, arguments: [text]) else {
            throw DatabaseError(resultCode: .SQLITE_ERROR, message: "a text that was written is not there")
        }
        if numbers.count >= Self.capacity { numbers.removeAll() }
        numbers[text] = number
        return number
    }

    private mutating func labelNumber(_ place: FlowEvent.Place, in database: Database) throws -> Int64? {
        guard let name = place.workload, !place.labels.isEmpty else { return nil }
        if let known = labels[name], known.labels == place.labels { return known.number }
        let number = try number(of: Self.text(place.labels), in: database)
        if labels.count >= Self.capacity { labels.removeAll() }
        labels[name] = (place.labels, number)
        return number
    }

    private mutating func causes(of event: FlowEvent, in database: Database) throws -> Causes {
        let record = event.record
        guard event.isGenerationKnown else { return Causes() }
        let question = Question(
            generation: record.generation, egress: record.egressRecord, ingress: record.ingressRecord,
            sourceClass: record.sourceClass, destinationClass: record.destinationClass,
            service: UInt32(record.protocolNumber) << 16 | UInt32(record.destinationPort))
        if let known = causes[question] { return known }
        let told = event.explained
        let found = Causes(
            egress: try told.egress.map { try number(of: Self.text($0), in: database) },
            ingress: try told.ingress.map { try number(of: Self.text($0), in: database) },
            audit: try event.audit.map { try number(of: Self.text($0), in: database) })
        if causes.count >= Self.capacity { causes.removeAll() }
        causes[question] = found
        return found
    }

    private static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// Rows of the store as events again.
struct StoredFlows {
    /// The store's texts by number.
    let texts: [Int64: String]
    private var causes: [Int64: Cause] = [:]
    private var labels: [Int64: [String: String]] = [:]

    /// Rows of a store that has these texts now.
    init(_ database: Database) throws {
        let rows = try Row.fetchAll(database, sql: "SELECT id, text FROM texts")
        texts = Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
    }

    /// The event of a row; `nil` for one that this build cannot read.
    mutating func event(_ row: Row) -> FlowEvent? {
        guard let blob: Data = row["record"], blob.count == MemoryLayout<FlowRecord>.size else { return nil }
        // A record is numbers only: any bits are one, and its readers trust no number.
        let record = unsafe blob.withUnsafeBytes { unsafe $0.loadUnaligned(as: FlowRecord.self) }
        let cause = [cause(row["egress"]), cause(row["ingress"]), cause(row["audit"])]
        return FlowEvent(
            record: record, time: Timestamp(nanoseconds: row["time"]), firstSeen: Timestamp(nanoseconds: row["first"]),
            source: place(row["source"], row["source_labels"], row["source_zone"]),
            destination: place(row["destination"], row["destination_labels"], row["destination_zone"]),
            pair: text(row["pair"]), port: text(row["port"]), egress: cause[0], ingress: cause[1], audit: cause[2],
            isGenerationKnown: cause[0] != nil || cause[1] != nil)
    }

    private func text(_ number: Int64?) -> String { number.flatMap { texts[$0] } ?? "?" }

    private mutating func place(_ workload: Int64?, _ labels: Int64?, _ zone: Int64?) -> FlowEvent.Place {
        FlowEvent.Place(workload: workload.flatMap { texts[$0] }, labels: labelSet(labels), zone: text(zone))
    }

    private mutating func labelSet(_ number: Int64?) -> [String: String] {
        guard let number else { return [:] }
        if let known = labels[number] { return known }
        let found = texts[number].flatMap { try? JSONDecoder().decode([String: String].self, from: Data($0.utf8)) } ?? [:]
        labels[number] = found
        return found
    }

    private mutating func cause(_ number: Int64?) -> Cause? {
        guard let number else { return nil }
        if let known = causes[number] { return known }
        let found = texts[number].flatMap { try? JSONDecoder().decode(Cause.self, from: Data($0.utf8)) }
        causes[number] = found
        return found
    }
}
