// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Layout
internal import Link
internal import Logging
internal import Sandbox

/// The keeper process: what `bulkhead run` becomes. It holds everything that needs privilege or must outlive the others: AF_XDP
/// sockets, programs, maps and memory. It starts control and data, watches both, and starts them again. It parses nothing from the
/// wire, from a file or from a client; control sends it orders of fixed size, each field of which is checked.
///
///     control ── orders, snapshots ─►  keeper  ── plan, memory, sockets, snapshots ─► data
///        ▲                              │  ▲                                          │
///        └── counters, board, events ───┘  └───────── in force, heartbeats ───────────┘
public enum KeeperProcess {
    /// Holds back the signals that keeper takes one by one in its loop. To be called before the process has a second thread.
    public static func holdSignals() {
        var set = keeperSignals()
        unsafe sigprocmask(SIG_BLOCK, &set, nil)
        _ = signal(SIGPIPE, SIG_IGN)
    }

    static func keeperSignals() -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGCHLD] { unsafe sigaddset(&set, signal) }
        return set
    }

    /// Runs Bulkhead by the configuration file until it is stopped or another keeper takes over; the exit code.
    public static func run(configuration: String, takeOver: Bool) -> Int32 {
        let keeper = KeeperLoop(configuration: configuration, takeOver: takeOver)
        // A backtrace is made by another program, which none of the processes may start; it is decided when a process begins.
        unsafe setenv("SWIFT_BACKTRACE", "enable=no", 1)
        do {
            try Privileges.forbidDumps()
            // Before anybody can have put another one in its place.
            _ = KeeperLoop.binary
            return try keeper.run()
        } catch {
            keeper.log.error("\(error)")
            keeper.abandon()
            return 1
        }
    }
}

/// The keeper's state and its one loop. Single-threaded: whatever takes long is bounded by a timeout.
final class KeeperLoop {
    /// How often heartbeats are looked at, in milliseconds.
    static let tickMilliseconds: Int32 = 25
    /// Ticks without a heartbeat after which a worker hangs: 400 ms, so that a hang is noticed within 500.
    static let patienceTicks = 16

    let configuration: String
    let takeOver: Bool
    var log = Logger(label: "keeper")
    /// Who the other two run as.
    var identities = Identities.usual()
    /// How strictly all three are held to what they need.
    var sandbox = SandboxMode.enforce
    /// Those that whoever started this process lets it have.
    let processors = ProcessorSet.allowed()
    /// Which of them workers have, and which are left; `nil` until control has said which ports there are.
    var placement: Placement?
    var folder: RunFolder?
    var plan = Plan()
    var machines: [PairMachine] = []
    var board: Board?
    var boardFile: SharedMemory?
    var counters: CountersFile?
    var events: SharedMemory?
    var inquiries: SharedMemory?
    /// Where later keepers find data; handed to it.
    var dataListener: Int32 = -1
    var data: ChildProcess?
    var dataChannel: Channel? {
        // What was said over the one before it is nobody's word any more.
        didSet { unheard = [] }
    }
    /// When to start data again after a try that failed.
    var dataRetryAt: UInt64?
    /// A data process of an older binary, until the new one has taken its place.
    var formerData: (process: ChildProcess, channel: Channel)?
    /// Whether the former data process was asked to stop: it cannot go on then.
    var wasFormerParked = false
    var lastDataStart: UInt64 = 0
    /// How many data processes in a row have ended within a second.
    var quickEnds = 0
    /// Ticks for which data owes an answer.
    var silentTicks = 0
    var control: ChildProcess?
    var controlChannel: Channel?
    /// What is in force in data, for a data process that is started again.
    var publication: Publication?
    /// What data has not answered yet, oldest first.
    var offers: [Publication] = []
    /// Answers to offers that came while keeper waited for another answer, oldest first: they are heard behind it.
    var unheard: [Message] = []
    var lastControlStart: UInt64 = 0
    /// Whether the workers have been let run, and so owe heartbeats.
    var areWorkersRunning = false
    var isReady = false
    /// Whether this keeper made the machine, and did not find it running.
    var hasBuilt = false
    var isStopping = false
    var monitor: LinkMonitor?
    /// Until when everything passes unjudged by order, in nanoseconds of the monotonic clock; 0 where nobody ordered it.
    var bypassUntil: UInt64 = 0
    /// Ports that were taken up again, and until when they may be without a link.
    var settling: [Place: UInt64] = [:]
    /// Why a pair whose ports are back cannot go on, by its number.
    var portTrouble: [Int: String] = [:]
    var heartbeats: [(turn: UInt64, ticks: Int)] = []
    /// Who started this process, if it wants to know how it goes.
    let service = ServiceNotice()
    var lastNotice: UInt64 = 0
    var lastTick: UInt64 = 0
    var tickCount = 0
    var lastSignOfControl: UInt64 = 0
    var controlRetryAt: UInt64?
    var exitCode: Int32?

    init(configuration: String, takeOver: Bool) {
        self.configuration = configuration
        self.takeOver = takeOver
    }

    /// The loop: sockets, ends of processes, links, signals, and the tick.
    func run() throws -> Int32 {
        KeeperProcess.holdSignals()
        try startControl()
        while exitCode == nil {
            var fds: [pollfd] = []
            var acts: [() throws -> Void] = []
            func watch(_ descriptor: Int32, _ act: @escaping () throws -> Void) {
                fds.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
                acts.append(act)
            }
            if let control { watch(control.descriptor) { try self.controlEnded() } }
            if let controlChannel { watch(controlChannel.descriptor) { try self.hearControl() } }
            if let data { watch(data.descriptor) { try self.dataEnded(isHang: false) } }
            if let dataChannel { watch(dataChannel.descriptor) { try self.hearData() } }
            if let formerData { watch(formerData.process.descriptor) { try self.formerEnded() } }
            if let monitor { watch(monitor.fileDescriptor) { try self.hearLinks() } }
            if let listener = folder?.keeperListener, listener >= 0 { watch(listener) { try self.hearKeeper(listener) } }
            let ready = unsafe poll(&fds, nfds_t(fds.count), KeeperLoop.tickMilliseconds)
            // Before the ends of others: who stops everything signals all processes at once.
            try hearSignals()
            if exitCode != nil { break }
            // One act a round: it may change what there is to watch.
            if ready > 0, let first = fds.firstIndex(where: { $0.revents != 0 }) {
                // The end of a process is heard before what it said last, else its place would be taken twice.
                try acts[first]()
            }
            // What has been put back at the end must not be changed again.
            if exitCode == nil { try tick() }
        }
        return exitCode ?? 0
    }

    private func hearSignals() throws {
        var set = KeeperProcess.keeperSignals()
        var none = timespec(tv_sec: 0, tv_nsec: 0)
        while true {
            switch unsafe sigtimedwait(&set, nil, &none) {
            case SIGTERM: return stop(because: "SIGTERM")
            case SIGINT: return stop(because: "SIGINT")
            case SIGHUP: tell(Message(.reload))
            case SIGUSR2: return upgrade()
            case SIGCHLD: continue
            default: return
            }
        }
    }

    /// Says so when a note could not be written: nobody else tells it to a later keeper.
    func expectNoted(_ isNoted: Bool?, _ what: String) {
        guard isNoted == false, let folder else { return }
        log.warning("cannot write down \(what) in \(folder.keepersPath): the next keeper will not know it if this one dies")
    }

    /// Nanoseconds of the monotonic clock.
    func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
