// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout
internal import Logging

// Control is restarted whenever it ends or falls silent; data is not touched by that. Only before Bulkhead was ready once does the
// end of control end everything: then its complaint about the configuration is the answer to `bulkhead run`.

extension KeeperLoop {
    func startControl() throws {
        let (ours, theirs) = try Channel.pair()
        control = try ChildProcess(
            starting: controlArguments, descriptors: [theirs.descriptor])
        ours.neverWait()
        controlChannel = ours
        lastSignOfControl = now()
        noteProcesses()
    }

    /// Control has ended by itself or was killed.
    func controlEnded() throws {
        let code = control?.wait(milliseconds: 1000) ?? -1
        let signal = control?.signal ?? 0
        control = nil
        controlChannel = nil
        if isStopping { return }
        if signal != 0 { log.error("control \(KeeperLoop.told(signal))") }
        guard isReady else {
            // What is wrong stands on standard error already.
            abandon()
            exitCode = code > 0 ? code : 1
            return
        }
        log.warning("control has ended; the workers go on by the policy in force")
        // A configuration that has become wrong must not make a busy loop: wait a little after a quick end.
        let isQuick = now() &- lastControlStart < 2_000_000_000
        controlRetryAt = now() &+ (isQuick ? 2_000_000_000 : 0)
    }

    /// How a signal ended a process, in words.
    static func told(_ signal: Int32) -> String {
        guard signal == SIGSYS else { return "was killed by signal \(signal)" }
        return "was killed by its system call filter (SIGSYS): it tried what it never needs. If it was not attacked, report it"
    }

    /// Starts control again when it is time to.
    func tendControl() throws {
        let now = now()
        if let at = controlRetryAt, now >= at {
            controlRetryAt = nil
            if var facts = board?.facts {
                facts.control.restarts += 1
                board?.facts = facts
            }
            lastControlStart = now
            do {
                try startControl()
            } catch {
                log.error("control could not be started again, the next try follows: \(error)")
                controlRetryAt = now &+ 2_000_000_000
            }
        }
        let patience = UInt64(plan.controlPatience) * 1_000_000_000
        if let control, plan.pairCount > 0, now > lastSignOfControl, now - lastSignOfControl > patience {
            log.warning("control has given no sign of life for \(plan.controlPatience) s; it is started again")
            control.kill()
            try controlEnded()
        }
    }

    func hearControl() throws {
        guard let channel = controlChannel else { return }
        let (message, descriptors): (Message, [Int32])
        do {
            (message, descriptors) = try channel.receive()
        } catch ChannelError.closed {
            // Its end is heard by its descriptor.
            controlChannel = nil
            return
        } catch {
            log.error("control: \(error)")
            control?.send(SIGKILL)
            return
        }
        lastSignOfControl = now()
        if message.kind == .publish && descriptors.count == 2 {
            return publish(descriptors, generation: message.arguments[0], epoch: message.arguments[1])
        }
        for descriptor in descriptors { close(descriptor) }
        do {
            switch message.kind {
            case .prepare: try prepare(message.plan)
            case .orders:
                try obey(message.plan, clock: ClockFacts(latest: message.arguments[0], beforeLeap: message.arguments[1]))
            case .bypass: orderBypass(seconds: message.arguments[0])
            default: break
            }
        } catch  where isReady {
            // What a faulty control orders must not end the keeper of a machine that runs.
            log.error("control: \(error)")
            control?.send(SIGKILL)
        }
    }

    /// Says something to control. One that does not listen is started again, rather than waited for.
    func tell(_ message: Message, descriptors: [Int32] = []) {
        do {
            try controlChannel?.send(message, descriptors: descriptors)
        } catch ChannelError.closed {
            // Its end is heard by its descriptor.
        } catch {
            log.error("control does not listen: \(error)")
            control?.send(SIGKILL)
            controlChannel = nil
        }
    }

    /// Orders of control: build what they say, or, when it is there, go on with it. A board that has seen no clock yet begins with what
    /// control knows of the last one.
    func obey(_ orders: Plan, clock: ClockFacts) throws {
        if let fault = orders.fault { throw KeeperError.orders(fault) }
        if machines.isEmpty {
            try build(orders)
            place(orders)
            noteProcesses()
            try confine()
        } else if !isSame(orders, plan) {
            log.warning("pairs, ports or capacities of the configuration have changed: they act after a restart of bulkhead")
        }
        plan.controlPatience = orders.controlPatience
        guard let board, let boardFile, let counters, let events, let inquiries else { return }
        if board.clock.latest == 0, clock.isPossible { board.clock = clock }
        let facts = board.facts
        var readable: [Int32] = []
        defer { for descriptor in readable { close(descriptor) } }
        for memory in [counters.memory, boardFile] {
            // Control may look, and write nothing: a faulty one must not be able to feign heartbeats.
            let descriptor = unsafe open("/proc/self/fd/\(memory.descriptor)", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw KeeperError.orders("cannot open a memory file for reading: error \(errno)") }
            readable.append(descriptor)
        }
        tell(
            Message(.files, UInt64(facts.lastGeneration), UInt64(facts.lastEpoch)),
            descriptors: readable + [events.descriptor, inquiries.descriptor])
    }

    /// Whether two plans mean the same machine, whatever keeper has found out beside it.
    func isSame(_ a: Plan, _ b: Plan) -> Bool {
        guard a.pairCount == b.pairCount, a.flowCapacity == b.flowCapacity else { return false }
        return (0..<Int(a.pairCount)).allSatisfy { number in
            let (x, y) = (a.pairs[number], b.pairs[number])
            let ports = (0..<2).allSatisfy { x.ports[$0].name == y.ports[$0].name }
            return x.name == y.name && ports && x.fail == y.fail && x.onStop == y.onStop && x.generic == y.generic
                && x.copy == y.copy && x.poll == y.poll
        }
    }
}
