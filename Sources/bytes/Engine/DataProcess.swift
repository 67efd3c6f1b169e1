// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Datapath
internal import Glibc
internal import Layout
internal import Sandbox
internal import Synchronization

/// The data process: workers, and one main thread that does what keeper says. It has no privilege, opens no file and no connection;
/// once it was told to go it lives on when keeper dies, and hands everything to the next keeper that asks.
///
///     start ─► map and check everything ─► ready ─► publish ─► in force ─► go ─► workers run ─► running
///     park  ─► workers stop at their turn's end ─► parked        (another data process goes on with the same memory, and this one
///                                                                 hears nobody but its keeper)
///     fetch ─► holdings                                          (another keeper)
public enum DataProcess {
    /// Runs the process. Descriptor 3 is the listening socket of the run folder on which later keepers come, 4 the channel to the
    /// keeper that started it; the arguments are `--identity USER:GROUP --sandbox MODE`. Returns the exit code.
    public static func run(arguments: [String]) -> Int32 {
        let owner = getuid()
        _ = signal(SIGPIPE, SIG_IGN)
        _ = unsafe cxdp_name_thread("bulkhead-data")
        guard arguments.count == 4, arguments[0] == "--identity", let identity = Identity(arguments[1]),
            arguments[2] == "--sandbox", let mode = SandboxMode(word: arguments[3])
        else { return complain("is started by `bulkhead run --config FILE`") }
        do {
            // What came by descriptor is all that is needed from here on: no privilege, no file, and few system calls.
            try Privileges.drop(to: owner == 0 ? identity : nil)
            try Privileges.forbidDumps()
            try FileRules().install(mode)
            try SystemCallFilter.data.install(mode)
        } catch {
            return complain("\(error)")
        }
        let host = DataHost(listener: 3, channel: Channel(adopting: 4), owner: owner)
        return host.serve()
    }

    static func complain(_ what: String) -> Int32 {
        let line = Array("bulkhead data: \(what)\n".utf8)
        _ = unsafe write(STDERR_FILENO, line, line.count)
        return 1
    }
}

/// The main thread's state.
final class DataHost {
    /// How far the process has come.
    private enum Stage {
        /// It was not told to go yet.
        case waiting
        /// Its workers run, but for those of pairs that wait for a port, which may be all.
        case serving
        /// Another process goes on in its place.
        case parked
    }

    private let listener: Int32
    private var channel: Channel?
    /// Connections that have not said yet what they want.
    private var callers: [Channel] = []
    private let owner: UInt32
    /// Those that keeper lets this process have.
    private let processors = ProcessorSet.allowed()
    private let cell = PolicyCell()
    private var memory: DataMemory?
    private var stage = Stage.waiting
    /// The workers that run, by their number among all.
    private var workers: [Int: WorkerThread] = [:]
    private var wakers: [Int32] = []

    init(listener: Int32, channel: Channel, owner: UInt32) {
        self.listener = listener
        self.channel = channel
        self.owner = owner
    }

    /// Serves keepers until one says stop.
    func serve() -> Int32 {
        while true {
            do {
                if let code = try serveOnce() { return code }
            } catch {
                // One conversation has failed; the workers are not touched by it.
                _ = DataProcess.complain("\(error)")
                channel = nil
            }
            // Without a keeper only the one that serves lives on for the next.
            if channel == nil && stage != .serving { return 1 }
        }
    }

    private func serveOnce() throws -> Int32? {
        let channels = (channel.map { [$0] } ?? []) + callers
        // The next keeper is for who goes on, and listens on the same socket.
        var fds = [pollfd(fd: stage == .parked ? -1 : listener, events: Int16(POLLIN), revents: 0)]
        fds += channels.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        guard unsafe poll(&fds, nfds_t(fds.count), -1) > 0 else { return nil }
        if fds[0].revents != 0 { accept() }
        for (index, caller) in channels.enumerated() where fds[index + 1].revents != 0 {
            let isKeeper = caller === channel
            do {
                let (message, descriptors) = try caller.receive()
                if !isKeeper {
                    callers.removeAll { $0 === caller }
                    channel = caller
                }
                if try handle(message, descriptors) { return 0 }
            } catch ChannelError.closed {
                callers.removeAll { $0 === caller }
                if isKeeper { channel = nil }
            }
            // The set of channels may have changed: look again.
            return nil
        }
        return nil
    }

    /// Takes a call from a process of the user who started this one (or root); nobody else is listened to.
    private func accept() {
        let connection = Glibc.accept(listener, nil, nil)
        guard connection >= 0 else { return }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        let caller = Channel(adopting: connection)
        guard let peer = caller.peer, peer.uid == 0 || peer.uid == owner, callers.count < 4 else { return }
        callers.append(caller)
    }

    /// Does what a message says; true when the process is to end.
    private func handle(_ message: Message, _ descriptors: [Int32]) throws -> Bool {
        switch message.kind {
        case .start:
            // Beside the workers of another process that it takes over from it keeps off them from the first.
            if message.arguments[0] != 0 { placement(message.plan).others.hold() }
            memory = try DataMemory(message.plan, descriptors, isFresh: message.arguments[0] == 0)
            try makeWakers(message.plan.workers)
            try channel?.send(Message(.ready))
        case .publish where descriptors.count == 2:
            try publish(descriptors, generation: message.arguments[0])
        case .go:
            stage = .serving
            if workers.isEmpty, let memory {
                for pair in 0..<Int(memory.plan.pairCount) { try startWorkers(ofPair: pair) }
                // Tables were made ready by all processors. What is left to do here may wait, and no worker for it.
                placement(memory.plan).others.hold()
            }
            try channel?.send(Message(.running))
        case .park:
            park(Array(workers.keys), word: 1)
            stage = .parked
            callers = []
            try channel?.send(Message(.parked))
        case .halt:
            halt(pair: message.arguments[0])
            try channel?.send(Message(.halted, message.arguments[0]))
        case .rejoin:
            try rejoin(pair: message.arguments[0], message.plan, descriptors)
            try channel?.send(Message(.running, message.arguments[0] &+ 1))
        case .fetch:
            try channel?.send(
                Message(.holdings, UInt64(cell.generation), plan: memory?.plan ?? .init()),
                descriptors: (memory?.descriptors ?? []) + [listener] + cell.descriptors)
        case .stop:
            return true
        default:
            for descriptor in descriptors { close(descriptor) }
        }
        return false
    }

    private func publish(_ descriptors: [Int32], generation: UInt64) throws {
        guard let memory else {
            for descriptor in descriptors { close(descriptor) }
            return
        }
        do {
            try cell.publish(snapshot: descriptors[0], map: descriptors[1], workers: workers.keys, board: memory.board)
            try channel?.send(Message(.inForce, UInt64(cell.generation)))
        } catch let error as ChannelError {
            throw error
        } catch {
            _ = DataProcess.complain("generation \(generation) is refused: \(error)")
            try channel?.send(Message(.refused, generation))
        }
    }

    private func placement(_ plan: Plan) -> Placement {
        Placement(processors, workers: plan.workers, isShared: plan.sharesProcessors == 1)
    }

    /// A datagram socket pair for each worker, on which others wake it.
    private func makeWakers(_ count: Int) throws {
        wakers = []
        for _ in 0..<(count * 2) { wakers.append(-1) }
        for worker in 0..<count {
            let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            let result = unsafe wakers.withUnsafeMutableBufferPointer { ends in
                unsafe socketpair(AF_UNIX, type, 0, ends.baseAddress! + worker * 2)
            }
            guard result == 0 else { throw ChannelError.system("cannot make a socket pair", errno: errno) }
        }
    }

    /// Starts the workers of a pair that does not wait for a port.
    private func startWorkers(ofPair pair: Int) throws {
        guard let memory, memory.plan.pairs[pair].isWaiting == 0 else { return }
        let plan = memory.plan
        let first = plan.firstWorker(ofPair: pair)
        var others: InlineArray<16, Int32> = .init(repeating: -1)
        for other in 0..<Int(plan.pairs[pair].queues) { others[other] = wakers[(first + other) * 2 + 1] }
        try memory.mapRings(ofPair: pair)
        var started: [WorkerThread] = []
        for queue in 0..<Int(plan.pairs[pair].queues) {
            unsafe memory.board.word(.park, ofWorker: first + queue).pointee.store(0, ordering: .releasing)
            unsafe memory.board.word(.parked, ofWorker: first + queue).pointee.store(0, ordering: .releasing)
            let post = memory.post(pair: pair, queue: queue, cell: cell, wake: wakers[(first + queue) * 2], others: others)
            let worker = try WorkerThread(
                memory: memory, cell: cell, pair: pair, queue: queue, post: post,
                processor: placement(plan).processor(ofWorker: first + queue))
            workers[first + queue] = worker
            started.append(worker)
        }
        for worker in started { worker.waitUntilRunning() }
    }

    /// Stops workers at the end of their turns; `word` says what becomes of what their rings hold (`WorkerBoard.park`).
    private func park(_ numbers: [Int], word: UInt64) {
        guard let memory else { return }
        for number in numbers { unsafe memory.board.word(.park, ofWorker: number).pointee.store(word, ordering: .releasing) }
        for number in numbers { _ = unsafe cxdp_wake(wakers[number * 2 + 1]) }
        for number in numbers { workers.removeValue(forKey: number)?.join() }
    }

    /// A port of the pair is gone: its workers stop, and its sockets go.
    private func halt(pair: UInt64) {
        guard let memory, pair < UInt64(memory.plan.pairCount) else { return }
        let first = memory.plan.firstWorker(ofPair: Int(pair))
        park((first..<(first + Int(memory.plan.pairs[Int(pair)].queues))).filter { workers[$0] != nil }, word: Worker.halted)
        memory.closeSockets(ofPair: Int(pair))
    }

    /// The pair's ports are both there again.
    private func rejoin(pair: UInt64, _ plan: Plan, _ sockets: [Int32]) throws {
        guard let memory, pair < UInt64(memory.plan.pairCount), plan.fault == nil else {
            for descriptor in sockets { close(descriptor) }
            return
        }
        try memory.takeSockets(sockets, ofPair: Int(pair), plan)
        try startWorkers(ofPair: Int(pair))
    }
}
