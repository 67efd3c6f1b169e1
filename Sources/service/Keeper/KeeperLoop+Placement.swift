// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout

// Who runs where. A frame that comes while its worker waits for its processor waits in the receive ring, and is lost when that is full:
// so nobody else of Bulkhead's is put on a processor that a worker is pinned to, while there is another. Control is placed when it
// asks for the folders, which is when it has one thread yet.

extension KeeperLoop {
    /// Finds out where workers are or will be, and keeps this process off them.
    func place(_ orders: Plan) {
        let workers = machines.isEmpty ? Self.expectedWorkers(orders) : plan.workers
        let placement = Placement(processors, workers: workers, isShared: placement?.isShared ?? (orders.sharesProcessors == 1))
        if self.placement?.others != placement.others { (placement.others.isEmpty ? processors : placement.others).hold() }
        self.placement = placement
    }

    /// Tells control that everything is there for it, and which processors it is to keep to.
    func tellPrepared() {
        let others = placement?.others ?? ProcessorSet()
        if others.isEmpty, let control { Placement.giveWay(sessionOf: control.pid) }
        tell(.prepared(on: others))
    }

    /// How many workers the ports will have. A port that is not there counts as one of one queue: whether that can be is looked at later.
    private static func expectedWorkers(_ orders: Plan) -> Int {
        (0..<Int(orders.pairCount)).reduce(0) { sum, pair in
            let found = try? PairMachine.survey(orders.pairs[pair], workers: 1, flowCapacity: orders.flowCapacity)
            return sum + Int(found?.queues ?? 1)
        }
    }
}
