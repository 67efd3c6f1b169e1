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
        placeOfNode = nearestPlaces
        markOwners()
        addPrefixes()
        addCombinations()
        builder.labelSets = facts.classOfLabelSet.map { space.plain(labels: $0, zone: 0) }
        builder.tables = tables.entries
        builder.intervals = tables.intervals(records.final)
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
        figures.rules = set.policies.reduce(0) { $0 + $1.rules.count }
        figures.labelSets = inventory.labelSets.count
        figures.labelClasses = facts.labelClasses.count
        figures.classes = space.count
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
        for number in 0..<space.count {
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
        for number in space.knownBase..<space.count { builder.classes[number].flags = ClassEntry.workload }
        guard !facts.claims.isEmpty else { return }
        var isClaimed = [Bool](repeating: false, count: facts.tree.count)
        for node in 1..<max(1, facts.tree.count) {
            // A node comes after the one around it.
            isClaimed[node] = isClaimed[facts.tree.parents[node]] || facts.claims[node] != nil
            for zone in 0..<space.zones where isClaimed[node] {
                let outside = space.outside(node: node, zone: zone)
                if prefixClass(node: node, zone: zone) == outside { builder.classes[Int(outside)].flags = ClassEntry.elsewhere }
            }
        }
    }

    /// For each node the nearest place at or around it that tells workloads apart.
    private var nearestPlaces: [Int] {
        var nearest = [0]
        for node in 1..<max(1, facts.tree.count) {
            nearest.append(space.knownNodes.place(of: node) ?? nearest[facts.tree.parents[node]])
        }
        return nearest
    }

    /// The class of an address without a host's claim, at a prefix node, in a zone of the class space: the nearest block that some
    /// workload claims there, else nobody.
    private func prefixClass(node: Int, zone: Int) -> ClassNumber {
        var next = node
        while next > 0 {
            let holder = facts.claims[next]?.first { claim in
                claim.zones.isEmpty || (zone > 0 && claim.zones.contains(facts.zones[zone - 1]))
            }
            if let holder {
                return space.known(labels: holder.labels, place: placeOfNode[node], zone: zone)
                    ?? space.plain(labels: holder.labels, zone: zone)
            }
            next = facts.tree.parents[next]
        }
        return space.outside(node: node, zone: zone)
    }

    private mutating func addPrefixes() {
        for node in 1..<max(1, facts.tree.count) {
            builder.prefixes.insert(facts.tree.prefixes[node - 1], prefixClass(node: node, zone: 0))
        }
    }

    /// Labels in a prefix, and everything in a zone that is kept apart.
    private mutating func addCombinations() {
        var seen: Set<UInt64> = []
        func add(_ first: ClassNumber, _ second: UInt32, _ both: ClassNumber, _ builder: inout SnapshotBuilder) {
            guard first != both, seen.insert(UInt64(first) << 32 | UInt64(second)).inserted else { return }
            var entry = CombinedEntry()
            (entry.labelClass, entry.prefixClass, entry.combined) = (first, second, both)
            builder.combined.append(entry)
        }
        let shared = facts.labelClasses.indices.filter { labels in
            if case .blocks = facts.labelClasses[labels].owner { false } else { true }
        }
        for node in 0..<facts.tree.count where placeOfNode[node] > 0 {
            let prefix = prefixClass(node: node, zone: 0)
            for labels in shared {
                let both = space.known(labels: labels, place: placeOfNode[node], zone: 0)
                add(space.plain(labels: labels, zone: 0), prefix, both ?? space.plain(labels: labels, zone: 0), &builder)
            }
        }
        for (place, zone) in facts.zones.enumerated() {
            let tag = CombinedEntry.zoneTag | UInt32(zone)
            for node in 0..<facts.tree.count {
                add(prefixClass(node: node, zone: 0), tag, prefixClass(node: node, zone: place + 1), &builder)
            }
            for labels in shared {
                for node in space.knownNodes.indices {
                    guard let plain = space.known(labels: labels, place: node, zone: 0),
                        let both = space.known(labels: labels, place: node, zone: place + 1)
                    else { continue }
                    add(plain, tag, both, &builder)
                }
            }
        }
    }
}
