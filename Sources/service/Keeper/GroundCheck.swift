// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import Layout
public import Link
internal import Net

/// Everything that is looked at before pairs start, at the start itself and by `bulkhead doctor`: the machine, each pair, and its two
/// ports. Nothing is changed.
public struct GroundCheck {
    /// One pair of the plan.
    public struct Pair {
        /// Its name; nil for ports that were asked for by themselves.
        public let name: String?
        /// What its ports are like, as far as they are there.
        public let ports: [PortFacts]
        /// What its ports are asked for.
        public let demands: Demands
    }

    /// The machine.
    public let machine: MachineFacts
    /// The pairs, in the plan's order.
    public let pairs: [Pair]
    /// What there is to say: first about the machine.
    public let findings: [Finding]

    /// Looks at the ports that a plan names and, beside them, at single ones. `tagged` are the pairs whose frames carry VLAN tags; `pins`
    /// is where our own programs are found.
    public init(_ plan: Plan, ports names: [String] = [], tagged: Set<Int> = [], pins: BPFFileSystem? = nil) {
        var findings: [Finding] = []
        func look(_ name: String) -> PortFacts? {
            do {
                return try PortFacts.survey(name, pins: pins)
            } catch {
                findings.append(.missing(error, port: name))
                return nil
            }
        }
        machine = MachineFacts.survey()
        var pairs: [Pair] = []
        for number in 0..<Int(plan.pairCount) {
            let order = plan.pairs[number]
            let ports = (0..<2).compactMap { look(order.ports[$0].name.description) }
            pairs.append(
                Pair(
                    name: order.name.description, ports: ports,
                    demands: Demands(order, tagged: tagged.contains(number))))
        }
        for name in names {
            if let port = look(name) { pairs.append(Pair(name: nil, ports: [port], demands: Demands())) }
        }
        self.pairs = pairs
        let workers = pairs.reduce(0) { $0 + ($1.name == nil ? 0 : Int($1.ports.map(\.interface.receiveQueues).min() ?? 1)) }
        let polls = pairs.map(\.demands.poll)
        let polling = polls.first { $0 == .busy } ?? polls.first { $0 == .spin } ?? .wait
        let bytes = Self.bytes(plan, pairs, workers: max(1, workers))
        findings =
            (bytes > 0
                ? machine.findings(workers: max(1, workers), most: Plan.maximumWorkers, polling: polling, bytes: bytes)
                : machine.findings()) + findings
        for pair in pairs {
            findings += Ground(ports: pair.ports, demands: pair.demands, machine: machine).findings()
        }
        self.findings = findings
    }

    /// Bytes of packet memory and flow tables together.
    private static func bytes(_ plan: Plan, _ pairs: [Pair], workers: Int) -> UInt64 {
        var sum: UInt64 = 0
        for (number, pair) in pairs.enumerated() where number < Int(plan.pairCount) {
            var order = plan.pairs[number]
            order.queues = UInt8(clamping: pair.ports.map(\.interface.receiveQueues).min() ?? 1)
            order.frameSize = Ground.frameSize(forMTU: pair.ports.map(\.interface.mtu).max() ?? 1500) ?? 4096
            order.flowCapacity = UInt32(clamping: max(1024, plan.flowCapacity / UInt64(workers)))
            sum += UInt64(UMEMLayout(order).byteCount + FlowsLayout(order).byteCount)
        }
        return sum
    }
}

extension Demands {
    /// What a pair of the plan asks of its ports.
    init(_ order: PairPlan, tagged: Bool) {
        self.init(
            fail: order.fail == FailMode.open.rawValue ? .open : .closed, generic: order.generic == 1,
            copy: [.auto, .zeroCopy, .copy][min(2, Int(order.copy))], poll: [.wait, .spin, .busy][min(2, Int(order.poll))],
            tagged: tagged, queues: UInt32(Plan.maximumQueues))
    }
}
