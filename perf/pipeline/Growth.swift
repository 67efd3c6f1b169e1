// SPDX-License-Identifier: Apache-2.0
import Datapath
import Flow
import Glibc
import Measure
import Net

// How the two costs grow that a frame may have, over the number of flows in the table and of rules in force: that of a frame of an
// established connection, and that of a first frame. Tables of all sizes stand side by side in one process, and each round measures every
// cell once, so that what changes on the machine meanwhile touches all of them.

/// A grid of rows by columns: what was measured in each round.
private struct Grid {
    private var samples: [[[Double]]]

    init(_ rows: Int, _ columns: Int) {
        samples = Array(repeating: Array(repeating: [], count: columns), count: rows)
    }

    mutating func add(_ value: Double, _ row: Int, _ column: Int) { samples[row][column].append(value) }

    func middle(_ row: Int, _ column: Int) -> Double { median(samples[row][column]) }

    /// The median, over the rounds, of a cell in units of another.
    func growth(_ row: Int, _ column: Int, from base: (row: Int, column: Int)) -> Double {
        median(zip(samples[row][column], samples[base.row][base.column]).map { $0 / $1 })
    }
}

/// A worker with so many established connections, and its stream: three quarters are frames of these, the last quarter opens others.
private struct Grown {
    static let known = Stream.count * 3 / 4
    let worker: Worker
    let stream: Stream
    /// A moment at which none of the connections that were opened before waits any more.
    var now: Moment
}

extension Question {
    /// A row for each number of flows and of rules, over one family.
    func growth(flows sizes: [Int], rules counts: [Int]) throws -> [Fields] {
        var settings = settings
        // What is opened in one round is over in the next, and what is established never.
        settings.timeouts.tcpOpening = FlowTimeouts.ticks(seconds: 1)
        settings.timeouts.tcpEstablished = FlowTimeouts.ticks(seconds: FlowTimeouts.longest)
        let policies = try counts.map { try Loaded(Estate.set(rules: $0), flows: settings, huge: huge) }
        var sides = try sizes.map { try grown(to: $0, under: policies[0]) }
        var (known, first) = (Grid(sizes.count, counts.count), Grid(sizes.count, counts.count))
        // The first round warms up.
        for round in -1..<pairs {
            for row in sides.indices {
                for (column, policy) in policies.enumerated() {
                    sides[row].worker.policy = policy.inForce
                    let (established, opened) = (try sides[row].forward(), try sides[row].open())
                    guard round >= 0 else { continue }
                    known.add(established, row, column)
                    first.add(opened, row, column)
                }
            }
        }
        return sizes.indices.flatMap { row in
            counts.indices.map { column in
                var fields = Fields()
                fields.add("family", isIPv4 ? "IPv4" : "IPv6")
                fields.add("flows", sizes[row])
                fields.add("rules", counts[column])
                fields.add("established_ns", known.middle(row, column), digits: 2)
                fields.add("established_growth", known.growth(row, column, from: (0, column)), digits: 3)
                fields.add("first_ns", first.middle(row, column), digits: 1)
                fields.add("first_growth", first.growth(row, column, from: (row, 0)), digits: 3)
                return fields
            }
        }
    }

    private func grown(to flows: Int, under policy: Loaded) throws -> Grown {
        let stream = Stream(huge: huge)
        // What is opened in a pass waits for its answer, and may be no more than its share.
        let worker = try Worker(stream, policy.inForce, capacity: flows + 8 * Self.opened, isIPv4: isIPv4, huge: huge)
        try worker.establish(stream, flows, at: Self.now) { Connection(ofEstate: $0, isIPv4: isIPv4) }
        var random = Seeded(7)
        for place in 0..<Grown.known {
            let connection = Connection(ofEstate: random.below(flows), isIPv4: isIPv4)
            stream.write(connection.data(fromClient: connection.port == place & 1), at: place)
        }
        for place in Grown.known..<Stream.count {
            // Numbers that no established connection has.
            let number = 2 * (Estate.mostConnections / 2 - place) + place & 1
            stream.write(Connection(ofEstate: number, isIPv4: isIPv4).handshake(0), at: place)
        }
        return Grown(worker: worker, stream: stream, now: Self.now)
    }
}

extension Grown {
    /// What a frame of an established connection costs.
    func forward() throws -> Double { try all(Self.known) { worker.pass(stream, count: Self.known, at: now) } }

    /// What a first frame costs; afterwards those that were opened are over, and the hand has gone as far as it had to.
    mutating func open() throws -> Double {
        let cost = try all(Question.opened) { worker.pass(stream, from: Self.known, count: Question.opened, at: now) }
        let waiting = worker.waiting
        guard waiting == Question.opened else { throw Trouble.otherFate("\(waiting) of \(Question.opened) flows wait") }
        now = Moment(nanoseconds: now.nanoseconds + 2_000_000_000, wall: now.wall + 2)
        worker.rest(at: now)
        guard worker.waiting == 0 else { throw Trouble.otherFate("\(worker.waiting) flows wait on") }
        return cost
    }

    /// The cost of a pass of so many frames, all of which must be forwarded.
    private func all(_ count: Int, _ pass: () -> Double) throws -> Double {
        let before = worker.forwarded
        let cost = pass()
        guard worker.forwarded - before == UInt64(count) else {
            throw Trouble.otherFate("\(worker.forwarded - before) of \(count) frames were forwarded; \(worker.reasons)")
        }
        return cost
    }
}

extension Worker {
    /// Flows that wait: half open, one-sided, or answered once.
    var waiting: Int { lane.flows.waiting }

    /// Turns without frames until all is done that is due at a moment.
    func rest(at now: Moment) {
        repeat {
            for _ in 0..<1_024 { _ = turn(at: now) }
            tidy()
        } while waiting > 0 || isHandBehind(now)
    }

    /// Whether the hand that looks for quiet flows has steps to make.
    private func isHandBehind(_ now: Moment) -> Bool {
        let tick = isIPv4 ? lane.flows.v4.statistics.handTick : lane.flows.v6.statistics.handTick
        // A small table keeps a tick or two that make no whole step.
        return Int32(bitPattern: now.ticks &- tick) > 8
    }
}

extension Estate {
    /// Pairs of workloads, each in one direction.
    static let mostConnections = (asked / 2) * (asked / 4 - 1)
}

extension Connection {
    /// A connection between two of the estate's workloads to TCP 443, which all rules let in. Those of even numbers open towards the second
    /// port, the others towards the first.
    init(ofEstate number: Int, isIPv4: Bool) {
        func address(_ number: Int) -> Address { isIPv4 ? Estate.v4(number) : Estate.v6(number) }
        let hosts = Estate.asked / 2
        let (from, step) = (number % hosts, 1 + number / hosts % (hosts / 2 - 1))
        // No step is another's way back, so that no key comes twice.
        self.init(
            client: address(from), server: address((from + step) % hosts), clientPort: UInt16(1_024 + number % 60_000),
            serverPort: 443,
            port: number & 1)
    }
}
