// SPDX-License-Identifier: Apache-2.0
internal import Layout
internal import Link
internal import Net

extension PairMachine {
    /// Completes a pair's orders with what is found on its ports.
    static func survey(_ orders: PairPlan, workers: Int, flowCapacity: UInt64) throws -> PairPlan {
        var plan = orders
        let interfaces = try (0..<2).map { try Interface(named: orders.ports[$0].name.description) }
        let queues = interfaces.map { Int($0.receiveQueues) }
        guard queues[0] == queues[1], (1...Plan.maximumQueues).contains(queues[0]) else {
            let names = interfaces.map(\.name)
            throw KeeperError.port(
                "ports \(names[0]) and \(names[1]) have \(queues[0]) and \(queues[1]) receive queues; give both the same number, "
                    + "1 to \(Plan.maximumQueues): ethtool -L \(names[0]) combined N (veth: ip link add … numrxqueues N numtxqueues N)"
            )
        }
        plan.queues = UInt8(queues[0])
        // No NIC that this knows steers both directions alike on its own: with several queues a hash names the owner.
        plan.ownerByHash = queues[0] > 1 ? 1 : 0
        let mtu = interfaces.map(\.mtu).max() ?? 1500
        guard let frameSize = Ground.frameSize(forMTU: mtu) else {
            throw KeeperError.port("an MTU of \(mtu) does not fit a UMEM frame: ip link set dev \(interfaces[0].name) mtu 1500")
        }
        plan.frameSize = UInt32(frameSize)
        for port in 0..<2 {
            plan.ports[port].index = interfaces[port].index
            plan.ports[port].hardwareAddress = interfaces[port].address.bits
            // Ethernet header and two tags beside the MTU, which counts neither.
            plan.ports[port].maximumFrame = interfaces[port].mtu + 14 + 8
        }
        plan.flowCapacity = UInt32(clamping: max(1024, flowCapacity / UInt64(max(1, workers))))
        return plan
    }
}
