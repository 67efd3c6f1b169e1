// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout
internal import Link
internal import Logging

// A port may vanish, with its driver or its cable to a virtual machine, and come back under its name as another device. Its pair is
// halted meanwhile, and only its pair: the workers of the others do not notice. When both ports are there and up, the program is
// put onto the one that is back, new sockets are opened over the same memory, and the pair's workers go on with its flow tables, by
// the policy in force.
//
//     gone   ─► mode word ─► halt ─► halted ─► sockets closed                                        (the pair waits)
//     back   ─► program, peers ─► sockets ─► rejoin ─► running ─► mode word, sockets into the maps   (the pair runs)

extension KeeperLoop {
    /// Whether a worker belongs to a pair that waits, and so owes no heartbeat.
    func isWaiting(worker: Int) -> Bool {
        machines.contains {
            $0.isWaiting && worker >= plan.firstWorker(ofPair: $0.number)
                && worker < plan.firstWorker(ofPair: $0.number) + Int($0.plan.queues)
        }
    }

    /// Says on the board and in the journal which ports are not there.
    func noteMissing(_ machine: PairMachine, _ ports: [Interface?]) {
        guard let board else { return }
        var words = board[pair: machine.number]
        for port in 0..<2 where (words.missing[port] == 1) != (ports[port] == nil) {
            let name = machine.plan.ports[port].name
            log.notice("port \(name) \(ports[port] == nil ? "is gone" : "is there again")")
            words.missing[port] = ports[port] == nil ? 1 : 0
            // What was changed about it has gone with it.
            if ports[port] == nil { (words.takenDown[port], words.wasPromiscuous[port]) = (0, 0) }
        }
        board[pair: machine.number] = words
    }

    /// Halts a pair that has lost a port, and lets it go on when both are there.
    func tendPorts(_ machine: PairMachine, _ ports: [Interface?]) {
        let areOurs = (0..<2).allSatisfy { ports[$0]?.index == machine.plan.ports[$0].index }
        if !machine.isWaiting {
            if !areOurs { halt(machine) }
            return
        }
        // A data process that is just starting has been told that the pair waits: it hears of it when it runs.
        guard ports.allSatisfy({ $0?.isUp == true }), areWorkersRunning || data == nil, formerData == nil else { return }
        do {
            try rejoin(machine)
            portTrouble[machine.number] = nil
        } catch {
            machine.closeSockets()
            machine.plan.isWaiting = 1
            // Tried again with every look, and said once.
            guard portTrouble[machine.number] != "\(error)" else { return }
            portTrouble[machine.number] = "\(error)"
            log.error("pair \(machine.plan.name) cannot go on yet: \(error)")
        }
    }

    private func halt(_ machine: PairMachine) {
        log.warning("pair \(machine.plan.name) is halted until both its ports are there")
        setMode(machine, mode(of: machine, isServed: false))
        machine.removeSockets()
        // Before data is asked: should that end it, the next one begins without the pair.
        machine.plan.isWaiting = 1
        takeOver(machine.plan, ofPair: machine.number)
        _ = isDone(Message(.halt, UInt64(machine.number)), answer: .halted)
        machine.closeSockets()
    }

    private func rejoin(_ machine: PairMachine) throws {
        try machine.takeUp()
        try prepare(machine)
        // Before anything else can fail: the next try would take what was just changed about a port for what it was.
        notePorts()
        try machine.openSockets()
        machine.plan.isWaiting = 0
        takeOver(machine.plan, ofPair: machine.number)
        // Without a data process the next one gets the sockets with everything else.
        guard areWorkersRunning, let boardFile else { return }
        // Since the ports know each other again the kernel has forwarded by itself. Workers read it when they begin.
        if machine.mayPassUnjudged { machine.passedUnjudged = true }
        oweGrace(machine)
        let sockets = Array(machine.descriptors(standIn: boardFile.descriptor).dropFirst(3))
        guard isDone(Message(.rejoin, UInt64(machine.number), plan: plan), descriptors: sockets, answer: .running) else { return }
        resetHeartbeats()
        setMode(machine, mode(of: machine, isServed: true))
        do {
            try machine.insertSockets()
        } catch {
            // Its workers run already: data would never take the sockets of a second try.
            return endData(because: error)
        }
        log.notice("pair \(machine.plan.name) goes on")
    }

    /// Lets data do something and waits for its answer. One that does not do it is ended.
    private func isDone(_ message: Message, descriptors: [Int32] = [], answer: Message.Kind) -> Bool {
        guard let dataChannel else { return false }
        do {
            try dataChannel.send(message, descriptors: descriptors)
            try expect(answer)
            try hearUnheard()
            return true
        } catch {
            endData(because: error)
            return false
        }
    }

    /// Kills data; its end is heard like any other.
    private func endData(because error: any Error) {
        log.error("data: \(error)")
        data?.send(SIGKILL)
        dataChannel = nil
    }

    /// What a machine has found becomes part of the plan, on the board too.
    private func takeOver(_ pair: PairPlan, ofPair number: Int) {
        plan.pairs[number] = pair
        board?.plan = plan
    }
}
