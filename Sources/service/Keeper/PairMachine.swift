// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout
internal import Link
internal import Logging
internal import Net
internal import Record

/// What keeper holds of one port pair: the programs on both ports, the mode word, the sockets, the memory of frames and flows.
final class PairMachine {
    let number: Int
    /// The completed plan.
    private(set) var plan: PairPlan
    let mode: ModeWord
    let programs: [RedirectProgram]
    let umem: SharedMemory
    let flows: SharedMemory
    /// Sockets by queue, port 0 before port 1.
    private(set) var sockets: [XDPSocket]
    /// What the kernel's statistics of earlier sockets added up to, by socket.
    private var earlier: [KernelStatistics]
    private let interfaces: [Interface]
    /// Whether connections are under way that the tables cannot know, because the programs of an earlier run were found on the ports.
    private(set) var isRestart = false

    /// The declared fail mode as a mode of the port.
    var declared: PortMode { plan.fail == 1 ? .open : .closed }
    /// What the port does while the sockets have no reader.
    var emergency: PortMode { plan.fail == 1 ? .bypass : .block }

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

    /// Builds a pair from nothing, or around memory and sockets that the data process of an earlier keeper holds.
    init(
        _ number: Int, _ plan: PairPlan, on fileSystem: BPFFileSystem,
        adopting held: (umem: SharedMemory, flows: SharedMemory, sockets: [Int32])?
    ) throws {
        self.number = number
        self.plan = plan
        let interfaces = try (0..<2).map { try Interface(named: plan.ports[$0].name.description) }
        self.interfaces = interfaces
        mode = try ModeWord(pair: plan.name.description, on: fileSystem)
        if let held {
            (umem, flows) = (held.umem, held.flows)
        } else {
            let layout = UMEMLayout(plan)
            umem = try SharedMemory.create(
                "bulkhead-umem", byteCount: layout.byteCount, header: layout.header(pair: number), huge: true,
                node: interfaces[0].numaNode)
            let tables = FlowsLayout(plan)
            flows = try SharedMemory.create(
                "bulkhead-flows", byteCount: tables.byteCount, header: tables.header(pair: number), huge: true,
                node: interfaces[0].numaNode)
            // Nothing is judged yet: as declared, without a socket in the map.
            mode.set(plan.fail == 1 ? .open : .closed)
        }
        programs = try PairMachine.attach(interfaces, mode, fileSystem, generic: plan.generic == 1, isBegun: held != nil)
        earlier = Array(repeating: KernelStatistics(), count: 2 * Int(plan.queues))
        sockets = []
        isRestart = held == nil && programs.contains { $0.origin == .adopted }
        for port in 0..<2 { self.plan.ports[port].isNative = programs[port].attachedMode == .native ? 1 : 0 }
        if let held {
            for (place, descriptor) in held.sockets.enumerated() {
                sockets.append(
                    try XDPSocket(
                        adopting: descriptor, interfaceIndex: interfaces[place % 2].index, queue: UInt32(place / 2)))
            }
        } else {
            do {
                try openSockets()
            } catch {
                takeBack()
                throw error
            }
        }
    }

    /// Puts the programs onto both ports. When that fails nothing of it stays there, unless workers of an earlier start rely on it.
    private static func attach(
        _ interfaces: [Interface], _ mode: ModeWord, _ fileSystem: BPFFileSystem, generic: Bool, isBegun: Bool
    ) throws -> [RedirectProgram] {
        var programs: [RedirectProgram] = []
        do {
            for interface in interfaces {
                programs.append(try .attachOrAdopt(on: interface, mode: mode, in: fileSystem, generic: generic))
            }
            for port in 0..<2 { try programs[port].setPeer(ifindex: interfaces[1 - port].index) }
            return programs
        } catch {
            if !isBegun { takeBack(programs, mode) }
            throw error
        }
    }

    /// Takes away what a start that failed has put onto the ports.
    func takeBack() {
        removeSockets()
        PairMachine.takeBack(programs, mode)
    }

    /// Programs that an earlier run left to act as declared stay, with the mode word that they act by.
    private static func takeBack(_ programs: [RedirectProgram], _ mode: ModeWord) {
        for program in programs where program.origin != .adopted { program.detach() }
        if !programs.contains(where: { $0.origin == .adopted }) { mode.unpin() }
    }

    /// Opens the sockets of all queues over the UMEM, as after a start or after the data process was killed.
    func openSockets() throws {
        let layout = UMEMLayout(plan)
        let area = unsafe UMEMArea(
            address: umem.base + layout.frames, length: UInt64(layout.framesByteCount), frameSize: plan.frameSize)
        let size = plan.ringSize
        let places = (0..<Int(plan.queues)).flatMap { queue in
            interfaces.map { XDPSocket.Place($0, queue: UInt32(queue)) }
        }
        let copy: CopyMode = [.auto, .zeroCopy, .copy][Int(plan.copy)]
        sockets = unsafe try XDPSocket.open(
            at: places, umem: area, rings: RingSizes(receive: size, transmit: size, fill: size, completion: size), copy: copy,
            busyPoll: plan.poll == PairPlan.Poll.busy.rawValue ? BusyPoll() : nil)
        for port in 0..<2 { plan.ports[port].isZeroCopy = sockets[port].isZeroCopy ? 1 : 0 }
    }

    /// Closes keeper's copies, so that the sockets leave the maps with the process that used them.
    func closeSockets() {
        for (place, socket) in sockets.enumerated() {
            if let now = try? socket.statistics() { earlier[place] = earlier[place].adding(now) }
        }
        sockets = []
    }

    /// Puts the sockets into the maps: from now on frames come to the workers.
    func insertSockets() throws {
        for (place, socket) in sockets.enumerated() {
            try programs[place % 2].insert(socket: socket.fileDescriptor, queue: UInt32(place / 2))
        }
    }

    /// Takes the sockets out of the maps: from now on the declared mode acts.
    func removeSockets() {
        for place in 0..<(2 * Int(plan.queues)) { try? programs[place % 2].remove(queue: UInt32(place / 2)) }
    }

    /// The kernel's statistics of a queue's port since the start.
    func statistics(queue: Int, port: Int) -> KernelStatistics {
        let place = queue * 2 + port
        guard place < sockets.count, let now = try? sockets[place].statistics() else { return earlier[place] }
        return earlier[place].adding(now)
    }

    /// Books what was lost with workers that were killed: frames in their rings and in their hands. Nobody else writes the counters now.
    func settle(_ counters: CountersFile, firstWorker: Int) {
        for queue in 0..<Int(plan.queues) {
            for port in 0..<2 where queue * 2 + port < sockets.count {
                let socket = sockets[queue * 2 + port].fileDescriptor
                guard let positions = try? RingPositions(socket: socket, size: plan.ringSize, frameSize: plan.frameSize)
                else { continue }
                counters.settle(
                    worker: firstWorker + queue, port: port, received: positions.received, unsent: positions.unsent,
                    unsentGenerated: positions.unsentGenerated)
            }
        }
        for queue in 0..<Int(plan.queues) { counters.balance(worker: firstWorker + queue) }
    }

    /// From now on connections of the pair may be picked up, for as long as the configuration says. To be said before the workers run.
    func oweGrace(now: UInt64) {
        FlowsLayout.oweGrace(in: flows, from: now)
        isRestart = false
    }

    /// Descriptors in the order of `DataFiles`.
    var descriptors: [Int32] { [umem.descriptor, flows.descriptor, mode.fileDescriptor] + sockets.map(\.fileDescriptor) }

    /// Takes the programs off, or leaves them to act as declared, as the configuration says.
    func stop() {
        removeSockets()
        if plan.onStop == PairPlan.OnStop.keep.rawValue {
            mode.set(declared)
        } else {
            for program in programs { program.detach() }
            mode.unpin()
        }
    }
}

extension KernelStatistics {
    func adding(_ now: SocketStatistics) -> KernelStatistics {
        var sum = self
        sum.receiveDropped += now.receiveDropped
        sum.receiveInvalidDescriptors += now.receiveInvalidDescriptors
        sum.transmitInvalidDescriptors += now.transmitInvalidDescriptors
        sum.receiveRingFull += now.receiveRingFull
        sum.fillRingEmpty += now.fillRingEmpty
        sum.transmitRingEmpty += now.transmitRingEmpty
        return sum
    }
}
