// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout
internal import Link
internal import Logging
internal import Net

// From orders to a machine that waits for policy. Three ways lead there:
//
//   - nothing is there: programs, memory, sockets and a data process are made;
//   - an earlier keeper died and data runs on: everything is fetched from data, which is not disturbed;
//   - `--take-over`: the running keeper lets go, everything is fetched from data, and a new data process of this binary waits beside
//     it until policy is in force there; then the old one parks and the new one goes on with the same rings and tables.

/// What the data process of an earlier keeper answers.
struct Holdings {
    let plan: Plan
    let descriptors: [Int32]
    let channel: Channel
    let generation: UInt64
}

extension KeeperLoop {
    func build(_ orders: Plan) throws {
        guard let folder else { throw KeeperError.orders("nothing was prepared for them") }
        try enter(folder)
        raiseLimits()
        try? folder.listenForKeepers()
        let fileSystem = try BPFFileSystem.locate()
        monitor = try LinkMonitor()
        let held = fetch(from: folder)
        let isOverdue = recallBypass()
        if let held, try adopt(held, orders, on: fileSystem) {
            log.info("took back the data process \(data?.pid ?? formerData?.process.pid ?? 0) and \(machines.count) pair(s)")
            try checkGround(plan, on: fileSystem, isFresh: false)
        } else {
            guard held != nil || !takeOver else { throw KeeperError.nobodyToTakeOver(folder: folder.path) }
            // One that does not answer would hold the ports' queues for ever.
            folder.notedData()?.kill()
            try checkGround(orders, on: fileSystem, isFresh: true)
            try buildAnew(orders, on: fileSystem)
        }
        resumeBypass(isOverdue: isOverdue)
        // Behind the bypass, which may have ended meanwhile.
        if areWorkersRunning { try resume() }
        lookAtLinks()
        heartbeats = Array(repeating: (0, 0), count: plan.workers)
        noteProcesses()
    }

    /// Holds the folder from now on; with `--take-over` the running keeper is asked to let go first.
    private func enter(_ folder: RunFolder) throws {
        if try folder.acquire(milliseconds: 0) {
            return
        }
        guard takeOver, let other = folder.connect("keeper.sock") else { throw KeeperError.isRunning(folder: folder.path) }
        try other.send(Message(.takeOver))
        guard other.isReadable(within: 5000), try other.receive().message.kind == .letGo else {
            throw KeeperError.isRunning(folder: folder.path)
        }
        guard try folder.acquire(milliseconds: 5000) else { throw KeeperError.isRunning(folder: folder.path) }
    }

    /// What the data process of an earlier keeper holds; `nil` when there is none that answers.
    private func fetch(from folder: RunFolder) -> Holdings? {
        guard let channel = folder.connect("data.sock") else { return nil }
        do {
            try channel.send(Message(.fetch))
            guard channel.isReadable(within: 2000) else { throw KeeperError.data("does not answer") }
            let (message, descriptors) = try channel.receive()
            guard message.kind == .holdings else {
                for descriptor in descriptors { close(descriptor) }
                throw KeeperError.data("answers \(message.kindNumber)")
            }
            return Holdings(plan: message.plan, descriptors: descriptors, channel: channel, generation: message.arguments[0])
        } catch {
            log.warning("a data process is there but cannot be taken back: \(error)")
            return nil
        }
    }

    /// The process that holds what data has answered, if that is the machine that the orders mean, and whole; `nil` where it is to end
    /// and everything to be built anew.
    func holder(of held: Holdings, for orders: Plan) throws -> ChildProcess? {
        guard let process = folder?.notedData() else {
            // It may have ended behind its answer. Else it has the ports and judges: nothing of it may be touched, and nobody knows
            // whom to watch, or to end.
            guard held.channel.isReadable(within: 100) else {
                throw KeeperError.unknownData(folder: folder?.keepersPath ?? "")
            }
            return nil
        }
        // First of all: what it says is counted with behind this.
        if let fault = held.plan.fault ?? held.plan.surveyFault {
            log.warning("the running data process holds what cannot be (\(fault)): it ends, and flows start anew")
            return nil
        }
        let count = DataFiles.count(in: held.plan)
        guard isSame(held.plan, orders), held.descriptors.count == count + 1 || held.descriptors.count == count + 3 else {
            log.warning(
                "the configuration names other ports or capacities than the running data process: it ends, and flows start anew")
            return nil
        }
        return process
    }

    /// Takes back what data holds; false where it cannot be.
    private func adopt(_ held: Holdings, _ orders: Plan, on fileSystem: BPFFileSystem) throws -> Bool {
        guard let process = try holder(of: held, for: orders) else {
            for descriptor in held.descriptors { close(descriptor) }
            return false
        }
        let count = DataFiles.count(in: held.plan)
        let boardFile = try SharedMemory(
            adopting: held.descriptors[DataFiles.board],
            expecting: MemoryHeader(.board, byteCount: BoardLayout.byteCount, geometry: BoardLayout.geometry))
        self.boardFile = boardFile
        let board = unsafe Board(base: boardFile.base)
        self.board = board
        counters = CountersFile(
            try SharedMemory(adopting: held.descriptors[DataFiles.counters], expecting: CountersLayout.header))
        events = try SharedMemory(adopting: held.descriptors[DataFiles.events], expecting: EventsLayout(held.plan).header)
        inquiries = try SharedMemory(
            adopting: held.descriptors[DataFiles.inquiries], expecting: InquiriesLayout(held.plan).header)
        try adoptMachines(held, on: fileSystem)
        dataListener = held.descriptors[count]
        if held.descriptors.count == count + 3 {
            publication = Publication(
                snapshot: held.descriptors[count + 1], map: held.descriptors[count + 2], generation: held.generation,
                wasInForce: true)
        }
        var facts = board.facts
        facts.keeper.restarts += 1
        board.facts = facts
        if takeOver {
            formerData = (process, held.channel)
            try startData(isFresh: false)
        } else {
            data = process
            dataChannel = held.channel
            areWorkersRunning = held.generation > 0
        }
        return true
    }

    /// The sockets, programs and memory of all pairs.
    private func adoptMachines(_ held: Holdings, on fileSystem: BPFFileSystem) throws {
        plan = held.plan
        for pair in 0..<Int(plan.pairCount) {
            close(held.descriptors[DataFiles.mode(ofPair: pair, in: plan)])
            let layout = UMEMLayout(plan.pairs[pair])
            let tables = FlowsLayout(plan.pairs[pair])
            let umem = try SharedMemory(
                adopting: held.descriptors[DataFiles.umem(ofPair: pair, in: plan)], expecting: layout.header(pair: pair))
            let flows = try SharedMemory(
                adopting: held.descriptors[DataFiles.flows(ofPair: pair, in: plan)], expecting: tables.header(pair: pair))
            let first = DataFiles.socket(ofPair: pair, queue: 0, port: 0, in: plan)
            let sockets = Array(held.descriptors[first..<(first + 2 * Int(plan.pairs[pair].queues))])
            let machine = try PairMachine(pair, plan.pairs[pair], on: fileSystem, adopting: (umem, flows, sockets))
            plan.pairs[pair] = machine.plan
            machines.append(machine)
        }
    }

    /// An earlier keeper may have died between two steps: workers that run have their sockets in the maps, under the declared mode.
    func resume() throws {
        for machine in machines {
            let mode = mode(of: machine, isServed: !machine.isWaiting)
            if machine.mode.value != mode {
                // Until now the kernel has forwarded by itself. The workers read it when they see the mode's new epoch.
                if machine.mode.value == .bypass {
                    machine.passedUnjudged = true
                    oweGrace(machine)
                }
                setMode(machine, mode)
            }
            if !machine.isWaiting { try machine.insertSockets() }
        }
    }

    private func buildAnew(_ orders: Plan, on fileSystem: BPFFileSystem) throws {
        plan = orders
        hasBuilt = true
        var workers = 0
        for pair in 0..<Int(orders.pairCount) {
            workers += try Int(PairMachine.survey(orders.pairs[pair], workers: 1, flowCapacity: orders.flowCapacity).queues)
        }
        guard workers <= Plan.maximumWorkers else {
            throw KeeperError.port(
                "\(workers) queues in all, \(Plan.maximumWorkers) can be served: use fewer queues (ethtool -L)")
        }
        for pair in 0..<Int(orders.pairCount) {
            plan.pairs[pair] = try PairMachine.survey(orders.pairs[pair], workers: workers, flowCapacity: orders.flowCapacity)
        }
        let header = MemoryHeader(.board, byteCount: BoardLayout.byteCount, geometry: BoardLayout.geometry)
        let boardFile = try SharedMemory.create("bulkhead-board", byteCount: BoardLayout.byteCount, header: header)
        self.boardFile = boardFile
        unsafe board = Board(base: boardFile.base)
        counters = CountersFile(
            try SharedMemory.create("bulkhead-counters", byteCount: CountersLayout.byteCount, header: CountersLayout.header))
        let eventsLayout = EventsLayout(plan)
        events = try SharedMemory.create("bulkhead-events", byteCount: eventsLayout.byteCount, header: eventsLayout.header)
        let inquiriesLayout = InquiriesLayout(plan)
        inquiries = try SharedMemory.create(
            "bulkhead-inquiries", byteCount: inquiriesLayout.byteCount, header: inquiriesLayout.header)
        for pair in 0..<Int(plan.pairCount) {
            let machine = try PairMachine(
                pair, plan.pairs[pair], on: fileSystem, adopting: nil, isBypassed: bypassUntil > 0)
            machines.append(machine)
            plan.pairs[pair] = machine.plan
            try prepare(machine)
        }
        notePorts()
        board?.plan = plan
        dataListener = try folder?.listen("data.sock") ?? -1
        try startData(isFresh: true)
    }

    /// Ports in the middle of a wire take frames for any address. What an earlier keeper has changed about them, without coming to
    /// put it back, counts as changed by this one.
    func prepare(_ machine: PairMachine) throws {
        guard let board else { return }
        var words = board[pair: machine.number]
        for port in 0..<2 {
            let interface = try Interface(named: machine.plan.ports[port].name.description)
            let earlier = folder?.notedPort(machine.plan.ports[port])
            let was = try interface.becomePromiscuous().wasPromiscuous
            words.wasPromiscuous[port] = earlier?.wasPromiscuous ?? was ? 1 : 0
            words.takenDown[port] = earlier?.isTakenDown == true ? 1 : 0
        }
        words.mode = machine.mode.value.rawValue
        board[pair: machine.number] = words
    }

    /// UMEM is pinned memory: the limit that a service is given by default does not hold one queue.
    private func raiseLimits() {
        if !PinnedMemory.lift() {
            log.warning("cannot lift RLIMIT_MEMLOCK: packet memory may be refused (LimitMEMLOCK=infinity in the unit)")
        }
    }

    /// Says what is to be said about ports and machine. What would keep a pair from working keeps it from starting, but never stops
    /// one that runs.
    private func checkGround(_ plan: Plan, on fileSystem: BPFFileSystem, isFresh: Bool) throws {
        let findings = GroundCheck(plan, pins: fileSystem).findings
        for finding in findings where finding.severity != .note {
            if finding.severity == .warning || !isFresh { log.warning("\(finding)") }
        }
        let errors = findings.filter { $0.severity == .error }
        guard isFresh, !errors.isEmpty else { return }
        throw KeeperError.port(errors.map(\.description).joined(separator: "; "))
    }
}
