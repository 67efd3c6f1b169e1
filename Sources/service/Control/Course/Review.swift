// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Analysis
internal import Compiler
internal import Net
internal import Policy
internal import Record
internal import Telemetry

/// What a change would do: the boxes of connections that it decides otherwise, and what lint finds that it did not find before.
struct Review: Sendable {
    /// Rules and workloads of both sets together up to which they are compared: analysis holds both compiled, beside what is in force.
    static let most = 400_000
    /// Boxes that are told.
    static let toldBoxes = 200
    /// Findings that are told.
    static let toldFindings = 200

    /// What differs, widening first.
    var boxes: [ChangeReport.Box] = []
    /// How many boxes differ in all.
    var boxCount = 0
    /// Whether everything was compared.
    var isComplete = false
    /// New findings.
    var findings: [String] = []
    /// The live flows that it would cut; `nil` where nobody looked.
    private(set) var cuts: CutFlows?
    /// How many of those there are names for.
    private(set) var cutEnds: [(source: FlowEvent.Place, destination: FlowEvent.Place)?] = []
    /// How many flows the tables hold.
    var liveFlows: UInt64 = 0
    /// Both sets as analysis has them, for whoever watches what the new one denies; `nil` where they were too large.
    var views: (old: PolicyView, new: PolicyView)?

    /// Nothing was looked at.
    init() {}

    /// Compares two sets at a time, in unix seconds. Throws what the compiler refuses of the new one.
    init(
        old: PolicySet, new: PolicySet, zones: (old: [ZonePlacement], new: [ZonePlacement]),
        failsafe: (old: Failsafe, new: Failsafe), at time: UInt64, most: Int = Review.most
    ) throws(CompileError) {
        guard [old, new].reduce(0, { $0 + Self.size($1) }) <= most else { return }
        let after = try PolicyView(set: new, zones: zones.new, failsafe: failsafe.new, generation: 2)
        // What is in force was compiled before.
        guard let before = try? PolicyView(set: old, zones: zones.old, failsafe: failsafe.old) else { return }
        views = (before, after)
        let comparison = Comparison(old: before, new: after, at: time)
        boxCount = comparison.boxes.count
        isComplete = comparison.isComplete
        boxes = comparison.boxes.prefix(Self.toldBoxes).map { box in
            ChangeReport.Box(
                sources: box.sources.text, destinations: box.destinations.text, services: box.services.map(\.text),
                old: "\(box.old)", new: "\(box.new)", widening: box.isWidening)
        }
        let known = Set(Lint(before, .init(now: time)).findings.map(Self.key))
        findings = Lint(after, .init(now: time)).findings.filter { !known.contains(Self.key($0)) }
            .prefix(Self.toldFindings).map {
                "\($0.place): \($0.level.rawValue): \($0.reason) [\($0.code.rawValue)]; \($0.remedy)"
            }
    }

    /// Looks at the flows that live; `time` is in unix seconds.
    mutating func look(at flows: LiveFlows, at time: UInt64) {
        guard let views else { return }
        var cuts = CutFlows(old: views.old, new: views.new)
        flows.forEach { _, record in cuts.look(record, at: time) }
        cutEnds = cuts.cuts.map { flows.flow($0.record)?.ends }
        self.cuts = cuts
    }

    /// What is told of the flows that it would cut.
    var toldCuts: [ChangeReport.Cut]? {
        cuts?.cuts.enumerated().map { index, cut in
            let (record, ends) = (cut.record, cutEnds[index])
            let service = ServiceKey(IPProtocol(rawValue: record.protocolNumber), port: record.destinationPort)
            func told(_ address: Address, _ port: UInt16) -> String {
                guard IPProtocol(rawValue: record.protocolNumber).hasPorts else { return "\(address)" }
                return address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
            }
            var told = ChangeReport.Cut(
                source: told(record.source, record.sourcePort), destination: told(record.destination, record.destinationPort),
                service: ServiceRange(first: service.rawValue, end: service.rawValue + 1).text ?? "\(record.protocolNumber)",
                new: "\(cut.decision)")
            (told.sourceWorkload, told.destinationWorkload) = (ends?.source.workload, ends?.destination.workload)
            return told
        }
    }

    private static func size(_ set: PolicySet) -> Int {
        set.workloads.count + set.policies.reduce(0) { $0 + $1.rules.count }
    }

    /// The same finding, wherever its document has moved in its file.
    private static func key(_ finding: LintFinding) -> [String] { [finding.code.rawValue, finding.reason] }
}
