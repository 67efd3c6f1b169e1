// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy
internal import Record

/// Side records and causes, each distinct one once. Records are numbered backwards at the end, so that a successor, which must exist
/// before the record that names it, has the greater number.
struct Records {
    private struct Key: Hashable {
        var decision: UInt8
        var audit: UInt8
        var change: UInt8
        var flags: UInt8
        var cause: UInt32
        var auditCause: UInt32
        var successor: UInt32
        var validUntil: UInt64
        var drainSeconds: UInt32
        var flowsUntil: UInt64
        var replySeconds: UInt32
    }

    private struct OutcomeKey: Hashable {
        var outcome: Outcome
        var direction: Rule.Direction
    }

    private var outcomes: [OutcomeKey: UInt32] = [:]
    private var numbers: [Key: UInt32] = [:]
    private var records: [SideRecord] = []
    private var causeNumbers: [Cause: UInt32] = [:]
    private(set) var causes: [Cause] = []
    /// Records behind each one in its chain of successors.
    private var behind: [Int] = []

    /// The number of a cause.
    mutating func number(of cause: Cause) -> UInt32 {
        if let known = causeNumbers[cause] { return known }
        causeNumbers[cause] = UInt32(causes.count)
        causes.append(cause)
        return UInt32(causes.count - 1)
    }

    /// The number of an outcome's cause, which is put into words only once.
    mutating func number(of outcome: Outcome, _ direction: Rule.Direction, _ evaluation: Evaluation) -> UInt32 {
        let key = OutcomeKey(outcome: outcome, direction: direction)
        if let known = outcomes[key] { return known }
        let number = number(of: evaluation.cause(outcome, direction))
        outcomes[key] = number
        return number
    }

    /// The provisional number of a record, whose successor is a provisional number too.
    mutating func number(of record: SideRecord) throws(CompileError) -> UInt32 {
        let key = Key(
            decision: record.decision, audit: record.audit, change: record.change, flags: record.flags, cause: record.cause,
            auditCause: record.auditCause, successor: record.successor, validUntil: record.validUntil,
            drainSeconds: record.drainSeconds, flowsUntil: record.flowsUntil, replySeconds: record.replySeconds)
        if let known = numbers[key] { return known }
        let length = record.successor == SnapshotLayout.none ? 0 : behind[Int(record.successor)] + 1
        guard length <= SnapshotLayout.maximumSuccessors else {
            throw .capacity(
                what: "points in time at which one decision changes", needed: length, limit: SnapshotLayout.maximumSuccessors)
        }
        numbers[key] = UInt32(records.count)
        records.append(record)
        behind.append(length)
        return UInt32(records.count - 1)
    }

    /// A record that holds for ever, with its cause.
    mutating func number(
        _ decision: Decision, flags: UInt8 = 0, audit: Decision? = nil, layer: PolicyLayer, end: Cause.End
    ) throws(CompileError) -> UInt32 {
        var record = SideRecord()
        record.decision = decision.rawValue
        record.flags = flags
        let cause = Cause(side: .egress, layers: [Cause.Layer(layer: layer, decision: decision, end: end)])
        record.cause = number(of: cause)
        if let audit {
            record.audit = audit.rawValue
            record.auditCause = number(of: Cause(side: .egress, layers: [.init(layer: layer, decision: audit, end: end)]))
        }
        return try number(of: record)
    }

    /// The final number of a provisional one; what names a table stays as it is.
    func final(_ number: UInt32) -> UInt32 {
        number >= RecordWord.split ? number : UInt32(records.count) - 1 - number
    }

    /// All records in the order of their final numbers.
    var inOrder: [SideRecord] {
        records.reversed().map { record in
            var record = record
            record.successor = final(record.successor)
            return record
        }
    }
}
