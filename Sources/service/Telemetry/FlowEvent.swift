// SPDX-License-Identifier: Apache-2.0
public import Net
public import Record

/// A flow record with names put to its numbers: what the hub keeps and hands on. It shares its strings and causes with the tables
/// they come from, so that making one costs little; the text is made when somebody asks for it (`FlowReport`).
public struct FlowEvent: Sendable {
    /// Who sits at an end of the flow, and where.
    public struct Place: Hashable, Sendable {
        /// `namespace/name` of the workload; `nil` for an address that is none, or whose inventory is no longer known.
        public var workload: String?
        /// Its labels, as they were when the generation was published.
        public var labels: [String: String]
        /// The zone's name, or its number where the generation is no longer known.
        public var zone: String

        /// An end.
        public init(workload: String?, labels: [String: String] = [:], zone: String) {
            self.workload = workload
            self.labels = labels
            self.zone = zone
        }

        /// The workload's namespace; `nil` for a global one and for an address that is none.
        public var namespace: Substring? {
            workload.flatMap { name in name.firstIndex(of: "/").map { name[..<$0] } }
        }
    }

    /// What the worker wrote.
    public var record: FlowRecord
    /// When it happened.
    public var time: Timestamp
    /// When the flow's first frame came.
    public var firstSeen: Timestamp
    /// Who opened the flow.
    public var source: Place
    /// Whom it was opened to.
    public var destination: Place
    /// The port pair's name.
    public var pair: String
    /// Name of the port that the frame came in by.
    public var port: String
    /// What the source's egress side said; `nil` where it does not judge, or the generation is no longer known.
    public var egress: Cause?
    /// What the destination's ingress side said; `nil` where it does not judge, or the generation is no longer known.
    public var ingress: Cause?
    /// What audit would have said, of the side that decided.
    public var audit: Cause?
    /// Whether the causes of the record's generation are still known.
    public var isGenerationKnown: Bool
    /// Where to ask for the nearest rules.
    var nearest: PublishedNames.Nearest?
    /// What a candidate would decide about the connection, where one is shadowed and decides otherwise.
    public var candidate: Candidate?

    /// The same connection as a candidate generation judges it.
    public final class Candidate: Sendable {
        /// The event as it would be under the candidate; its generation is 0, because it is none yet.
        public let event: FlowEvent

        /// A candidate's judgement.
        public init(_ event: FlowEvent) { self.event = event }
    }
    /// Where to ask which values of the rules that decided held.
    var named: (any NamedValues)?

    /// What became of the connection; `nil` for a number of another build.
    public var decision: Decision? { Decision(rawValue: record.decision) }
    /// Why the frame was dropped, if it was.
    public var reason: DropReason? { record.reason == FlowRecord.none8 ? nil : DropReason(rawValue: record.reason) }
    /// The cause that settled the connection: of the first side that does not allow, else of the last side that judged.
    public var cause: Cause? { [egress, ingress].compactMap { $0 }.first { $0.decision != .allow } ?? ingress ?? egress }

    /// Both sides' causes, the one that settled the connection with the rules that nearly decided; see `explainedCause`.
    var explained: (egress: Cause?, ingress: Cause?) {
        guard let cause = explainedCause else { return (egress, ingress) }
        return cause.side == .egress ? (cause, ingress) : (egress, cause)
    }

    /// `cause` with the rules that nearly decided, where a tier's end or a namespace's default denied. It costs a walk over the rules.
    public var explainedCause: Cause? {
        guard var cause, let nearest, let place = cause.layers.firstIndex(where: { $0.decision != .allow }) else { return cause }
        guard cause.layers[place].end == .tier || cause.layers[place].end == .namespace else { return cause }
        if cause.layers[place].nearest.isEmpty { cause.layers[place].nearest = nearest(record, cause.side, time) }
        return cause
    }
}
