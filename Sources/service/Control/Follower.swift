// SPDX-License-Identifier: Apache-2.0
internal import Layout
internal import ServiceLifecycle
internal import Telemetry

/// Why control ends before it is asked to.
enum ControlError: Error, CustomStringConvertible {
    /// The API's socket could not be made.
    case api(String)
    /// Data refused the first generation: nothing is in force.
    case refused(UInt32)
    /// The files are not understood, and there is nothing else that could serve.
    case files(String)

    var description: String {
        switch self {
        case .api(let what): what
        case .refused(let generation):
            "the data process refused generation \(generation): its own message says why; nothing is in force"
        case .files(let what): what
        }
    }
}

/// Lets the course begin once the API listens, tells it what keeper says, and how time goes by.
struct Follower: Service {
    /// Time between two looks at what time changes: deadlines, leases, files.
    static let tick = Duration.milliseconds(200)

    let link: KeeperLink
    let hub: EventHub
    let desk: CaptureDesk
    let listening: AsyncStream<String?>
    let course: Course
    /// Whether an earlier control has put a generation into force.
    let isInForce: Bool

    func run() async throws {
        // Streams end first: a server that ends gracefully waits for its clients.
        defer {
            hub.close()
            course.around.shadow.run?.hub.close()
            desk.close()
        }
        for await fault in listening {
            if let fault { throw ControlError.api(fault) }
            break
        }
        if Task.isShuttingDownGracefully { return }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await begin()
                return false
            }
            group.addTask {
                await listen()
                return true
            }
            group.addTask {
                while !Task.isCancelled {
                    try? await Task.sleep(for: Self.tick)
                    await course.tick()
                }
                return false
            }
            // Not by the same task: compiling a candidate takes as long as it takes.
            group.addTask {
                while !Task.isCancelled {
                    try? await Task.sleep(for: Self.tick)
                    await course.tendShadow()
                }
                return false
            }
            // Not by the same task: a look may wait for a turn whose holder waits for what has to be given up.
            group.addTask {
                while !Task.isCancelled {
                    try? await Task.sleep(for: .seconds(1))
                    await course.giveUp()
                }
                return false
            }
            while let isOver = try await group.next() {
                if isOver { break }
            }
            await course.giveUp(all: true)
            group.cancelAll()
        }
    }

    /// The first generation. Where data refuses it and an earlier control's is in force, that one stays.
    private func begin() async throws {
        do {
            try await course.start()
        } catch let error as ControlError {
            guard case .refused = error, isInForce else { throw error }
        }
    }

    private func listen() async {
        for await incoming in link.incoming {
            incoming.dismiss()
            let generation = UInt32(truncatingIfNeeded: incoming.message.arguments[0])
            switch incoming.message.kind {
            case .inForce: await course.entered(generation)
            case .refused: await course.refused(generation)
            case .reload: await course.reload()
            case .stop: return
            default: continue
            }
        }
    }
}
