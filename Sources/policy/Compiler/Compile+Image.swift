// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy
internal import Record

/// From facts, rows and tables to the sections of the image.
extension Compilation {
    /// Lays everything out.
    mutating func finish(_ placements: [ZonePlacement]) throws(CompileError) -> Compiled {
        builder.generation = generation
        builder.contestedClass = ClassSpace.contested
        try addZones(placements)
        addAncestors()
        markOwners()
        addPrefixes()
        addCombinations()
        builder.labelSets = facts.classOfLabelSet.map { facts.space.known(labels: $0, knownNode: 0, zone: 0) }
        builder.tables = tables.tables
        builder.intervals = tables.intervals.map { IntervalEntry(start: $0.start, record: records.final($0.record)) }
        builder.records = records.inOrder
        builder.zonePairs = builder.zonePairs.map(records.final)
        builder.contestedRecord = records.final(contested)
        builder.itselfRecord = records.final(itself)
        let image: [UInt8]
        do {
            image = try builder.build(limit: limits.bytes)
        } catch {
            throw .image(error)
        }
        let causes = CauseTable(
            generation: generation, causes: records.causes, records: builder.records.map { ($0.cause, $0.auditCause) })
        return Compiled(image: image, causes: causes, set: set, figures: figures)
    }

    private var figures: Compiled.Figures {
        var figures = Compiled.Figures()
        figures.rules = rules.count
        figures.labelSets = inventory.labelSets.count
        figures.labelClasses = facts.labelClasses.count
        figures.classes = facts.space.count
        figures.prefixes = facts.tree.count - 1
        figures.rows = rowNumbers.count
        figures.rowEntries = builder.rows.count
        figures.tables = builder.tables.count
        figures.intervals = builder.intervals.count
        figures.records = builder.records.count
        return figures
    }

    private mutating func addZones(_ placements: [ZonePlacement]) throws(CompileError) {
        builder.zoneCount = UInt32(inventory.zones.count)
        let narrowestFirst = placements.enumerated().sorted {
            $0.element.narrowness != $1.element.narrowness
                ? $0.element.narrowness > $1.element.narrowness : $0.offset < $1.offset
        }
        builder.zoneFacts = inventory.zones.map { name in
            let zone = set.zones[name]
            return (zone?.onLink ?? false ? ZoneFacts.onLink : []).union(zone?.dhcpServer ?? false ? .dhcpServer : [])
        }
        builder.zones = narrowestFirst.map { $0.element.entry(number: inventory.zone($0.element.zone) ?? 0) }
        for source in inventory.zones {
            for destination in inventory.zones {
                let setting = set.unjudged(from: source, to: destination)
                builder.zonePairs.append(
                    try records.number(
                        setting == .deny ? .deny : .allow, flags: SideRecord.unjudged, audit: setting == .audit ? .deny : nil,
                        layer: .zone, end: .zones))
            }
        }
    }

    /// The lists of classes above each class; those of one class's siblings are the same list.
    private mutating func addAncestors() {
        var firsts: [ClassNumber: UInt32] = [:]
        for number in 0..<facts.space.count {
            let parent = tree.parents[number]
            guard parent != SnapshotLayout.none else { continue }
            if firsts[parent] == nil {
                firsts[parent] = UInt32(builder.ancestors.count)
                builder.ancestors += tree.ancestors(of: ClassNumber(number))
            }
            builder.classes[number].firstAncestor = firsts[parent] ?? 0
            builder.classes[number].ancestorCount = UInt16(tree.depths[number])
        }
    }

    /// Which classes are workloads', and which are nobody's here because the block around them is claimed in other zones only.
    private mutating func markOwners() {
        let space = facts.space
        for number in space.knownBase..<space.count { builder.classes[number].flags = ClassEntry.workload }
        guard !facts.claims.isEmpty else { return }
        var isClaimed = [Bool](repeating: false, count: facts.tree.count)
        for node in 1..<max(1, facts.tree.count) {
            // A node comes after the one around it.
            isClaimed[node] = isClaimed[facts.tree.parents[node]] || facts.claims[node] != nil
            for zone in 0..<space.zones
            where isClaimed[node] && facts.prefixClass(node: node, zone: zone) == space.outside(node: node, zone: zone) {
                builder.classes[Int(space.outside(node: node, zone: zone))].flags = ClassEntry.elsewhere
            }
        }
    }

    private mutating func addPrefixes() {
        for node in 1..<max(1, facts.tree.count) {
            builder.prefixes.insert(facts.tree.prefixes[node - 1], facts.prefixClass(node: node, zone: 0))
        }
    }

    /// Labels in a prefix, and everything in a zone that is kept apart.
    private mutating func addCombinations() {
        let space = facts.space
        var seen: [UInt64: ClassNumber] = [:]
        func add(_ first: ClassNumber, _ second: UInt32, _ both: ClassNumber, _ builder: inout SnapshotBuilder) {
            guard first != both, seen.updateValue(both, forKey: UInt64(first) << 32 | UInt64(second)) == nil else { return }
            var entry = CombinedEntry()
            (entry.labelClass, entry.prefixClass, entry.combined) = (first, second, both)
            builder.combined.append(entry)
        }
        for labels in 0..<space.labelClasses {
            for node in 0..<facts.tree.count where facts.knownNode[node] > 0 {
                let both = space.known(labels: labels, knownNode: facts.knownNode[node], zone: 0)
                add(space.known(labels: labels, knownNode: 0, zone: 0), facts.prefixClass(node: node, zone: 0), both, &builder)
            }
        }
        for (place, zone) in facts.zones.enumerated() {
            let tag = CombinedEntry.zoneTag | UInt32(zone)
            for node in 0..<facts.tree.count {
                add(facts.prefixClass(node: node, zone: 0), tag, facts.prefixClass(node: node, zone: place + 1), &builder)
            }
            for labels in 0..<space.labelClasses {
                if case .blocks = facts.labelClasses[labels].owner { continue }
                for node in space.knownNodes.indices {
                    add(
                        space.known(labels: labels, knownNode: node, zone: 0), tag,
                        space.known(labels: labels, knownNode: node, zone: place + 1), &builder)
                }
            }
        }
    }
}
