// SPDX-License-Identifier: Apache-2.0
public import Compiler
internal import Net
public import Policy

/// What no policy of the daemon can close, as `GET /v1/policy` tells it, so that a client's analysis knows of it.
public struct FailsafeReport: Codable, Sendable {
    /// One end of a service that stays open: who lies in one of the blocks, and in one of the zones; what is absent is not asked.
    public struct End: Codable, Sendable {
        /// Blocks of addresses.
        public var cidrs: [String]?
        /// Names of zones.
        public var zones: [String]?

        init?(_ term: Term?) {
            guard let term else { return nil }
            (cidrs, zones) = (term.cidrs?.map(\.description), term.zones)
        }

        func term() throws(PolicyError) -> Term {
            var term = Term()
            term.zones = zones
            if let cidrs {
                let blocks = cidrs.compactMap { Prefix($0) }
                guard blocks.count == cidrs.count else {
                    throw PolicyError(
                        FailsafeReport.place, "a block of the daemon's failsafe is none: \(cidrs.joined(separator: ", "))")
                }
                term.cidrs = blocks
            }
            return term
        }
    }

    /// A service that stays open.
    public struct Opening: Codable, Sendable {
        /// What it is called in causes.
        public var name: String
        /// The services as policies write them, or as a run of keys where none of their words means just that.
        public var services: [String]
        /// The same as runs of service keys: the first one, and the first behind it.
        public var runs: [[UInt32]]
        /// Who may open it; anybody where absent.
        public var from: End?
        /// To whom; anybody where absent.
        public var to: End?

        init(_ opening: Failsafe.Opening) {
            name = opening.name
            services = opening.services.map(\.words)
            runs = opening.services.map { [$0.first, $0.end] }
            (from, to) = (End(opening.from), End(opening.to))
        }

        func opening() throws(PolicyError) -> Failsafe.Opening {
            var ranges: [ServiceRange] = []
            for run in runs {
                guard run.count == 2, run[0] < run[1], run[1] <= ServiceRange.everything.end else {
                    throw PolicyError(
                        FailsafeReport.place, "opening \"\(name)\" of the daemon's failsafe has no services: \(run)")
                }
                ranges.append(ServiceRange(first: run[0], end: run[1]))
            }
            return Failsafe.Opening(name, services: ranges, from: try from?.term(), to: try to?.term())
        }
    }

    /// Where errors in it are said to be.
    fileprivate static let place = Place(file: "(running)", line: 1, column: 1)

    /// The box's own addresses.
    public var addresses: [String]
    /// What stays open towards the box itself.
    public var box: [Opening]
    /// What stays open through it.
    public var transit: [Opening]

    /// The report of a configuration's failsafe.
    public init(_ failsafe: Failsafe) {
        addresses = failsafe.addresses.map(\.description)
        box = failsafe.box.map(Opening.init)
        transit = failsafe.transit.map(Opening.init)
    }

    /// The failsafe; throws where the text is of another version's language.
    public func failsafe() throws(PolicyError) -> Failsafe {
        var failsafe = Failsafe()
        failsafe.addresses = addresses.compactMap { Prefix($0) }
        for opening in box { failsafe.box.append(try opening.opening()) }
        for opening in transit { failsafe.transit.append(try opening.opening()) }
        return failsafe
    }
}

extension ServiceRange {
    /// The range as policies write it, else its keys.
    public var words: String { text ?? "\(first)..<\(end)" }
}
