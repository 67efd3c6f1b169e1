// SPDX-License-Identifier: Apache-2.0
import Classifier
import Flow
import Net
import Record
import TestSupport
import Testing

/// What the rule of a service says in the slow world: nothing is resolved into records.
private struct SlowRule {
    var allows: Bool
    var change = SideRecord.Change.reevaluate
    var seconds: UInt64 = 0
    /// From then on it does not allow.
    var until = UInt64.max
}

/// A connection as the slow world keeps it.
private struct SlowConnection {
    enum Life: Equatable { case lives, outlives(until: UInt64), over, unanswered }
    let connection: Connection
    var rule: SlowRule
    var life = Life.lives
}

/// What each change mode means, in as many words.
private struct SlowWorld {
    var rules: [UInt16: SlowRule] = [:]
    var isContested = false
    var isMoved = false
    var connections: [SlowConnection] = []

    mutating func judge(_ number: Int, at now: UInt64) {
        let connection = connections[number]
        guard connection.life != .over, connection.life != .unanswered else { return }
        if isContested {
            connections[number].life = .over
            return
        }
        let rule = rules[connection.connection.port] ?? SlowRule(allows: false)
        if rule.allows, now < rule.until, !isMoved {
            connections[number].life = .lives
            connections[number].rule = rule
            return
        }
        switch connection.rule.change {
        case .reevaluate: connections[number].life = .over
        case .reset: connections[number].life = .unanswered
        case .keep: connections[number].life = .outlives(until: .max)
        case .drain:
            if case .outlives(let until) = connection.life {
                if now >= until { connections[number].life = .over }
            } else {
                connections[number].life = .outlives(until: now + connection.rule.seconds)
            }
        }
    }

    mutating func judgeAll(at now: UInt64) { for number in connections.indices { judge(number, at: now) } }
}

/// A bench and the slow world beside it.
private final class Walk {
    static let ports = 8440..<8446 as Range<UInt16>
    let bench: PairBench
    var world = SlowWorld()
    var random: PacketRandom
    var generation: UInt32 = 1
    var serial: UInt16 = 20_000

    init(seed: UInt64) throws {
        random = PacketRandom(seed: seed)
        bench = try PairBench()
        try newGeneration()
        try settle(seconds: 2)
    }

    private func chance(_ one: UInt64) -> Bool { random.next() % one == 0 }

    /// Another policy for all services.
    private func newGeneration() throws {
        generation += 1
        let wall = bench.clock.wall
        for port in Self.ports {
            var rule = SlowRule(allows: !chance(2))
            rule.change = SideRecord.Change.allCases[Int(random.next() % 4)]
            rule.seconds = 1 + random.next() % 60
            if chance(3) { rule.until = wall + 1 + random.next() % 60 }
            world.rules[port] = rule
        }
        let rules = world.rules
        try bench.publish(
            .town(generation: generation) { policy in
                for (port, rule) in rules.sorted(by: { $0.key < $1.key }) where rule.allows {
                    var record = SideRecord()
                    record.change = rule.change.rawValue
                    record.drainSeconds = rule.change == .drain ? UInt32(rule.seconds) : 0
                    record.validUntil = rule.until
                    let number = policy.add(record)
                    if rule.until != .max {
                        var denial = SideRecord()
                        denial.decision = Decision.deny.rawValue
                        policy.records[Int(number)].successor = policy.add(denial)
                    }
                    policy.ingress(
                        of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), ServiceKey.tcp(port), number)
                }
            })
    }

    /// Lets time pass and all flows be judged, in a round that always takes place: an epoch of somebody else's asks for it.
    func settle(seconds: UInt64) throws {
        bench.clock.pass(seconds: seconds)
        try bench.addresses.writer.claim("10.0.0.77", labelSet: webs, workload: 90)
        bench.addresses.writer.release("10.0.0.77", workload: 90)
        repeat { bench.turn() } while !bench.worker.isQuiet
        world.judgeAll(at: bench.clock.wall)
    }

    /// Whether a frame leaves by the other port, and whether both ends are told that it is over.
    private func send(_ packet: Packet, port: Int) throws -> (passes: Bool, resets: Bool) {
        try bench.receive([packet], port: port)
        bench.turn()
        let (onward, back) = (bench.worker.ports[1 - port].send(), bench.worker.ports[port].send())
        bench.turn()
        return (onward == [packet.bytes], onward.count == 1 && back.count == 1 && onward != [packet.bytes])
    }

    /// A frame of a connection, and what the slow world says of it.
    func check(_ number: Int) throws {
        world.judge(number, at: bench.clock.wall)
        let connection = world.connections[number]
        let isAnswer = chance(2)
        let sent = try send(isAnswer ? connection.connection.bareAnswer : connection.connection.ack, port: isAnswer ? 1 : 0)
        let isLive = connection.life != .over && connection.life != .unanswered
        #expect(sent.passes == isLive, "\(connection) at \(bench.clock.wall), generation \(generation)")
        #expect(sent.resets == (connection.life == .unanswered), "\(connection) at \(bench.clock.wall)")
        if connection.life == .unanswered { world.connections[number].life = .over }
    }

    private func open() throws {
        let port = Self.ports.randomElement(using: &random) ?? 8440
        let rule = world.rules[port] ?? SlowRule(allows: false)
        serial += 1
        let connection = Connection(source: serial, port: port)
        guard rule.allows, bench.clock.wall < rule.until, !world.isContested, !world.isMoved else {
            #expect(try !send(connection.syn, port: 0).passes)
            return
        }
        try bench.establish(connection)
        world.connections.append(SlowConnection(connection: connection, rule: rule))
    }

    private func moveAddresses() throws {
        let writer = { (change: (inout AddressMapWriter) throws -> Void) in try change(&self.bench.addresses.writer) }
        if chance(3), !world.isMoved {
            if world.isContested {
                try writer { $0.release(client, workload: 99) }
            } else {
                try writer { try $0.claim(client, labelSet: clients, workload: 99) }
            }
            world.isContested.toggle()
        } else if !world.isContested {
            world.isMoved.toggle()
            let set = world.isMoved ? guests : clients
            try writer { try $0.claim(client, labelSet: set, workload: clientWorkload) }
        }
    }

    func step() throws {
        let isUsual = !world.isMoved && !world.isContested
        switch isUsual ? random.next() % 12 : random.next() % 4 {
        case 0, 1:
            try newGeneration()
            // The turn of the first frame looks at all flows, because so few fit into a slice.
            if let number = world.connections.indices.randomElement(using: &random), chance(2) {
                world.judgeAll(at: bench.clock.wall)
                try check(number)
            }
        case 2:
            try moveAddresses()
            // A round has just begun: only the frame's own flow is judged.
            if let number = world.connections.indices.randomElement(using: &random), chance(2) { try check(number) }
        case 4, 5, 6, 7: for _ in 0..<3 { try open() }
        default: for number in world.connections.indices where chance(3) { try check(number) }
        }
        try settle(seconds: 2 + random.next() % 12)
        world.connections.removeAll { $0.life == .over }
    }
}

@Suite("Random changes of policy") struct ChangeWalkTests {
    @Test func `live connections become what each mode says, over random changes`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("Changes of policy: seed \(seed)")
        for round in 0..<30 as Range<UInt64> {
            let walk = try Walk(seed: seed &+ round)
            for _ in 0..<100 { try walk.step() }
            #expect(walk.bench.fault == nil, "seed \(seed), round \(round)")
        }
    }
}
