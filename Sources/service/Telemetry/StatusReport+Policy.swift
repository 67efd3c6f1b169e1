// SPDX-License-Identifier: Apache-2.0

extension StatusReport {
    /// Which policy serves, and where it comes from.
    public struct PolicyState: Codable, Hashable, Sendable {
        /// The revision's number; `nil` where the state cannot be written and the configured files serve.
        public var revision: Int64?
        /// files, applied or rollback.
        public var source: String
        /// SHA-256 of its documents; `nil` without a revision.
        public var digest: String?
        /// pending or confirmed.
        public var outcome: String
        /// Seconds until it goes back unless it is confirmed, begun ones counted; while it is pending.
        public var secondsLeft: UInt64?
        /// Whether the configured files say something else than what serves.
        public var filesDiffer: Bool
        /// Workloads that clients registered.
        public var registrations: Int
        /// Addresses that more than one workload claims in a zone, 100 at most: nobody's labels, denied.
        public var contested: [String]

        private enum CodingKeys: String, CodingKey {
            case revision, source, digest, outcome, registrations, contested
            case secondsLeft = "seconds_left"
            case filesDiffer = "files_differ"
        }

        /// What serves, by its source and outcome.
        public init(source: String, outcome: String) {
            self.source = source
            self.outcome = outcome
            (filesDiffer, registrations, contested) = (false, 0, [])
        }
    }
}
