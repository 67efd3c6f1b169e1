// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout
internal import Link
internal import Logging
internal import Net
internal import Sandbox
internal import Synchronization

// Data's life. Whenever it is gone or hangs, the order is the same: the mode word first, so that the kernel acts as declared on the
// next frame; then the kill, also of a stopped process, which so never comes back to send what it holds; then the books; then new
// sockets over the same memory, another process, and the mode word back when its workers run.

extension KeeperLoop {
    /// How long a data process may take for each step before it counts as hanging.
    static let stepMilliseconds: Int32 = 10_000

    /// Starts a data process and lets it map everything; it waits for policy then.
    func startData(isFresh: Bool) throws {
        let (ours, theirs) = try Channel.pair()
        lastDataStart = now()
        let process = try ChildProcess(starting: dataArguments, descriptors: [dataListener, theirs.descriptor], on: processors)
        data = process
        dataChannel = ours
        (plan.dataUser, plan.dataGroup, plan.sandbox) = (identities.data.user, identities.data.group, UInt32(sandbox.rawValue))
        plan.sharesProcessors = placement?.isShared == true ? 1 : 0
        guard let boardFile, let counters, let events, let inquiries else { return }
        let head = [boardFile.descriptor, counters.memory.descriptor, events.descriptor, inquiries.descriptor]
        try ours.send(
            Message(.start, isFresh ? 0 : 1, plan: plan),
            descriptors: head + machines.flatMap { $0.descriptors(standIn: boardFile.descriptor) })
        try expect(.ready)
        noteProcesses()
        if isFresh { offerAgain() }
    }

    /// Waits for one message of data. What it answers to offers may come first, as many as there are: that is kept in `unheard`,
    /// because what it may lead to (`go`, say) would come between this question and its answer.
    func expect(_ kind: Message.Kind, from channel: Channel? = nil) throws {
        guard let channel = channel ?? dataChannel else { throw KeeperError.data("does not answer") }
        while true {
            guard channel.isReadable(within: KeeperLoop.stepMilliseconds) else { throw KeeperError.data("does not answer") }
            let (message, descriptors) = try channel.receive()
            for descriptor in descriptors { close(descriptor) }
            if message.kind == kind { return }
            let isAnswer = message.kind == .inForce || message.kind == .refused
            guard isAnswer, channel === dataChannel, unheard.count < offers.count else {
                throw KeeperError.data("answers \(message.kindNumber) instead of \(kind)")
            }
            unheard.append(message)
        }
    }

    /// Hears what was kept while another answer was waited for.
    func hearUnheard() throws {
        while !unheard.isEmpty { try heard(unheard.removeFirst()) }
    }

    func hearData() throws {
        guard let channel = dataChannel else { return }
        do {
            let (message, descriptors) = try channel.receive()
            for descriptor in descriptors { close(descriptor) }
            try heard(message)
            try hearUnheard()
        } catch {
            if error as? ChannelError != .closed { log.error("data: \(error)") }
            // Without its channel it is of no use; `tick` sees to its end, which is heard by its descriptor.
            dataChannel = nil
        }
    }

    /// What data says of policy.
    private func heard(_ message: Message) throws {
        switch message.kind {
        case .inForce: try inForce(message)
        case .refused:
            log.error("data refuses generation \(message.arguments[0])")
            answered(isInForce: false)
            tell(message)
        default: break
        }
    }

    /// A generation is in force in data: workers that wait for it may run.
    private func inForce(_ message: Message) throws {
        answered(isInForce: true)
        if var facts = board?.facts {
            facts.generation = UInt32(truncatingIfNeeded: message.arguments[0])
            board?.facts = facts
        }
        if !areWorkersRunning {
            try letRun()
        }
        tell(message)
        if !isReady {
            isReady = true
            // Whoever waits for the line reads it from a pipe or a file: no buffer may hold it back.
            let line = Array("ready\n".utf8)
            _ = unsafe write(STDOUT_FILENO, line, line.count)
            service.tell("READY=1\nSTATUS=policy is in force")
        }
    }

    /// Lets the workers of a data process that has policy run, in place of a former one where there is one.
    private func letRun() throws {
        if let former = formerData {
            // The same sockets, maps and mode go on: nothing is set anew, so no frame counts as stale.
            wasFormerParked = true
            try former.channel.send(Message(.park))
            try expect(.parked, from: former.channel)
            // Should this process end from here on, the next keeper finds the new one.
            noteProcesses()
        } else {
            for machine in machines { oweGrace(machine) }
            // Before the workers look at the word for the first time, else the change of its epoch would cost them what has come
            // in.
            for machine in machines { setMode(machine, mode(of: machine, isServed: !machine.isWaiting)) }
        }
        try dataChannel?.send(Message(.go))
        try expect(.running)
        areWorkersRunning = true
        resetHeartbeats()
        if let former = formerData {
            try resume()
            try? former.channel.send(Message(.stop))
            if former.process.wait(milliseconds: 2000) == nil { former.process.kill() }
            formerData = nil
            noteProcesses()
        } else {
            for machine in machines where !machine.isWaiting { try machine.insertSockets() }
        }
    }

    /// Workers that begin to run may find connections under way that their tables do not hold: those of an earlier run, and those
    /// that were opened while the kernel forwarded by itself. A first start on clean ports has neither.
    func oweGrace(_ machine: PairMachine) {
        let isFirst = hasBuilt && board?.facts.data.restarts == 0
        let passedUnjudged = machine.passedUnjudged || !isFirst && machine.mayPassUnjudged
        guard machine.isRestart || passedUnjudged else { return }
        log.notice(
            """
            pair \(machine.plan.name): connections under way may be picked up for the grace, because \
            \(machine.isRestart ? "an earlier run's flow tables are lost" : "frames have passed unjudged")
            """)
        machine.oweGrace(now: now())
    }

    /// Data has ended by itself, was killed, or hangs.
    func dataEnded(isHang: Bool) throws {
        guard !isStopping, !fallBack() else { return }
        for machine in machines { setMode(machine, mode(of: machine, isServed: false)) }
        let code = isHang ? nil : data?.wait(milliseconds: 0)
        let signal = data?.signal ?? 0
        data?.kill()
        if isHang {
            log.error(
                "a worker has given no heartbeat for \(KeeperLoop.patienceTicks * Int(KeeperLoop.tickMilliseconds)) ms: data was killed"
            )
        } else {
            log.error("data \(signal == 0 ? "has ended (\(code ?? -1))" : KeeperLoop.told(signal))")
        }
        data = nil
        dataChannel = nil
        areWorkersRunning = false
        if var facts = board?.facts {
            facts.data.restarts += 1
            facts.hangs += isHang ? 1 : 0
            facts.generation = 0
            board?.facts = facts
        }
        blameOffer()
        settle()
        for machine in machines { machine.closeSockets() }
        // One that ends as soon as it is there must not make a busy loop of flips of the mode word.
        quickEnds = now() &- lastDataStart < 1_000_000_000 ? quickEnds + 1 : 0
        if quickEnds > 1 { dataRetryAt = now() &+ 500_000_000 } else { restartData() }
    }

    /// The data process that was to take over has failed. True when the one before it goes on, which it does if it was not yet
    /// asked to stop; else both are gone now, and everything starts anew.
    private func fallBack() -> Bool {
        guard let former = formerData else { return false }
        formerData = nil
        data?.kill()
        guard !wasFormerParked, former.process.wait(milliseconds: 0) == nil else {
            former.process.kill()
            return false
        }
        log.error("the new data process has failed: the one before it goes on")
        (data, dataChannel) = (former.process, former.channel)
        areWorkersRunning = true
        resetHeartbeats()
        noteProcesses()
        for offer in offers { send(offer) }
        return true
    }

    /// The data process that is to be followed has ended too soon.
    func formerEnded() throws {
        log.error("the former data process has ended before its time")
        wasFormerParked = true
        try dataEnded(isHang: false)
    }

    /// New sockets and another data process; when that fails (a port is gone, say), again after a while. Until then the ports do
    /// what is declared.
    private func restartData() {
        dataRetryAt = nil
        do {
            for machine in machines where machine.sockets.isEmpty && !machine.isWaiting { try machine.openSockets() }
            try startData(isFresh: true)
        } catch {
            log.error("data could not be started again, the next try follows: \(error)")
            data?.kill()
            data = nil
            dataChannel = nil
            for machine in machines { machine.closeSockets() }
            dataRetryAt = now() &+ 500_000_000
        }
    }

    /// Books what was lost with the workers; nobody writes the counters meanwhile.
    private func settle() {
        guard let counters else { return }
        for machine in machines {
            machine.settle(counters, firstWorker: plan.firstWorker(ofPair: machine.number))
        }
    }

    /// Changes a pair's mode, and says so on the board.
    func setMode(_ machine: PairMachine, _ mode: PortMode) {
        machine.mode.set(mode)
        guard let board else { return }
        var words = board[pair: machine.number]
        words.mode = mode.rawValue
        board[pair: machine.number] = words
    }

    func resetHeartbeats() { heartbeats = Array(repeating: (0, 0), count: plan.workers) }

    /// Looks at the heartbeats, gathers statistics, tends control.
    func tick() throws {
        let now = now()
        guard now &- lastTick >= UInt64(KeeperLoop.tickMilliseconds) * 1_000_000 else { return }
        // A keeper that was itself held up cannot tell who else was: it counts anew.
        let wasHeldUp = now &- lastTick > 4 * UInt64(KeeperLoop.tickMilliseconds) * 1_000_000
        lastTick = now
        tickCount += 1
        if wasHeldUp {
            resetHeartbeats()
            lastSignOfControl = max(lastSignOfControl, now)
        }
        if areWorkersRunning { try watchHeartbeats() }
        watchAnswers()
        if let at = dataRetryAt, now >= at { restartData() }
        if tickCount % 8 == 0 { gatherStatistics() }
        // An event may be lost, and a port may have settled without one.
        if tickCount % 40 == 0 { lookAtLinks() }
        tendBypass()
        tendWatchdog(now)
        try tendControl()
    }

    /// A data process that does not answer before its workers run has no heartbeat to be missed, and one without a channel cannot
    /// be told anything any more.
    private func watchAnswers() {
        silentTicks = data != nil && !areWorkersRunning && !offers.isEmpty ? silentTicks + 1 : 0
        let isSilent = silentTicks > Int(KeeperLoop.stepMilliseconds / KeeperLoop.tickMilliseconds)
        guard let data, dataChannel == nil || isSilent else { return }
        if isSilent { log.error("data does not answer: it is killed") }
        silentTicks = 0
        data.send(SIGKILL)
    }

    private func watchHeartbeats() throws {
        guard let board, heartbeats.count == plan.workers else { return }
        for worker in heartbeats.indices where !isWaiting(worker: worker) {
            let turn = unsafe board.word(.turn, ofWorker: worker).pointee.load(ordering: .relaxed)
            heartbeats[worker].ticks = turn == heartbeats[worker].turn ? heartbeats[worker].ticks + 1 : 0
            heartbeats[worker].turn = turn
        }
        if heartbeats.contains(where: { $0.ticks >= KeeperLoop.patienceTicks }) { try dataEnded(isHang: true) }
    }

    private func gatherStatistics() {
        guard let board else { return }
        for machine in machines {
            let first = plan.firstWorker(ofPair: machine.number)
            for queue in 0..<Int(machine.plan.queues) {
                for port in 0..<2 {
                    board[statistics: first + queue, port: port] = machine.statistics(queue: queue, port: port)
                }
            }
        }
    }

    /// Writes who is who onto the board.
    func noteProcesses() {
        guard let board else { return }
        var facts = board.facts
        facts.keeper.pid = getpid()
        facts.data.pid = data?.pid ?? 0
        // Whom another keeper is to find: while one waits to take over, the one before it, until that has parked.
        let followed = wasFormerParked ? data : formerData?.process ?? data
        if let pid = followed?.pid { expectNoted(folder?.note(data: pid), "which process is data") }
        facts.control.pid = control?.pid ?? 0
        facts.others = placement?.others ?? ProcessorSet()
        board.facts = facts
        board.plan = plan
    }
}
