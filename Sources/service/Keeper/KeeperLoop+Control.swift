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
            starting: ["control", "--config", configuration], descriptors: [theirs.descriptor])
        controlChannel = ours
        lastSignOfControl = now()
        noteProcesses()
    }

    /// Control has ended by itself or was killed.
    func controlEnded() throws {
        let code = control?.wait(milliseconds: 1000) ?? -1
        control = nil
        controlChannel = nil
        if isStopping { return }
        guard isReady else {
            // What is wrong stands on standard error already.
            abandon()
            exitCode = code > 0 ? code : 1
            return
        }
        log.warning("control has ended (\(code)); the workers go on by the policy in force")
        // A configuration that has become wrong must not make a busy loop: wait a little after a quick end.
        let isQuick = now() &- lastControlStart < 2_000_000_000
        controlRetryAt = now() &+ (isQuick ? 2_000_000_000 : 0)
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
            try startControl()
            lastControlStart = now
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
        do {
            let (message, descriptors) = try channel.receive()
            lastSignOfControl = now()
            switch message.kind {
            case .orders: try obey(message.plan)
            case .publish where descriptors.count == 2:
                try publish(descriptors, generation: message.arguments[0], epoch: message.arguments[1])
            default: for descriptor in descriptors { close(descriptor) }
            }
        } catch ChannelError.closed {
            // Its end is heard by its descriptor.
            controlChannel = nil
        } catch let error as ChannelError {
            log.error("control: \(error)")
            control?.kill()
        }
    }

    /// Orders of control: build what they say, or, when it is there, go on with it.
    func obey(_ orders: Plan) throws {
        if let fault = orders.fault { throw KeeperError.orders(fault) }
        if machines.isEmpty {
            try build(orders)
        } else if !isSame(orders, plan) {
            log.warning("pairs, ports or capacities of the configuration have changed: they act after a restart of bulkhead")
        }
        plan.controlPatience = orders.controlPatience
        guard let board, let boardFile, let counters, let events else { return }
        let facts = board.facts
        var readable: [Int32] = []
        defer { for descriptor in readable { close(descriptor) } }
        for memory in [counters.memory, boardFile] {
            // Control may look, and write nothing: a faulty one must not be able to feign heartbeats.
            let descriptor = unsafe open("/proc/self/fd/\(memory.descriptor)", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw KeeperError.orders("cannot open a memory file for reading: error \(errno)") }
            readable.append(descriptor)
        }
        try controlChannel?.send(
            Message(.files, UInt64(facts.lastGeneration), UInt64(facts.lastEpoch)), descriptors: readable + [events.descriptor])
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

    /// Passes a publication on to data, and keeps it for a data process that is started later.
    func publish(_ descriptors: [Int32], generation: UInt64, epoch: UInt64) throws {
        forgetPublication()
        publication = (descriptors[0], descriptors[1], generation)
        if var facts = board?.facts {
            facts.lastEpoch = max(facts.lastEpoch, UInt32(truncatingIfNeeded: epoch))
            facts.lastGeneration = max(facts.lastGeneration, UInt32(truncatingIfNeeded: generation))
            board?.facts = facts
        }
        try dataChannel?.send(Message(.publish, generation), descriptors: descriptors)
    }

    func forgetPublication() {
        guard let old = publication else { return }
        close(old.snapshot)
        close(old.map)
        publication = nil
    }
}
