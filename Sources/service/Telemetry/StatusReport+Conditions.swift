// SPDX-License-Identifier: Apache-2.0

extension StatusReport {
    /// Something that is on and that somebody should know of until it is over: a bypass, a revision that awaits its confirmation,
    /// state that was damaged, files that differ from what serves, a certificate near its end.
    public struct Condition: Codable, Hashable, Sendable {
        /// What kind: `bypass`, `pending`, `certificate-ends`, …
        public var name: String
        /// Since when, RFC 3339; `nil` where nobody knows.
        public var since: String?
        /// What it is, and what to do.
        public var detail: String

        /// A condition.
        public init(name: String, since: String?, detail: String) {
            self.name = name
            self.since = since
            self.detail = detail
        }
    }

    /// What the API's servers count since the start of control.
    public struct APICounters: Codable, Hashable, Sendable {
        /// Connections open now.
        public var connections: UInt64 = 0
        /// Connections accepted.
        public var accepted: UInt64 = 0
        /// Connections refused because there were too many, in all or of one peer.
        public var crowded: UInt64 = 0
        /// Connections closed because the peer was too slow: a handshake, a request or an answer that did not come to its end.
        public var slow: UInt64 = 0
        /// Requests answered, whatever the answer.
        public var requests: UInt64 = 0
        /// Requests of these whose caller may not.
        public var forbidden: UInt64 = 0
        /// Requests of these that came too fast.
        public var limited: UInt64 = 0
        /// Requests of these that were too large, or for whose body there was no room.
        public var oversized: UInt64 = 0
        /// Requests of these that were not understood as HTTP, or not as what they asked for.
        public var malformed: UInt64 = 0

        /// Nothing counted.
        public init() {}
    }
}
