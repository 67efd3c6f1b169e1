// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Record

/// What a candidate generation would decide about a connection, as the API writes it beside what was decided.
public struct CandidateReport: Codable, Hashable, Sendable {
    /// allow, deny or reject.
    public var decision: String
    /// The drop reason's name; absent where it allows.
    public var reason: String?
    /// What its own audit would decide.
    public var audit: String?
    /// What the source's side says.
    public var egress: SideReport?
    /// What the destination's side says.
    public var ingress: SideReport?
    /// What settles it; its generation is 0, because the candidate is none yet.
    public var cause: CauseReport?

    /// The report of a candidate's event.
    init(_ event: FlowEvent) {
        decision = event.decision.map { String(describing: $0) } ?? String(event.record.decision)
        reason = event.reason?.name
        audit = Decision(rawValue: event.record.auditDecision).map { String(describing: $0) }
        egress = event.egress.map(SideReport.init)
        ingress = event.ingress.map(SideReport.init)
        cause = event.explainedCause.map { CauseReport($0, generation: event.record.generation) }
    }

    /// What it comes to, for people: `deny by default deny of tier default`.
    public var text: String {
        guard let cause else { return reason.map { "\(decision) (\($0))" } ?? "\(decision), no side judges it" }
        return "\(decision) by \(cause.text)"
    }
}
