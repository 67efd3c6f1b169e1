// SPDX-License-Identifier: Apache-2.0

/// A shadow run as the API tells it: what a candidate would have done to the connections that came since it began.
public struct ShadowReport: Codable, Hashable, Sendable {
    /// What was counted since the run began. `judged` is the sum of `same`, `closes`, `opens` and `changes`.
    public struct Counts: Codable, Hashable, Sendable {
        /// Connections that the candidate was asked about.
        public var judged: UInt64 = 0
        /// Those that it decides as the policy in force did.
        public var same: UInt64 = 0
        /// Those that were allowed and would not be.
        public var closes: UInt64 = 0
        /// Those that were not allowed and would be.
        public var opens: UInt64 = 0
        /// Those that were denied and would be rejected, or the other way round.
        public var changes: UInt64 = 0
        /// Connections that more was asked about than policy, so that the candidate's word says nothing: of a hardware address that is bound to
        /// another sender, without room in the flow table, replies that a frame to a group made expected.
        public var unjudged: UInt64 = 0
        /// Refusals that were told as a number only: nobody knows whose they were.
        public var untold: UInt64 = 0
        /// Nothing counted.
        public init() {}

        /// Counts an effect, `nil` for none.
        mutating func count(_ effect: ShadowEffect?) {
            judged += 1
            switch effect {
            case .closes: closes += 1
            case .opens: opens += 1
            case .changes: changes += 1
            case nil: same += 1
            }
        }

        static func += (sum: inout Counts, more: Counts) {
            sum.judged += more.judged
            sum.same += more.same
            sum.closes += more.closes
            sum.opens += more.opens
            sum.changes += more.changes
            sum.unjudged += more.unjudged
            sum.untold += more.untold
        }
    }

    /// What the report does not have, by the place where it was lost, in the order in which a connection meets them.
    public struct Lost: Codable, Hashable, Sendable {
        /// Starts that workers could not write, because their ring was full.
        public var worker: UInt64 = 0
        /// Starts and refusals that came faster than they were judged, those included that a record tells as a number.
        public var queue: UInt64 = 0
        /// Connections that differ and are in no row, because there were too many kinds.
        public var table: UInt64 = 0
        /// Events that followers were too slow for.
        public var reader: UInt64 = 0
        /// Nothing lost.
        public init() {}

        static func += (sum: inout Lost, more: Lost) {
            sum.worker &+= more.worker
            sum.queue += more.queue
            sum.table += more.table
            sum.reader += more.reader
        }
    }

    /// One end of a row.
    public struct Party: Codable, Hashable, Sendable {
        /// The zone.
        public var zone: String
        /// The workloads' namespace.
        public var namespace: String?
        /// The workloads' labels; absent for addresses that are no workload's.
        public var labels: [String: String]?
        /// Names of the first workloads that were seen, or addresses, eight at most.
        public var seen: [String]
        /// Whether more were seen.
        public var more: Bool

        /// `shop app=db`, `outside in wan`.
        public var text: String {
            guard let labels else { return "outside in \(zone)" }
            let words = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return ([namespace ?? "(global)"] + words).joined(separator: " ")
        }
    }

    /// Connections of a kind that the candidate decides otherwise.
    public struct Row: Codable, Hashable, Sendable {
        /// closes, opens or changes.
        public var effect: String
        /// Who opens them.
        public var source: Party
        /// To whom.
        public var destination: Party
        /// On what, as policies write it.
        public var service: String
        /// What they got.
        public var old: String
        /// What they would get.
        public var new: String
        /// How many.
        public var connections: UInt64
        /// The first, RFC 3339.
        public var first: String
        /// The last, RFC 3339.
        public var last: String
        /// The last of them, with what settled it and what would settle it.
        public var example: FlowReport
    }

    /// running, over (its time), or ended.
    public var state: String
    /// Why it ended; absent while it runs.
    public var end: String?
    /// Since when, RFC 3339.
    public var since: String
    /// Until when it runs, or did, RFC 3339.
    public var until: String
    /// Who began it.
    public var actor: String
    /// Why.
    public var reason: String?
    /// The namespace whose policies the candidate replaces; absent for a whole set.
    public var namespace: String?
    /// Rules of the candidate.
    public var rules: Int
    /// How often the candidate was compiled again, because what it stands on changed.
    public var renewed: Int
    /// Whether the candidate is behind what it stands on, and is just being compiled again.
    public var behind: Bool
    /// What was counted.
    public var counts: Counts
    /// What was lost.
    public var lost: Lost
    /// How many rows fit the conditions.
    public var rowCount: Int
    /// The first of them: what closes before what opens, and that before what changes; where more connections are first.
    public var rows: [Row]
}
