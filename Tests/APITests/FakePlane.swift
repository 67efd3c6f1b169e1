// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import State
import Synchronization
import Telemetry

/// A control that answers everything with the same values, refuses what a test says, and writes down what it was asked.
final class FakePlane: ControlPlane {
    /// What was asked, in words, with the caller's name in front.
    var asked: [String] { state.withLock { $0.asked } }

    private struct State {
        var asked: [String] = []
        var refusal: Refusal?
        var outcome = "published"
    }
    private let state = Mutex(State())
    private let report: PolicyReport?
    private let fixed: StatusReport

    init(policy: PolicyReport? = nil, status: StatusReport = FixedStatus().report) {
        report = policy
        fixed = status
    }

    /// From now on every change is refused like this; `nil` for none.
    func refuse(_ refusal: Refusal?) { state.withLock { $0.refusal = refusal } }

    /// From now on a set that is applied has this outcome.
    func answer(_ outcome: String) { state.withLock { $0.outcome = outcome } }

    private func take(_ what: String, _ caller: Caller) throws {
        let refusal = state.withLock { state in
            state.asked.append("\(caller.actor.name): \(what)")
            return state.refusal
        }
        if let refusal { throw refusal }
    }

    static let revisions = (1...250).map { number in revision(Int64(number)) }
    static func revision(_ number: Int64, documents: String? = nil) -> RevisionReport {
        decoded(
            RevisionReport.self,
            [
                "revision": number, "time": "2026-11-21T20:00:00.000000Z", "digest": "00", "source": "applied", "actor": "alice",
                "outcome": "confirmed", "inForce": number == 250, "documents": documents as Any? ?? NSNull(),
            ])
    }

    func status() -> StatusReport { fixed }
    func policy() -> PolicyReport? { report }
    func trace(_ connection: TracedConnection) async throws -> TraceReport {
        state.withLock { $0.asked.append("trace \(connection.parameters.map(\.value).joined(separator: " "))") }
        return TraceReport(
            generation: 3, epoch: 9, answers: [.init(worker: 0, pair: "wire", queue: 0, found: false, microseconds: 40)],
            silent: [1], live: nil,
            terms: .init(pickUp: "restart", grace: 0, windows: "strict", isAsymmetric: false, verifiesChecksums: true))
    }
    func apply(_ request: ApplyRequest, by caller: Caller) async throws -> ChangeReport {
        try take("apply \(request.files.map(\.name)) \(request.dryRun ?? false)", caller)
        return Self.change(state.withLock { $0.outcome })
    }
    func confirm(_ revision: Int64, _ request: ConfirmRequest, by caller: Caller) async throws -> RevisionReport {
        try take(
            "confirm \(revision) \(request.console ?? false) \(caller.began == nil ? "nobody knows since when" : "since then")",
            caller)
        return Self.revision(revision)
    }
    func rollBack(to revision: Int64, _ request: RollbackRequest, by caller: Caller) async throws -> ChangeReport {
        try take("roll back to \(revision) \(request.reason ?? "")", caller)
        return Self.change("pending")
    }
    func history(before: Int64?, limit: Int) async throws -> [RevisionReport] {
        Array(Self.revisions.reversed().filter { $0.revision < before ?? .max }.prefix(limit))
    }
    func revision(_ number: Int64) async throws -> RevisionReport {
        guard number <= 250 else { throw Refusal(.missing, "there is no revision \(number)") }
        return Self.revision(number, documents: "kind: Policy\n")
    }
    func workloads(after: String?, limit: Int) async throws -> [WorkloadReport] {
        let names = (0..<150).map { "shop/w\(1000 + $0)" }.filter { $0 > after ?? "" }
        return names.prefix(limit).map { name in
            decoded(
                WorkloadReport.self,
                [
                    "name": name, "labels": ["app": "web"], "addresses": ["10.0.0.1"], "zones": [String](),
                    "origin": "w.yaml:1:1",
                    "contested": [String](),
                ])
        }
    }
    func register(_ request: RegisterRequest, by caller: Caller) async throws -> InventoryReport {
        try take("register \(request.files.map(\.name)) \(request.lease ?? 0)", caller)
        return Self.inventory
    }
    func unregister(_ name: String, by caller: Caller) async throws -> InventoryReport {
        try take("unregister \(name)", caller)
        return Self.inventory
    }
    func update(_ name: String, _ request: UpdateRequest, by caller: Caller) async throws -> InventoryReport {
        let labels = (request.labels ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value ?? "gone")" }
        try take("update \(name) \(labels) \(request.lease ?? 0)", caller)
        return Self.inventory
    }
    func beginBypass(_ request: BypassRequest, by caller: Caller) async throws -> BypassReport {
        try take("bypass \(request.seconds) \(request.reason)", caller)
        return decoded(
            BypassReport.self, ["active": true, "until": "2026-11-21T20:00:00.000000Z", "actor": "alice", "reason": "x"])
    }
    func endBypass(by caller: Caller) async throws -> BypassReport {
        try take("end bypass", caller)
        return decoded(BypassReport.self, ["active": false])
    }
    func beginCapture(_ request: CaptureRequest, _ filter: FlowFilter, by caller: Caller) async throws -> CaptureFeed {
        try take("capture \(request.words)", caller)
        let (stream, continuation) = AsyncStream<CaptureFeed.Delivery>.makeStream()
        var counts = CaptureCounts()
        counts.captured = 12
        continuation.yield(.frames(Array(repeating: Self.frame, count: 12)))
        continuation.yield(.counts(counts))
        continuation.yield(.end(CaptureEnd(why: "frames", counts: counts)))
        continuation.finish()
        let begin = CaptureBegin(
            ports: ["left", "right"], snap: 1856, payload: request.payload == true, until: "2026-11-21T20:00:00.000000Z",
            version: "1.2.3")
        return CaptureFeed(begin: begin, deliveries: stream) { _ in }
    }
    func endCapture(by caller: Caller) async throws -> CaptureEnd {
        try take("end capture", caller)
        return CaptureEnd(why: "asked", counts: CaptureCounts())
    }
    /// A sight of an empty frame.
    static let frame = decoded(
        FrameReport.self,
        [
            "time": 1_700_000_000_000_000_000, "sight": "before", "port": "left", "number": 7, "length": 60, "fate": "drop",
            "reason": "denied", "comment": ["before verdict: drop (denied)"], "bytes": "AAEC",
        ])
    func startShadow(_ request: ShadowRequest, by caller: Caller) async throws -> ShadowStart {
        try take("shadow \(request.files.map(\.name)) \(request.seconds) \(request.namespace ?? "")", caller)
        return ShadowStart(change: Self.change("checked"), shadow: shadowRun().report())
    }
    func stopShadow(by caller: Caller) async throws -> ShadowReport {
        try take("stop shadow", caller)
        return shadowRun().report()
    }
    func reload(by caller: Caller) async throws -> ChangeReport {
        try take("reload", caller)
        return Self.change(state.withLock { $0.outcome })
    }
    func auditLog(before: Int64?, limit: Int) async throws -> [AuditReport] {
        (1...30).reversed().filter { $0 < before ?? .max }.prefix(limit).map { number in
            decoded(
                AuditReport.self,
                [
                    "number": number, "time": "2026-11-21T20:00:00.000000Z", "actor": "alice", "action": "policy.apply",
                    "result": "done", "digest": "00",
                ])
        }
    }
    func note(refused action: String, of object: String?, reason: String, by caller: Caller) async {
        state.withLock { $0.asked.append("\(caller.actor.name) refused: \(action) \(object ?? "-") \(reason)") }
    }

    private static func change(_ outcome: String) -> ChangeReport {
        decoded(
            ChangeReport.self,
            [
                "outcome": outcome, "generation": 5, "boxCount": 1, "compared": true, "findings": [String](),
                "flowsCut": 2, "flowsKnown": 3, "flowsLive": 4,
                "cuts": [
                    [
                        "source": "10.9.0.11:40000", "destination": "10.9.0.21:5432", "service": "tcp/5432", "new": "deny",
                        "sourceWorkload": "shop/web\u{1B}[2J",
                    ]
                ],
                "losses": [String](),
                "boxes": [
                    [
                        "sources": "any", "destinations": "any", "services": ["tcp/22"], "old": "deny", "new": "allow",
                        "widening": true,
                    ]
                ],
            ])
    }
    private static let inventory = decoded(
        InventoryReport.self,
        ["epoch": 3, "generation": 5, "workloads": ["shop/web-1"], "microseconds": 12, "contested": [String]()])
}

/// A value of an answer's type, which only the daemon makes.
func decoded<Value: Decodable>(_ type: Value.Type, _ fields: [String: Any]) -> Value {
    do {
        return try JSONDecoder().decode(type, from: try JSONSerialization.data(withJSONObject: fields))
    } catch {
        fatalError("no \(type): \(error)")
    }
}
