// SPDX-License-Identifier: Apache-2.0
internal import Net

/// A connection of two simulated hosts over a network that loses, doubles, delays and reorders on both sides of a filter.
public struct SimulatedConnection {
    /// How it ended.
    public struct Outcome: Sendable {
        /// Segments that the filter saw.
        public var seen = 0
        /// The first that it refused, and what was said of it.
        public var refused: String?
        /// Everything came to its end.
        public var isComplete = false
        /// Numbers wrapped on the way.
        public var hasWrapped = false
        /// The number behind the last one that the client sent.
        public var clientEnd: UInt32 = 0
    }

    private var hosts: [SimulatedHost]
    private var random: PacketRandom
    private var inFlight: [(time: Int, isBehindFilter: Bool, segment: SampleSegment)] = []
    private let loss: Int
    private let delay: Int
    private let isSimultaneous: Bool

    /// A connection that follows from a seed.
    public init(seed: UInt64, clientSequence: UInt32? = nil) {
        var random = PacketRandom(seed: seed)
        func character(_ sequence: UInt32?) -> HostCharacter {
            let scales: [UInt8?] = [nil, 0, 2, 7, 7, 10, 14]
            let buffers = [2000, 20_000, 65_535, 300_000, 2_000_000]
            let near = UInt32.max - UInt32.random(in: 0...60_000, using: &random)
            return HostCharacter(
                initialSequence: sequence
                    ?? (Bool.random(using: &random) ? near : UInt32.random(in: 0...UInt32.max, using: &random)),
                scale: scales.randomElement(using: &random) ?? nil, buffer: buffers.randomElement(using: &random)!,
                total: [0, 10, 5000, 200_000].randomElement(using: &random)!,
                segment: [500, 536, 1440, 1461].randomElement(using: &random)!,
                earlyData: [0, 0, 0, 400].randomElement(using: &random)!, probesByByte: Bool.random(using: &random),
                shrinks: Int.random(in: 0..<4, using: &random) == 0,
                abortsAt: Int.random(in: 0..<6, using: &random) == 0 ? Int.random(in: 50...1000, using: &random) : nil)
        }
        hosts = [
            SimulatedHost(isClient: true, character(clientSequence)), SimulatedHost(isClient: false, character(nil)),
        ]
        loss = [0, 0, 2, 10].randomElement(using: &random)!
        delay = [1, 3, 12].randomElement(using: &random)!
        isSimultaneous = clientSequence == nil && Int.random(in: 0..<5, using: &random) == 0
        self.random = random
    }

    /// Lets it run through a filter, which says what is wrong with a segment, or `nil` to let it pass.
    public mutating func run(ticks: Int = 20_000, filter: (SampleSegment) -> String?) -> Outcome {
        var outcome = Outcome()
        hosts[0].sendSYN()
        if isSimultaneous { hosts[1].sendSYN() }
        for now in 0..<ticks {
            for host in hosts.indices {
                hosts[host].tick(now, &random)
                for segment in hosts[host].outgoing { post(segment, now, isBehindFilter: false) }
                hosts[host].outgoing = []
            }
            deliver(now, &outcome, filter)
            if outcome.refused != nil { break }
            outcome.isComplete = hosts.allSatisfy(\.isDone) || hosts.contains(where: \.isGone)
            if outcome.isComplete, inFlight.isEmpty { break }
        }
        for host in hosts where host.character.initialSequence > host.character.initialSequence &+ UInt32(host.next) {
            outcome.hasWrapped = true
        }
        outcome.clientEnd = hosts[0].character.initialSequence &+ UInt32(hosts[0].next)
        return outcome
    }

    /// Gives a segment to the network, once, twice or not at all.
    private mutating func post(_ segment: SampleSegment, _ now: Int, isBehindFilter: Bool) {
        if Int.random(in: 0..<100, using: &random) < loss { return }
        let copies = Int.random(in: 0..<100, using: &random) < loss ? 2 : 1
        for _ in 0..<copies {
            let time = now + delay + Int.random(in: 0...delay / 2, using: &random)
            inFlight.append((time, isBehindFilter, segment))
        }
    }

    /// What arrives now, at the filter or behind it.
    private mutating func deliver(_ now: Int, _ outcome: inout Outcome, _ filter: (SampleSegment) -> String?) {
        let due = inFlight.filter { $0.time <= now }
        inFlight.removeAll { $0.time <= now }
        for (_, isBehindFilter, segment) in due {
            if isBehindFilter {
                hosts[segment.isFromClient ? 1 : 0].hasSent = true
                hosts[segment.isFromClient ? 1 : 0].receive(segment, now)
                continue
            }
            outcome.seen += 1
            if let flaw = filter(segment) {
                outcome.refused = "tick \(now): \(segment): \(flaw)"
                return
            }
            post(segment, now, isBehindFilter: true)
        }
    }
}
