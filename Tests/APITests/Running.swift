// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Net
import Record
import Synchronization
import Telemetry

/// A state that never changes.
struct FixedStatus: StatusSource {
    var report = StatusReport(
        generation: 4, epoch: 2, processes: [.init(name: "control", pid: 1, restarts: 0)], pairs: [], ports: [],
        flows: .init(capacity: 10, used: 1), checksums: .init(completed: 3))

    func status() -> StatusReport { report }
}

/// An event with the given source port.
func event(_ port: UInt16) -> FlowEvent {
    var record = FlowRecord()
    (record.sourcePort, record.destinationPort, record.protocolNumber) = (port, 443, 6)
    return FlowDecoder(pairs: []).decode(record, wallOffset: 0)
}

/// A run in which web was shut out from 443 twice, and let in to 80 once.
func shadowRun() -> ShadowRun {
    let run = ShadowRun(
        ShadowRun.Facts(
            actor: "alice", rules: 3, since: Timestamp(nanoseconds: 0), until: Timestamp(nanoseconds: 3_600_000_000_000)))
    func event(_ port: UInt16, _ decision: Decision) -> FlowEvent {
        var record = FlowRecord()
        (record.sourcePort, record.destinationPort, record.protocolNumber) = (50_000, port, 6)
        record.decision = decision.rawValue
        return FlowDecoder(pairs: []).decode(record, wallOffset: 0)
    }
    run.note([
        (event(443, .allow), .judged(event(443, .deny))), (event(443, .allow), .judged(event(443, .deny))),
        (event(80, .deny), .judged(event(80, .allow))), (event(22, .allow), .same),
    ])
    return run
}

/// Runs a server on a socket of its own for as long as `body` takes, and says whether the socket was gone afterwards. `body` has a
/// thread of its own: its client blocks, and must not block the threads that the server runs on.
@discardableResult func withServer(
    hub: EventHub = EventHub(), slot: ShadowSlot? = nil, policy: PolicyReport? = nil, heartbeat: Duration = .seconds(15),
    plane: FakePlane? = nil, now: @escaping @Sendable () -> UInt64 = { BootTime.now },
    holding: @Sendable (APIServer) -> Void = { _ in }, glance: Duration = APIServer.glance,
    settings change: (inout APISettings) -> Void = { _ in },
    _ body: @escaping @Sendable (String) throws -> Void
) async throws -> Bool {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-api-\(UInt32.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("api.sock").path
    var settings = APISettings(socket: path)
    change(&settings)
    let shadow = slot ?? ShadowSlot()
    if slot == nil { shadow.begin(shadowRun()) }
    let observations = Observations(store: nil)
    defer { observations.close() }
    let server = APIServer(
        settings, plane: plane ?? FakePlane(policy: policy), hub: hub, observations: observations, slot: shadow,
        heartbeat: heartbeat, glance: glance, now: now
    ) { _ in }
    holding(server)
    let (listening, continuation) = AsyncStream.makeStream(of: String?.self)
    let running = Task { try await server.run { continuation.yield($0) } }
    for await fault in listening {
        if let fault { throw Failure(text: fault) }
        break
    }
    do {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread { done.resume(with: Result { try body(path) }) }
        }
    } catch {
        running.cancel()
        throw error
    }
    hub.close()
    running.cancel()
    _ = try? await running.value
    return !FileManager.default.fileExists(atPath: path)
}

/// What a test could not do.
struct Failure: Error {
    var text: String
}
