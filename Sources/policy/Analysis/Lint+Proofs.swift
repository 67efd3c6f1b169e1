// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Compiler
internal import Net
internal import Policy
internal import Record

/// What is proved on the compiled set: rules that own no interval of any service table, and rules without which every decision is the
/// same.
struct Proofs {
    /// What was proved of a rule.
    enum Standing: Equatable {
        /// It decides something.
        case alive
        /// It decides nothing: these rules, or tiers, decide where it would.
        case shadowed(by: [String], byTierEnd: Bool)
        /// It decides nothing, and nothing in its layer decides where it would.
        case dead
        /// It decides nothing, because its subject or its peers are nobody.
        case vain
        /// It decides, and without it the same would be decided.
        case redundant
    }

    private(set) var standings: [RulePlace: Standing] = [:]
    /// Rules for which the budget was spent.
    private(set) var unproved: [RulePlace] = []
    private var owners: Set<RulePlace> = []
    private var places: [String: [String: RulePlace]] = [:]

    init(_ bench: inout LintBench) {
        for place in bench.rules {
            places[bench.set.policies[place.policy].name.description, default: [:]][bench.walk.rule(place).label] = place
        }
        guard !bench.budget.isSpent, findOwners(&bench) else {
            unproved = bench.rules.filter { bench.expires($0) > bench.now }
            return
        }
        for place in bench.rules where bench.expires(place) > bench.now { judge(place, &bench) }
        findRedundant(&bench)
    }

    /// Finds every rule that decides in some interval from now on. False where the budget was spent.
    private mutating func findOwners(_ bench: inout LintBench) -> Bool {
        let (snapshot, cells) = (bench.view.snapshot, bench.cells.all)
        var records: Set<UInt32> = []
        var tables: Set<UInt32> = []
        for egress in [true, false] {
            var rows: Set<UInt32> = []
            for cell in cells {
                let row = snapshot.row(of: cell.classes[0], egress: egress)
                guard row != SnapshotLayout.none, rows.insert(row).inserted else { continue }
                guard bench.budget.take(cells.count) else { return false }
                var last = SnapshotLayout.none
                for peer in cells {
                    let table = snapshot.table(of: cell.classes[0], peer: peer.classes[0], egress: egress)
                    if table != last, table != SnapshotLayout.none { tables.insert(table) }
                    last = table
                }
            }
        }
        for table in tables {
            let runs = snapshot.runs(ofTable: table)
            guard bench.budget.take(4 + 3 * runs.count) else { return false }
            for run in runs { records.insert(run.record) }
        }
        for record in records where record != SnapshotLayout.none {
            guard follow(record, &bench) else { return false }
        }
        return true
    }

    /// Notes the rules that a record names, from now on until its last successor. False where the budget was spent.
    private mutating func follow(_ record: UInt32, _ bench: inout LintBench) -> Bool {
        var next = bench.view.snapshot.record(record, at: bench.now)
        while let here = next {
            guard bench.budget.take(20) else { return false }
            for number in [here.cause, here.auditCause] where number < bench.view.compiled.causes.causes.count {
                for layer in bench.view.compiled.causes.causes[Int(number)].layers {
                    guard let policy = layer.policy, let rule = layer.rule, let place = places[policy]?[rule] else { continue }
                    owners.insert(place)
                }
            }
            next = here.successor == SnapshotLayout.none ? nil : bench.view.snapshot.record(here.successor)
        }
        return true
    }

    private mutating func judge(_ place: RulePlace, _ bench: inout LintBench) {
        if owners.contains(place) {
            standings[place] = .alive
            return
        }
        let action = bench.set.policies[place.policy].rules[place.rule].action
        let decides = action != .pass && action != .log
        guard let subjects = bench.subjects(of: place), let peers = bench.peers(of: place) else {
            // A rule that could decide, and owns nothing, is dead, whatever it is in vain for.
            if decides { standings[place] = .dead } else { unproved.append(place) }
            return
        }
        let isVain = subjects.isEmpty || peers.isEmpty
        if isVain {
            standings[place] = .vain
        } else if !decides {
            // A rule that does not decide owns nothing: it is looked for on its way.
            switch isMet(place, peers, &bench) {
            case true?: standings[place] = .alive
            case false?: standings[place] = .dead
            case nil: unproved.append(place)
            }
        } else {
            let names = deciders(place, subjects, peers, &bench)
            if let names, !names.text.isEmpty {
                standings[place] = .shadowed(by: names.text, byTierEnd: names.isTierEnd)
            } else {
                standings[place] = .dead
            }
        }
    }

    /// Whether some connection meets a rule that does not decide; `nil` where the budget was spent.
    private func isMet(_ place: RulePlace, _ peers: [Int], _ bench: inout LintBench) -> Bool? {
        for number in bench.groupsOf[place.policy]
        where bench.groups[number].direction == bench.set.policies[place.policy].rules[place.rule].direction {
            guard let own = bench.cells(of: number, for: place) else { return nil }
            let isolating = bench.groups[number].isolating
            for peer in peers {
                guard bench.budget.take() else { return nil }
                guard let subject = bench.first(of: own, beside: peer) else { continue }
                guard let points = Points(number, subject, peer, of: place, &bench) else { return nil }
                for point in points.all {
                    guard let matching = points.matching(point, &bench.budget) else { return nil }
                    for time in points.times {
                        guard bench.budget.take(points.stepsOfWay) else { return nil }
                        let way = bench.walk.way(points.side(point, at: time), isolating, matching)
                        let isMet = way.contains { layer in
                            layer.logged.contains(place) || layer.tiers.contains { $0.step == .left(place) }
                        }
                        if isMet { return true }
                    }
                }
            }
        }
        return false
    }

    /// What decides where a rule would, by name, three at most; `nil` where the budget was spent.
    private func deciders(
        _ place: RulePlace, _ subjects: [Int], _ peers: [Int], _ bench: inout LintBench
    ) -> (text: [String], isTierEnd: Bool)? {
        let rule = bench.walk.rule(place)
        let snapshot = bench.view.snapshot
        let layerOf = bench.set.tiers[bench.set.policies[place.policy].tier]?.layer.rawValue
        var (names, isTierEnd): ([String], Bool) = ([], false)
        let egress = rule.direction == .egress
        guard bench.budget.take(2 * subjects.count) else { return nil }
        // The same table says the same of every peer, where no service has a name.
        let isNamed = !(rule.services?.names ?? []).isEmpty
        var seen: Set<UInt32> = []
        let byRow = Dictionary(grouping: subjects) { snapshot.row(of: bench.cells.all[$0].classes[0], egress: egress) }
        for row in byRow.keys.sorted() {
            for peer in peers {
                guard let subject = bench.first(of: byRow[row] ?? [], beside: peer) else { continue }
                guard names.count < 3, bench.budget.take(4) else { return (names, isTierEnd) }
                let own = bench.cells.all[subject].classes[0]
                let table = snapshot.table(of: own, peer: bench.cells.all[peer].classes[0], egress: egress)
                guard table != SnapshotLayout.none, seen.insert(table).inserted || isNamed else { continue }
                let named = bench.index.candidates[rule.direction == .ingress ? subject : peer].workload?.services ?? [:]
                let runs = snapshot.runs(ofTable: table)
                guard bench.budget.take(20 + 8 * runs.count) else { return (names, isTierEnd) }
                for run in runs where rule.touches(run.first, run.end, named) {
                    guard let record = snapshot.record(run.record, at: bench.now),
                        record.cause < bench.view.compiled.causes.causes.count,
                        let layer = bench.view.compiled.causes.causes[Int(record.cause)].layers.first(where: {
                            $0.layer.rawValue == layerOf
                        })
                    else { continue }
                    var name: String?
                    if let policy = layer.policy, let number = layer.rule, let place = places[policy]?[number] {
                        name = "\(bench.name(place)) (\(bench.walk.rule(place).place))"
                    } else if layer.end == .tier, let tier = layer.tier {
                        name = "the end of tier \(tier)"
                        isTierEnd = true
                    }
                    if let name, !names.contains(name) { names.append(name) }
                }
            }
        }
        return (names, isTierEnd)
    }
}

/// Rules without which everything stays as it is.
extension Proofs {
    private mutating func findRedundant(_ bench: inout LintBench) {
        let hasMoving = bench.set.addressSets.contains { $0.entries.contains { $0.service != nil || $0.until != nil } }
        var open = Set(
            standings.filter { place, standing in
                standing == .alive && bench.set.policies[place.policy].mode == .enforce
                    && bench.set.policies[place.policy].rules[place.rule].action != .log
                    && bench.set.policies[place.policy].rules[place.rule].mode == .enforce
            }.keys)
        guard !hasMoving else {
            unproved += open.sorted()
            return
        }
        for (number, group) in bench.groups.enumerated() {
            for policy in group.policies {
                for rule in bench.set.policies[policy].rules.indices
                where bench.set.policies[policy].rules[rule].direction == group.direction {
                    let place = RulePlace(policy: policy, rule: rule)
                    guard bench.budget.take() else {
                        unproved += open.sorted()
                        return
                    }
                    guard open.contains(place) else { continue }
                    guard let isNeeded = isNeeded(place, in: number, &bench) else {
                        unproved += open.sorted()
                        return
                    }
                    if isNeeded { open.remove(place) }
                }
            }
        }
        for place in open { standings[place] = .redundant }
    }

    /// Whether something in a group would be decided otherwise without a rule; `nil` where the budget was spent.
    private func isNeeded(_ place: RulePlace, in number: Int, _ bench: inout LintBench) -> Bool? {
        guard let own = bench.cells(of: number, for: place), let peers = bench.peers(of: place) else { return nil }
        let isolating = bench.groups[number].isolating
        for peer in peers {
            guard bench.budget.take() else { return nil }
            guard let subject = bench.first(of: own, beside: peer) else { continue }
            guard let points = Points(number, subject, peer, of: place, &bench) else { return nil }
            for point in points.all {
                guard let matching = points.matching(point, &bench.budget) else { return nil }
                guard matching.contains(place) else { continue }
                let others = matching.filter { $0 != place }
                for time in points.times {
                    guard bench.budget.take(2 * points.stepsOfWay) else { return nil }
                    let side = points.side(point, at: time)
                    let with = Walk.decision(bench.walk.way(side, isolating, matching))
                    if with != Walk.decision(bench.walk.way(side, isolating, others)) { return true }
                }
            }
        }
        return false
    }
}

extension Rule {
    /// Whether its services have something in a run of services, for a destination with these named ones.
    func touches(_ first: UInt32, _ end: UInt32, _ named: [String: ServiceRange]) -> Bool {
        guard let services else { return true }
        return services.services.contains { service in
            service.range(named: named).map { $0.first < end && first < $0.end } ?? false
        }
    }
}
