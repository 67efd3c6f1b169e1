// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy
internal import PolicyText

// `flows`, `checksums`, `replies` and `icmp-errors`: how connections are kept and followed, and how much of everything there may be.
// Each key's meaning and default is in `docs/configuration.md`; ranges are those of `FlowSettings`, which are checked again where the
// image is taken over.

extension ConfigurationReader {
    /// Flows of all workers together that a file can ask for.
    private static let capacities = 1024...(1 << 28)
    /// Flows that each worker has at least, however many share the capacity (`PairMachine.survey`).
    private static let leastCapacity = 1024
    private static let flowKeys = [
        "capacity", "half-open", "when-full", "reserved", "per-source", "timeouts", "tcp", "fragments",
    ]

    /// The capacity of all flow tables, and what is said of connections; what the file leaves out has its default.
    func flows(pairs: Int) throws(PolicyError) -> (capacity: Int, settings: FlowSettings) {
        var (capacity, settings) = (Configuration.defaultFlows, FlowSettings())
        if let fields = try root["flows"]?.mapping("flows", keys: Self.flowKeys) {
            if let value = fields["capacity"] { capacity = try value.integer("flows.capacity", in: Self.capacities) }
            if let value = fields["half-open"] {
                settings.waitingShare = UInt32(try value.integer("flows.half-open", in: 1...100)) * 10
            }
            if let value = fields["when-full"] {
                settings.whenFull = try choice(value, "flows.when-full", of: FlowSettings.WhenFull.self)
            }
            if let value = fields["reserved"] {
                settings.reservedFlows = try reserved(value, ofWorker: max(Self.leastCapacity, capacity / max(1, pairs)))
            }
            try readSources(fields["per-source"], into: &settings)
            try readTimeouts(fields["timeouts"], into: &settings.timeouts)
            try readTCP(fields["tcp"], into: &settings)
            try readFragments(fields["fragments"], into: &settings)
        }
        try readChecksums(into: &settings)
        if let limit = try limit("replies") { settings.repliesPerSecond = limit }
        if let limit = try limit("icmp-errors") { settings.errorsPerSecond = limit }
        return (capacity, settings)
    }

    /// An eighth of what a worker has at most; where a pair has several queues, its workers share, and keep no more than an eighth either.
    private func reserved(_ value: YAMLValue, ofWorker capacity: Int) throws(PolicyError) -> UInt32 {
        let number = try value.integer("flows.reserved", in: 0...65_536)
        guard number <= capacity / 8 else {
            throw value.error(
                "flows.reserved is \(number), more than an eighth of the \(capacity) flows that a worker has",
                remedy: "reserve at most \(capacity / 8), or raise \"capacity\"")
        }
        return UInt32(number)
    }

    private func readSources(_ value: YAMLValue?, into settings: inout FlowSettings) throws(PolicyError) {
        guard let fields = try value?.mapping("flows.per-source", keys: ["rate", "burst"]) else { return }
        settings.sourceRate = UInt32(try fields.required("rate").integer("flows.per-source.rate", in: 0...10_000_000))
        // A second's worth at once.
        settings.sourceBurst = settings.sourceRate
        guard let value = fields["burst"] else { return }
        guard settings.sourceRate > 0 else {
            throw value.error("flows.per-source.burst means nothing at a rate of 0", remedy: "leave it out, or give a rate")
        }
        settings.sourceBurst = UInt32(try value.integer("flows.per-source.burst", in: 1...10_000_000))
    }

    private func readTimeouts(_ value: YAMLValue?, into timeouts: inout FlowTimeouts) throws(PolicyError) {
        let names = FlowTimeouts.names
        guard let fields = try value?.mapping("flows.timeouts", keys: names.map(\.name)) else { return }
        for (name, path) in names {
            guard let value = fields[name] else { continue }
            let seconds = try value.seconds("flows.timeouts.\(name)", most: FlowTimeouts.longest)
            timeouts[keyPath: path] = FlowTimeouts.ticks(seconds: seconds)
        }
    }

    private func readTCP(_ value: YAMLValue?, into settings: inout FlowSettings) throws(PolicyError) {
        guard let fields = try value?.mapping("flows.tcp", keys: ["pick-up", "grace", "windows", "asymmetric"]) else { return }
        if let value = fields["pick-up"] {
            settings.pickUp = try choice(value, "flows.tcp.pick-up", of: FlowSettings.PickUp.self)
        }
        if let value = fields["grace"] { settings.graceSeconds = try value.seconds("flows.tcp.grace", most: 3600) }
        if let value = fields["asymmetric"] { settings.isAsymmetric = try value.truth("flows.tcp.asymmetric") ? 1 : 0 }
        guard let value = fields["windows"] else { return }
        settings.windows = try choice(value, "flows.tcp.windows", of: FlowSettings.Windows.self)
        guard settings.windows == FlowSettings.Windows.loose.rawValue || settings.isAsymmetric == 0 else {
            throw value.error(
                "windows cannot be strict where only one direction is seen", remedy: "write loose, or asymmetric: false")
        }
    }

    private func readFragments(_ value: YAMLValue?, into settings: inout FlowSettings) throws(PolicyError) {
        guard let fields = try value?.mapping("flows.fragments", keys: ["timeout", "datagrams", "held"]) else { return }
        if let value = fields["timeout"] {
            settings.fragmentTimeout = FlowTimeouts.ticks(
                seconds: try value.seconds("flows.fragments.timeout", most: 120))
        }
        if let value = fields["datagrams"] {
            settings.fragmentDatagrams = UInt32(try value.integer("flows.fragments.datagrams", in: 1...1024))
        }
        if let value = fields["held"] {
            settings.fragmentFrames = UInt32(try value.integer("flows.fragments.held", in: 1...1024))
        }
    }

    private func readChecksums(into settings: inout FlowSettings) throws(PolicyError) {
        guard let fields = try root["checksums"]?.mapping("checksums", keys: ["verify", "partial"]) else { return }
        if let value = fields["verify"] { settings.verifiesChecksums = try value.truth("checksums.verify") ? 1 : 0 }
        guard let value = fields["partial"] else { return }
        settings.partialChecksums = try choice(value, "checksums.partial", of: FlowSettings.Partial.self)
        guard settings.verifiesChecksums == 1 || settings.partialChecksums == FlowSettings.Partial.complete.rawValue else {
            throw value.error(
                "partial checksums cannot be refused where none is looked at", remedy: "leave it out, or write verify: true")
        }
    }

    /// `{per-second: N}` under a key of the file's own.
    private func limit(_ key: String) throws(PolicyError) -> UInt32? {
        guard let fields = try root[key]?.mapping(key, keys: ["per-second"]) else { return nil }
        return UInt32(try fields.required("per-second").integer("\(key).per-second", in: 0...1_000_000))
    }

    /// One of the cases of a setting, which are named in the file as in the code.
    private func choice<Choice: CaseIterable & RawRepresentable>(
        _ value: YAMLValue, _ what: String, of type: Choice.Type
    ) throws(PolicyError) -> UInt8 where Choice.RawValue == UInt8 {
        let known = Choice.allCases.map { String(describing: $0) }
        let word = try value.word(what, among: known)
        // One of the known words is a case's.
        return Choice.allCases.first { String(describing: $0) == word }?.rawValue ?? 0
    }
}
