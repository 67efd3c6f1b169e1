// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Compiler
internal import Net
public import Policy
internal import Record

/// The outcome of a policy test: each of its sentences true, false with a connection that shows it, or no question at all.
///
/// A sentence about many speaks of all of them: `can` demands that every connection from any of the one to any of the other is allowed
/// for all of the services, `cannot` that none is for any of them. Nothing is sampled: the sentence is asked of every cell of the
/// compiled set that it touches.
public struct Trial: Sendable {
    /// What became of a sentence.
    public struct Finding: Sendable {
        /// The sentence.
        public var expectation: PolicyTest.Expectation
        /// Why it is false; `nil` where it is true.
        public var failure: String?
        /// Whether it could not be asked at all: a name that nothing has, a service that is none.
        public var isError: Bool
    }

    /// The test.
    public let test: PolicyTest
    /// What became of its sentences, in their order.
    public private(set) var findings: [Finding] = []

    /// How many sentences are not true.
    public var failures: Int { findings.count { $0.failure != nil } }

    /// Asks a test of a set. `now` is in unix seconds and stands where the test has no time of its own.
    public init(_ test: PolicyTest, of view: PolicyView, now: UInt64) {
        self.test = test
        var bench = TrialBench(test, view, test.time ?? now)
        for expectation in test.expectations {
            do throws(QuestionError) {
                findings.append(.init(expectation: expectation, failure: try bench.failure(of: expectation), isError: false))
            } catch {
                findings.append(.init(expectation: expectation, failure: error.description, isError: true))
            }
        }
    }
}

/// Cells and outcomes for the sentences of one test.
struct TrialBench {
    private let test: PolicyTest
    private let view: PolicyView
    private let time: UInt64
    private let cells: Cells
    private var outcomes: Outcomes
    private var known: [String: [Int]] = [:]

    init(_ test: PolicyTest, _ view: PolicyView, _ time: UInt64) {
        let texts = test.expectations.flatMap { [$0.source, $0.destination] }.compactMap { Prefix($0) }
        let terms = test.names.values.flatMap { ($0.cidrs ?? []) + ($0.notCIDRs ?? []) }
        cells = Cells([view], edges: texts + terms)
        outcomes = Outcomes([view], at: time)
        (self.test, self.view, self.time) = (test, view, time)
    }

    /// Why a sentence is false; `nil` where it is true.
    mutating func failure(of expectation: PolicyTest.Expectation) throws(QuestionError) -> String? {
        let sources = byCell(senders(try stretches(expectation.source, at: expectation.place)))
        let destinations = byCell(try stretches(expectation.destination, at: expectation.place))
        var isAsked = false
        for (from, own) in sources {
            for (to, others) in destinations {
                guard let (source, destination) = pair(own, others) else { continue }
                isAsked = true
                let outcome = outcomes.outcome(0, from: cells.all[from], to: cells.all[to], cells)
                for text in expectation.services {
                    let range = try view.services(text, of: owner(destination))
                    for (span, decision) in outcomes.spans(outcome) where (decision == .allow) != expectation.isAllowed {
                        let (first, last) = (max(span.first, range.first), min(span.last, range.end - 1))
                        guard first <= last else { continue }
                        let part = ServiceSpan(first: first, last: last, sourcePorts: span.sourcePorts)
                        return "\(name(source)) -> \(name(destination)) \(part.text): \(decision)"
                            + why(source, destination, first)
                    }
                }
            }
        }
        guard isAsked else {
            throw QuestionError("there is no connection to ask about: both ends are one workload, or of two families")
        }
        return nil
    }

    /// Who may send at all: addresses of another zone are spoofed there, and are left out unless the sentence means nothing else.
    private func senders(_ stretches: [Int]) -> [Int] {
        let honest = stretches.filter { !cells.all[cells.stretches[$0].cell].isElsewhere[0] }
        return honest.isEmpty ? stretches : honest
    }

    private func byCell(_ stretches: [Int]) -> [(Int, [Int])] {
        Dictionary(grouping: stretches) { cells.stretches[$0].cell }.sorted { $0.key < $1.key }.map { ($0, $1) }
    }

    private func owner(_ stretch: Int) -> Workload? {
        let owner = cells.owners[0][stretch]
        return owner < 0 ? nil : view.set.workloads[owner]
    }

    /// Two stretches between which there can be a connection that is judged.
    private func pair(_ sources: [Int], _ destinations: [Int]) -> (Int, Int)? {
        for source in sources {
            for destination in destinations {
                let isOneFamily = cells.stretches[source].address.isIPv4 == cells.stretches[destination].address.isIPv4
                let (own, others) = (cells.owners[0][source], cells.owners[0][destination])
                let isOne = own >= 0 ? own == others : source == destination && cells.stretches[source].isHost
                if isOneFamily && !isOne { return (source, destination) }
            }
        }
        return nil
    }

    /// Who is meant: a name of the test's, a workload, an address or a block, a zone, or a built-in entity.
    private mutating func stretches(_ text: String, at place: Place) throws(QuestionError) -> [Int] {
        if let stretches = known[text] { return stretches }
        let found = try find(text)
        guard !found.isEmpty else { throw QuestionError("\"\(text)\" is nobody: no workload and no address is meant by it") }
        known[text] = found
        return found
    }

    private func find(_ text: String) throws(QuestionError) -> [Int] {
        if let term = test.names[text] {
            return cells.stretches.indices.filter { term.matches(candidate($0), scope: test.name.namespace) }
        }
        if let prefix = Prefix(text) {
            return cells.stretches.indices.filter { prefix.numbers.contains(cells.stretches[$0].first) }
        }
        let qualified = !text.contains("/") && test.name.namespace != nil ? "\(test.name.namespace ?? "")/\(text)" : text
        for name in [qualified, text] {
            if let named = try? view.named(name, "who"), let workload = named.workload {
                return cells.stretches.indices.filter { cells.owners[0][$0] == workload }
            }
        }
        if view.set.hasZones, let zone = cells.zones.firstIndex(of: text) {
            return cells.stretches.indices.filter { cells.stretches[$0].zone == zone }
        }
        if let entity = Term.Entity(builtIn: text) { return cells.stretches.indices.filter { entity.matches(candidate($0)) } }
        let names = test.names.keys.sorted() + view.set.workloads.map(\.name.description) + Term.Entity.builtIn.map(\.name)
        let remedy = Spelling.remedy(text, among: names).map { "; \($0)" } ?? ""
        throw QuestionError("\"\(text)\" is no name of this test, no workload, no address, no zone and no entity\(remedy)")
    }

    private func candidate(_ stretch: Int) -> Term.Candidate {
        view.set.candidate(
            cells.stretches[stretch].address, zone: cells.zones[cells.stretches[stretch].zone], owner: owner(stretch),
            service: nil,
            at: time)
    }

    private func name(_ stretch: Int) -> String {
        let address = "\(cells.stretches[stretch].address)"
        return owner(stretch).map { "\($0.name) (\(address))" } ?? address
    }

    /// What decided, for the connection that shows it.
    private func why(_ source: Int, _ destination: Int, _ service: UInt32) -> String {
        let ends = [source, destination].map { cells.stretches[$0] }.map { ($0.address, cells.zones[$0.zone]) }
        let judgement = view.judge(
            .init(
                from: .init(address: ends[0].0, zone: ends[0].1), to: .init(address: ends[1].0, zone: ends[1].1),
                service: ServiceKey(rawValue: service), time: time))
        if judgement.isSpoofed { return ", spoofed: \(view.belongings(of: ends[0].0))" }
        if view.isUnjudged(judgement.egress) { return ", as the zones say" }
        let causes = [view.cause(judgement.egress, .egress), view.cause(judgement.ingress, .ingress)].compactMap { $0 }
        guard let cause = causes.first(where: { $0.decision != .allow }) ?? causes.last, let layer = cause.deciding else {
            return ""
        }
        if let policy = layer.policy { return ", by policy \(policy) rule \(layer.rule ?? "") (\(cause.side.rawValue))" }
        return ", by default (\(cause.side.rawValue))"
    }
}
