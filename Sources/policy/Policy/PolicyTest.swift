// SPDX-License-Identifier: Apache-2.0

/// What somebody expects of a policy set: sentences that must be true of it, and names that they use.
public struct PolicyTest: Sendable {
    /// One sentence: `web can reach db on tcp/5432`.
    public struct Expectation: Sendable {
        /// As it is written.
        public var text: String
        /// Who opens connections.
        public var source: String
        /// Whether they must be allowed, or must not be.
        public var isAllowed: Bool
        /// To whom.
        public var destination: String
        /// What for, each as policies write it, or as the destination names it.
        public var services: [String]
        /// Where it is written.
        public var place: Place

        /// An expectation.
        public init(
            text: String, source: String, isAllowed: Bool, destination: String, services: [String], place: Place = .nowhere
        ) {
            self.text = text
            self.source = source
            self.isAllowed = isAllowed
            self.destination = destination
            self.services = services
            self.place = place
        }
    }

    /// Its name. In a namespace its names' selectors speak of that namespace.
    public var name: ObjectName
    /// The time at which it asks, in unix seconds; that of the run where absent.
    public var time: UInt64?
    /// What the sentences call something of their own.
    public var names: [String: Term]
    /// The sentences.
    public var expectations: [Expectation]
    /// Where it is written.
    public var place: Place

    /// A test.
    public init(
        name: ObjectName, time: UInt64? = nil, names: [String: Term] = [:], expectations: [Expectation] = [],
        place: Place = .nowhere
    ) {
        self.name = name
        self.time = time
        self.names = names
        self.expectations = expectations
        self.place = place
    }
}
