// SPDX-License-Identifier: Apache-2.0
internal import Compiler
internal import Layout
internal import Logging
internal import ServiceLifecycle
internal import Telemetry

/// Why control ends before it is asked to.
enum ControlError: Error, CustomStringConvertible {
    /// The API's socket could not be made.
    case api(String)
    /// Data refused the first generation: nothing is in force.
    case refused(UInt32)

    var description: String {
        switch self {
        case .api(let what): what
        case .refused(let generation):
            "the data process refused generation \(generation): its own message says why; nothing is in force"
        }
    }
}

/// Publishes the first generation once the API listens, and then does what keeper says.
struct Follower: Service {
    /// How long a publication may be on its way before another one overtakes it.
    static let patience = Duration.seconds(10)

    let link: KeeperLink
    let hub: EventHub
    let listening: AsyncStream<String?>
    let log: Logger
    let publisher: Publisher
    /// What clients are told of the generation in force.
    let inForce: PolicyInForce
    /// Whether an earlier control has put a generation into force.
    let isInForce: Bool

    func run() async throws {
        // Streams end first: a server that ends gracefully waits for its clients.
        defer { hub.close() }
        for await fault in listening {
            if let fault { throw ControlError.api(fault) }
            break
        }
        if Task.isShuttingDownGracefully { return }
        var course = Course(follower: self)
        try await course.run()
    }
}

/// Which generation is on its way, and whether another reload was asked for meanwhile: later requests coalesce into one.
private struct Course {
    let follower: Follower
    private var publisher: Publisher
    private var isInForce: Bool
    private var pending: (generation: UInt32, since: ContinuousClock.Instant)?
    private var isReloadWanted = false

    init(follower: Follower) {
        self.follower = follower
        publisher = follower.publisher
        isInForce = follower.isInForce
    }

    mutating func run() async throws {
        try await publish()
        for await incoming in follower.link.incoming {
            incoming.dismiss()
            let generation = UInt32(truncatingIfNeeded: incoming.message.arguments[0])
            switch incoming.message.kind {
            case .inForce:
                isInForce = true
                follower.inForce.enter(generation)
                follower.log.info("generation \(generation) is in force")
                try await settled(generation)
            case .refused:
                follower.inForce.refuse(generation)
                guard isInForce else { throw ControlError.refused(generation) }
                follower.log.error("the data process refused generation \(generation); what was in force stays in force")
                try await settled(generation)
            case .reload: await reload()
            case .stop: return
            default: continue
            }
        }
    }

    private mutating func settled(_ generation: UInt32) async throws {
        guard let pending, pending.generation == generation else { return }
        self.pending = nil
        if isReloadWanted { await reload() }
    }

    private mutating func reload() async {
        if let pending, pending.since.duration(to: .now) < Follower.patience {
            isReloadWanted = true
            return
        }
        isReloadWanted = false
        do {
            try await publish()
        } catch {
            follower.log.error("\(error)")
            follower.log.error("nothing was changed: generation \(publisher.last.generation) stays")
        }
    }

    private mutating func publish() async throws {
        let (link, start) = (follower.link, publisher)
        let (next, published) = try await offload {
            var publisher = start
            let published = try publisher.publish(over: link)
            return (publisher, published)
        }
        publisher = next
        pending = (published.generation, .now)
        let figures = published.figures
        follower.log.info(
            "generation \(published.generation) is published: \(figures.rules) rules, \(figures.classes) classes, \(figures.tables) tables"
        )
    }
}
