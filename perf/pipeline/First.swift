// SPDX-License-Identifier: Apache-2.0
import Datapath
import Flow
import Glibc
import Measure
import Net

// Frames that open flows.

extension Question {
    /// SYNs that are passed between two restarts of the table.
    static let opened = 1 << 18

    /// First frames between any two of 100,000 addresses under 100,000 rules, beside the same under ten.
    func first() throws -> Fields {
        let stream = Stream(huge: huge)
        var random = Seeded(5)
        for place in 0..<Stream.count { stream.write(syn(place, &random), at: place) }
        let many = try Loaded(Estate.set(rules: rules), flows: settings, huge: huge)
        let few = try Loaded(Estate.set(rules: 10), flows: settings, huge: huge)
        // So large that what is half open stays below its share.
        let worker = try Worker(stream, many.inForce, capacity: 8 * Self.opened, isIPv4: isIPv4, huge: huge)
        _ = try open(worker, stream, under: few, 0)
        _ = try open(worker, stream, under: many, 0)
        var turn = 0
        let pairs = try Pairs(pairs) {
            turn += 1
            return try open(worker, stream, under: $0 ? many : few, (turn - 1) / 2)
        }
        var row = row(pairs)
        row.add("rules", rules)
        return row
    }

    /// A SYN of one of the estate's workloads to another, to TCP 443.
    private func syn(_ place: Int, _ random: inout Seeded) -> Segment {
        func address(_ number: Int) -> Address { isIPv4 ? Estate.v4(number) : Estate.v6(number) }
        let (from, step) = (random.below(Estate.asked / 2), 1 + random.below(Estate.asked / 2 - 1))
        return Segment(
            source: address(from), destination: address((from + step) % (Estate.asked / 2)),
            // The place tells the connections of two workloads apart.
            sourcePort: UInt16(truncatingIfNeeded: 1_024 + place % 60_000), destinationPort: 443, flags: 0x02,
            sequence: UInt32(truncatingIfNeeded: random.next()), acknowledgement: 0)
    }

    /// One pass over a part of the stream, from an empty table on; all frames must open a flow, or be the second of one.
    private func open(_ worker: Worker, _ stream: Stream, under policy: Loaded, _ turn: Int) throws -> Double {
        try worker.restart()
        worker.policy = policy.inForce
        let before = worker.forwarded
        let part = turn % (Stream.count / Self.opened)
        let time = worker.pass(stream, from: part * Self.opened, count: Self.opened, at: Self.now)
        guard worker.forwarded - before == UInt64(Self.opened) else {
            throw Trouble.otherFate("\(worker.forwarded - before) of \(Self.opened) SYNs were forwarded; \(worker.reasons)")
        }
        return time
    }

    /// SYNs from random sources through a table that is full, beside first frames that find room. Every one takes the place of an
    /// older one that has not been answered; no established flow may give way.
    func flood() throws -> Fields {
        let stream = Stream(huge: huge)
        var random = Seeded(15)
        let loaded = try Loaded(Estate.small(), flows: settings, huge: huge)
        let established = flows / 2
        let full = try Worker(stream, loaded.inForce, capacity: flows, isIPv4: isIPv4, huge: huge)
        try full.establish(stream, established, isIPv4: isIPv4, at: Self.now)
        let roomy = try Worker(stream, loaded.inForce, capacity: 8 * Self.opened, isIPv4: isIPv4, huge: huge)
        storm(stream, &random)
        _ = full.pass(stream, at: Self.now)
        let memory = mebibytes("VmRSS")
        let reached = full.forwarded
        var sent = 0
        let pairs = try Pairs(pairs) { isFull in
            storm(stream, &random)
            guard isFull else { return try open(roomy, stream, under: loaded, sent) }
            sent += 1
            return full.pass(stream, at: Self.now)
        }
        let kept = full.count(ofStates: [.established])
        guard kept == established else { throw Trouble.otherFate("\(established - kept) established flows were lost") }
        var row = row(pairs)
        row.add("syns", sent * Stream.count)
        row.add("forwarded", Int(full.forwarded - reached))
        row.add("established_lost", established - kept)
        row.add("memory_growth_mib", mebibytes("VmRSS") - memory)
        return row
    }

    /// Fills the stream with SYNs from random sources.
    private func storm(_ stream: Stream, _ random: inout Seeded) {
        for place in 0..<Stream.count {
            var segment = Connection(0, isIPv4: isIPv4).handshake(0)
            let word = random.next()
            let low = UInt32(truncatingIfNeeded: word) & 0xff_ffff
            segment.source = isIPv4 ? Address(v4: 0x0a00_0000 | low) : Address(high: 0xfd00 << 48 | word >> 32, low: UInt64(low))
            segment.sourcePort = UInt16(truncatingIfNeeded: word >> 40 | 1)
            stream.write(segment, at: place)
        }
    }
}

extension Worker {
    /// How many flows of the family in use are in one of the states.
    func count(ofStates states: [FlowState]) -> Int {
        (0..<capacity).count { number in
            let state = isIPv4 ? lane.flows.v4[UInt32(number)].state : lane.flows.v6[UInt32(number)].state
            return states.contains { $0 == state }
        }
    }
}
