// SPDX-License-Identifier: Apache-2.0
public import Policy

/// What `lint` can find. The manual has a row for each, which a test demands.
public enum LintCode: String, Sendable, CaseIterable {
    // Proved on the compiled set.
    /// A rule that decides nothing anywhere because rules before it decide.
    case shadowedRule = "shadowed-rule"
    /// A rule that decides nothing anywhere because tiers before it end first.
    case tierEndShadows = "tier-end-shadows"
    /// A rule that decides nothing anywhere.
    case deadRule = "dead-rule"
    /// A rule without which everything is decided as with it.
    case redundantRule = "redundant-rule"
    /// Rules of which the budget allowed no proof.
    case notProved = "not-proved"
    // Width.
    /// A rule that allows everything to or from everybody.
    case anyAny = "any-any"
    /// A rule whose permissiveness exceeds the limit.
    case overWide = "over-wide"
    // Time.
    /// Something that has expired.
    case expired = "expired"
    /// Something that will expire soon.
    case expiresSoon = "expires-soon"
    /// Something temporary for which nobody answers.
    case temporaryWithoutOwner = "temporary-without-owner"
    // Names.
    /// A term that selects by label and finds nothing.
    case selectorMatchesNothing = "selector-matches-nothing"
    /// A list of peers that is empty.
    case emptyPeers = "empty-peers"
    /// A policy that neither has rules nor isolates.
    case emptyPolicy = "empty-policy"
    /// A tier that no policy joins.
    case unusedTier = "unused-tier"
    /// A zone in which no workload is and that no term names.
    case unusedZone = "unused-zone"
    /// An entity that no term names.
    case unusedEntity = "unused-entity"
    /// An address set that no term selects.
    case unusedAddressSet = "unused-address-set"
    // Place.
    /// Workloads that a policy keeps apart and the appliance never sees between.
    case notEnforcedHere = "not-enforced-here"
    // Traps of policy languages.
    /// Two peers in a list that look like one.
    case extraDash = "extra-dash"
    /// A policy about one direction that isolates the other as well.
    case otherDirectionIsolated = "other-direction-isolated"
    /// A negated selector that lets in what has no labels at all.
    case negatedSelectorOutside = "negated-selector-outside"
    /// A selector that matches what lacks the label.
    case absentLabelMatches = "absent-label-matches"
    /// A block of addresses in which workloads lie.
    case cidrMatchesWorkloads = "cidr-matches-workloads"
    /// A name of a service that is not the same, or is missing, at some destinations.
    case namedServiceDiffers = "named-service-differs"
    /// Addresses that one peer leaves out and another brings back.
    case exceptionReadmitted = "exception-readmitted"
    /// DNS on one of TCP and UDP only.
    case dnsOneProtocol = "dns-one-protocol"
    /// Policies whose order only their names settle, and that contradict each other.
    case orderTie = "order-tie"
    /// A rule without flows whose replies no rule lets back.
    case statelessWithoutReply = "stateless-without-reply"

    /// How bad it is.
    public enum Level: String, Sendable, CaseIterable, Comparable {
        /// Worth knowing.
        case note
        /// Probably not meant.
        case warning
        /// Surely not meant.
        case error

        /// By weight.
        public static func < (a: Level, b: Level) -> Bool { a.weight < b.weight }
        private var weight: Int { self == .note ? 0 : self == .warning ? 1 : 2 }
    }

    /// How bad it is.
    public var level: Level {
        switch self {
        case .anyAny, .expired: .error
        case .redundantRule, .notProved, .emptyPolicy, .unusedTier, .unusedZone, .unusedEntity, .unusedAddressSet,
            .absentLabelMatches,
            .cidrMatchesWorkloads, .otherDirectionIsolated:
            .note
        default: .warning
        }
    }
}

/// Something that `lint` found.
public struct LintFinding: Sendable, Hashable {
    /// What.
    public var code: LintCode
    /// Where.
    public var place: Place
    /// What is wrong, with names.
    public var reason: String
    /// What to do.
    public var remedy: String

    /// How bad it is.
    public var level: LintCode.Level { code.level }
}
