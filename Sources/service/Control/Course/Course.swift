// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Compiler
internal import Dialects
internal import Layout
internal import Logging
internal import Net
internal import Policy
internal import PolicyText
internal import State
internal import Synchronization
internal import Telemetry

/// The one line of changes: everything that brings a generation into force goes through it, one after the other, and everything that
/// changes the address map.
///
///     request ─► read ─► compare ─► compile ─► write down ─► publish ─► in force
///                 └────── nothing has changed when one of these fails ──────┘
///
/// What is written down comes before what takes effect: a control that dies between the two finds at its start what it had decided. A
/// revision that awaits its confirmation has its deadline in the state folder, so that it goes back whoever died meanwhile.
///
/// The actor has a thread of its own, because it waits for the disk; compiling and comparing have others, so that workloads come, go and
/// move in the meantime.
actor Course {
    /// How long a generation may be on its way before it is waited for no longer.
    static let patience: UInt64 = 10_000_000_000

    /// What became of a generation on its way.
    enum Answer { case inForce, refused, silent }

    /// Everything around it.
    struct Surroundings: Sendable {
        var link: KeeperLink
        var log: Logger
        var names: KnownNames
        var inForce: PolicyInForce
        var conditions: Conditions
        var flows: LiveTable
        var board: BoardStatus
        var tracing: Tracing
        var clock: DaemonClock
        var ports: [[String]]
        var desk: CaptureDesk
        /// Where a candidate is shadowed.
        var shadow = ShadowSlot()
    }

    /// The revision that serves.
    struct Serving: Sendable {
        /// Without its documents; `nil` where none could be written down.
        var revision: Revision?
        /// Where it came from.
        var source = Revision.Source.files
        /// Its documents in normal form.
        var text = ""
        /// On what terms, while it awaits its confirmation.
        var probation: Probation?
    }

    nonisolated let around: Surroundings
    nonisolated let watch = DenialWatch()
    nonisolated let shadowDoor = ShadowDoor()
    nonisolated let told = ToldState()
    private nonisolated let thread = OwnThread("course")

    /// The configuration: as it was at the start, but for what a reload reads anew.
    var configuration: Configuration
    var clock: DaemonClock
    var opening: Opening
    var store: StateStore?
    /// Why nothing can be written down, where that is so.
    var storeFault: String?
    var parts = SetParts()
    var serving = Serving()
    /// What the files said when they were last taken up.
    var filesText: String?
    var isReloadWanted = false
    /// The generation in force, once one of this process's own is.
    var live: Publication?
    /// Generations that workers were not heard of yet.
    var onTheWay: [Publication] = []
    /// Those of them that are waited for no longer, in their order.
    var unanswered: [Unanswered] = []
    /// The last generation and epoch that anybody ever published; after a crash of control keeper says which.
    var last: (generation: UInt32, epoch: UInt32)
    /// Workloads that changed since the generation that is being compiled was begun.
    var journal: Set<ObjectName>?
    /// Workloads that the generation that is being compiled changes: who wants to change them meanwhile waits for the turn.
    var compiling: Set<ObjectName> = []
    var shadowed: Set<ObjectName> = []
    /// Rules and workloads up to which sets are compared before a change.
    var comparedSize = Review.most
    /// The revision that denied too much, and why it goes back.
    var excess: (revision: Int64, reason: String)?
    /// When going back is tried again where it failed.
    var retryAt: UInt64 = 0
    /// When leases are looked at again where ending them failed.
    var leasesAt: UInt64 = 0
    /// What the files of workloads looked like when they were last read, and when to look again.
    var marks: FileMarks?
    var lookAt: UInt64 = 0
    /// The candidate that is judged on live connections.
    var rehearsal: Rehearsal?
    /// Who ordered the bypass that is on, and why, where that is known.
    var bypass: (actor: Actor, reason: String)?
    var wasBypassed = false
    /// Whether somebody has ordered the end of the bypass, and it is written down.
    var isBypassEndOrdered = false
    /// Captures that have begun: the number of the last one.
    var captures = 0
    /// Who asked for the end of a capture and waits for it, by its number: another may begin before one's end has been told.
    var captureEnds: [Int: [(actor: Actor, continuation: CheckedContinuation<CaptureEnd, Never>)]] = [:]
    /// How often attempts that came to nothing are written down.
    var notes = RefusalNotes()
    /// When what was left out of them is looked at again.
    var notesAt: UInt64 = 0
    /// Hears of a configuration that was read again.
    var hearer: (@Sendable (Configuration) async -> Void)?
    /// Changes of workloads that need no generation, on their way to the disk.
    var moves: [Move] = []
    private(set) var turn = Turn()
    /// Places for those whose documents are read: each may take some hundred megabytes.
    var readers = Turn(places: 4)
    var answers: [UInt32: (continuation: CheckedContinuation<Answer, Never>, since: UInt64)] = [:]

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    init(_ around: Surroundings, _ opening: Opening, last: (generation: UInt32, epoch: UInt32)) {
        self.around = around
        self.opening = opening
        self.last = last
        configuration = opening.configuration
        store = opening.store
        clock = around.clock
    }

    deinit { thread.end() }

    /// Tells somebody of every configuration that is read again.
    func tellReloads(to hearer: @escaping @Sendable (Configuration) async -> Void) { self.hearer = hearer }

    /// Does something when nobody else changes anything; throws where too many wait already. What control
    /// must do by itself is never refused, and goes before what clients ask for.
    func inTurn<Value: Sendable>(isOwn: Bool = false, _ body: () async throws -> Value) async throws -> Value {
        if !turn.takeAtOnce() {
            guard isOwn || !turn.isCrowded else {
                throw Refusal(.unavailable, "\(turn.most) changes wait for their turn; try again in a moment")
            }
            await withCheckedContinuation { turn.wait($0, isOwn: isOwn) }
        }
        defer {
            journal = nil
            turn.end()
        }
        return try await body()
    }

    /// Reads documents that a client sent, a few clients' at a time; throws where too many wait already.
    func read(_ files: [DocumentFile], isLossy: Bool = false) async throws -> Loader.Contents {
        if !readers.takeAtOnce() {
            guard !readers.isCrowded else {
                throw Refusal(.unavailable, "the documents of \(readers.most) others wait to be read; try again in a moment")
            }
            await withCheckedContinuation { readers.wait($0) }
        }
        defer { readers.end() }
        let (texts, dialects) = (files.map { (name: $0.name, text: $0.text) }, Dialect.readers(isLossy: isLossy))
        return try await offload { try Loader.contents(texts: texts, dialects: dialects) }
    }

    /// Compiles a set beside what is in force, on a thread of its own.
    func prepare(_ parts: SetParts, _ configuration: Configuration) async throws -> Publication {
        journal = []
        let (generation, inventory, ports) = (last.generation + 1, live?.numbers ?? Inventory(), around.ports)
        let registered = Set(parts.registered.keys).subtracting(parts.shadowed)
        return try await offload {
            try Publication(
                .init(
                    set: try parts.set(), configuration: configuration,
                    zones: try PolicySource.placements(configuration.zones, ports), generation: generation, inventory: inventory,
                    registered: registered))
        }
    }

    /// Publishes a generation and waits until it is in force, or refused, or not heard of for too long.
    func bring(_ publication: Publication) async throws -> Answer {
        // What stands in a document was compiled, whatever became of a registration of that name meanwhile.
        let changes = Dictionary(
            uniqueKeysWithValues: (journal ?? []).filter { !publication.isWritten($0) }.map {
                ($0, parts.registered[$0]?.workload)
            }
        )
        if bringUp(publication) { catchUp(with: publication.generation) }
        publication.begin(behind: max(last.epoch, live?.epoch ?? 0))
        // Known before it is published: the first record that names it may come at once.
        around.names.learn(publication.names(in: around.inForce))
        around.inForce.publish(
            publication.generation, publication.set.changing(changes), publication.zones, publication.failsafe)
        try publication.send(over: around.link)
        last = (publication.generation, publication.epoch)
        onTheWay.append(publication)
        let figures = publication.figures
        around.log.info(
            "generation \(publication.generation) is published: \(figures.rules) rules, \(figures.classes) classes, \(figures.tables) tables"
        )
        return await withCheckedContinuation { answers[publication.generation] = ($0, clock.boot()) }
    }

    /// Waits no longer for what has not been heard of for too long, or for anything where control ends.
    func giveUp(all: Bool = false) {
        let now = clock.boot()
        for (number, answer) in answers where all || now > answer.since + Self.patience {
            answers.removeValue(forKey: number)
            answer.continuation.resume(returning: .silent)
        }
    }
}
