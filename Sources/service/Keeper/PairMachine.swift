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
    var plan: PairPlan
    let mode: ModeWord
    /// The program on each port; `nil` where the port is gone, and was when this keeper came.
    private(set) var programs: [RedirectProgram?]
    let umem: SharedMemory
    let flows: SharedMemory
    /// Sockets by queue, port 0 before port 1.
    private(set) var sockets: [XDPSocket]
    /// What the kernel's statistics of earlier sockets added up to, by socket.
    private var earlier: [KernelStatistics]
    private var interfaces: [Interface?]
    private let fileSystem: BPFFileSystem
    /// Whether connections are under way that the tables cannot know, because the programs of an earlier run were found on the
    /// ports.
    private(set) var isRestart = false
    /// Whether frames have passed unjudged while the workers were there, or may have.
    var passedUnjudged = false
    /// Whether the kernel forwards by itself what no socket takes, as the mode word stands.
    var mayPassUnjudged: Bool { [.open, .bypass].contains(mode.value) }
    /// Whether the pair is halted because a port is gone.
    var isWaiting: Bool { plan.isWaiting == 1 }

    /// The declared fail mode as a mode of the port.
    var declared: PortMode { plan.fail == 1 ? .open : .closed }
    /// What the port does while the sockets have no reader.
    var emergency: PortMode { plan.fail == 1 ? .bypass : .block }

    /// Builds a pair from nothing, or around memory and sockets that the data process of an earlier keeper holds.
    init(
        _ number: Int, _ plan: PairPlan, on fileSystem: BPFFileSystem,
        adopting held: (umem: SharedMemory, flows: SharedMemory, sockets: [Int32])?, isBypassed: Bool = false
    ) throws {
        self.number = number
        self.plan = plan
        // Ports may be gone when workers of an earlier start are taken back, and come back later.
        let interfaces = try (0..<2).map { port in
            let name = plan.ports[port].name.description
            return held == nil
                ? try Interface(named: name)
                : (try? Interface(named: name)).flatMap {
                    $0.index == plan.ports[port].index ? $0 : nil
                }
        }
        self.interfaces = interfaces
        self.fileSystem = fileSystem
        mode = try ModeWord(pair: plan.name.description, on: fileSystem)
        if let held {
            (umem, flows) = (held.umem, held.flows)
        } else {
            let layout = UMEMLayout(plan)
            umem = try SharedMemory.create(
                "bulkhead-umem", byteCount: layout.byteCount, header: layout.header(pair: number), huge: true,
                node: interfaces[0]?.numaNode ?? -1)
            let tables = FlowsLayout(plan)
            flows = try SharedMemory.create(
                "bulkhead-flows", byteCount: tables.byteCount, header: tables.header(pair: number), huge: true,
                node: interfaces[0]?.numaNode ?? -1)
            // Nothing is judged yet: as declared, without a socket in the map.
            mode.set(isBypassed ? .bypass : plan.fail == 1 ? .open : .closed)
        }
        programs = try PairMachine.attach(interfaces, mode, fileSystem, generic: plan.generic == 1, isBegun: held != nil)
        earlier = Array(repeating: KernelStatistics(), count: 2 * Int(plan.queues))
        sockets = []
        isRestart = held == nil && programs.contains { $0?.origin == .adopted }
        for port in 0..<2 { self.plan.ports[port].isNative = programs[port]?.attachedMode == .native ? 1 : 0 }
        if let held, isWaiting {
            // They stand for nothing.
            for descriptor in held.sockets { close(descriptor) }
        } else if let held {
            for (place, descriptor) in held.sockets.enumerated() {
                sockets.append(
                    try XDPSocket(
                        adopting: descriptor, interfaceIndex: plan.ports[place % 2].index, queue: UInt32(place / 2)))
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
        _ interfaces: [Interface?], _ mode: ModeWord, _ fileSystem: BPFFileSystem, generic: Bool, isBegun: Bool
    ) throws -> [RedirectProgram?] {
        var programs: [RedirectProgram?] = []
        do {
            for interface in interfaces {
                programs.append(try interface.map { try .attachOrAdopt(on: $0, mode: mode, in: fileSystem, generic: generic) })
            }
            for port in 0..<2 {
                if let other = interfaces[1 - port] { try programs[port]?.setPeer(ifindex: other.index) }
            }
            return programs
        } catch {
            if !isBegun { takeBack(programs, mode) }
            throw error
        }
    }

    /// Takes away what a start that failed has put onto the ports. The maps of programs that stay are left alone: the sockets of this
    /// start leave them with their last owner, and others there may be those of a data process that serves the ports.
    func takeBack() {
        sockets = []
        PairMachine.takeBack(programs, mode)
    }

    /// Programs that an earlier run left to act as declared stay, with the mode word that they act by.
    private static func takeBack(_ programs: [RedirectProgram?], _ mode: ModeWord) {
        for program in programs where program?.origin != .adopted { program?.detach() }
        if !programs.contains(where: { $0?.origin == .adopted }) { mode.unpin() }
    }

    /// Opens the sockets of all queues over the UMEM, as after a start or after the data process was killed.
    func openSockets() throws {
        let layout = UMEMLayout(plan)
        let area = unsafe UMEMArea(
            address: umem.base + layout.frames, length: UInt64(layout.framesByteCount), frameSize: plan.frameSize)
        let size = plan.ringSize
        let ports = try (0..<2).map { port in
            guard let interface = interfaces[port] else { throw KeeperError.port("port \(plan.ports[port].name) is gone") }
            return interface
        }
        let places = (0..<Int(plan.queues)).flatMap { queue in ports.map { XDPSocket.Place($0, queue: UInt32(queue)) } }
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
            try programs[place % 2]?.insert(socket: socket.fileDescriptor, queue: UInt32(place / 2))
        }
    }

    /// Takes the sockets out of the maps: from now on the declared mode acts.
    func removeSockets() {
        for place in 0..<(2 * Int(plan.queues)) { try? programs[place % 2]?.remove(queue: UInt32(place / 2)) }
    }

    /// The kernel's statistics of a queue's port since the start.
    func statistics(queue: Int, port: Int) -> KernelStatistics {
        let place = queue * 2 + port
        guard place < sockets.count, let now = try? sockets[place].statistics() else { return earlier[place] }
        return earlier[place].adding(now)
    }

    /// Books what was lost with workers that were killed: frames in their rings, as far as their sockets are still there, and in their
    /// hands. Nobody else writes the counters now.
    func settle(_ counters: CountersFile, firstWorker: Int) {
        for place in 0..<(2 * Int(plan.queues)) {
            let (worker, port) = (firstWorker + place / 2, place % 2)
            guard let positions = positions(at: place) else {
                counters.forgetPosition(worker: worker, port: port)
                continue
            }
            counters.settle(
                worker: worker, port: port, received: positions.received, unsent: positions.unsent,
                unsentGenerated: positions.unsentGenerated)
        }
        for queue in 0..<Int(plan.queues) { counters.balance(worker: firstWorker + queue) }
    }

    /// Where the rings of a socket stand; `nil` where it is closed.
    private func positions(at place: Int) -> RingPositions? {
        guard place < sockets.count else { return nil }
        return try? RingPositions(socket: sockets[place].fileDescriptor, size: plan.ringSize, frameSize: plan.frameSize)
    }

    /// From now on connections of the pair may be picked up, for as long as the configuration says. To be said before the workers
    /// run.
    func oweGrace(now: UInt64) {
        FlowsLayout.oweGrace(in: flows, from: now)
        isRestart = false
        passedUnjudged = false
    }

    /// Descriptors in the order of `DataFiles`. A pair that waits has no sockets: `standIn` stands in their places.
    func descriptors(standIn: Int32) -> [Int32] {
        let places = sockets.isEmpty ? Array(repeating: standIn, count: 2 * Int(plan.queues)) : sockets.map(\.fileDescriptor)
        return [umem.descriptor, flows.descriptor, mode.fileDescriptor] + places
    }

    /// Takes up ports that have come back, or are other devices under the old names: the program is put onto them anew, and each
    /// port is told of the other. The memory was made for the queues and frames of before, so both must still fit.
    func takeUp() throws {
        var next = try PairMachine.survey(plan, workers: 1, flowCapacity: UInt64(plan.flowCapacity))
        guard next.queues == plan.queues, next.frameSize <= plan.frameSize else {
            throw KeeperError.port(
                "pair \(plan.name): its ports are back with \(next.queues) queues and an MTU for frames of \(next.frameSize) bytes: "
                    + "give them \(plan.queues) queues and the old MTU, or restart bulkhead")
        }
        (next.frameSize, next.ownerByHash) = (plan.frameSize, plan.ownerByHash)
        let now = try (0..<2).map { try Interface(named: plan.ports[$0].name.description) }
        for port in 0..<2 where programs[port]?.interfaceIndex != now[port].index {
            programs[port] = try .attachOrAdopt(on: now[port], mode: mode, in: fileSystem, generic: plan.generic == 1)
        }
        for port in 0..<2 { try programs[port]?.setPeer(ifindex: now[1 - port].index) }
        interfaces = now
        for port in 0..<2 { next.ports[port].isNative = programs[port]?.attachedMode == .native ? 1 : 0 }
        plan = next
    }

    /// Takes the programs off, or leaves them to act as declared, as the configuration says.
    func stop() {
        removeSockets()
        if plan.onStop == PairPlan.OnStop.keep.rawValue {
            mode.set(declared)
        } else {
            for program in programs { program?.detach() }
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
