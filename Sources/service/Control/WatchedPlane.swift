// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Telemetry

/// What the API can ask while nothing can be changed through it: state and policy. Every change is refused as unavailable.
struct WatchedPlane: ControlPlane {
    let board: BoardStatus
    let inForce: PolicyInForce

    private var refusal: Refusal { Refusal(.unavailable, "this control process takes no changes; change its files and reload") }

    func status() -> StatusReport { board.status() }
    func policy() -> PolicyReport? { inForce.report }
    func apply(_ request: ApplyRequest, by caller: Caller) async throws -> ChangeReport { throw refusal }
    func confirm(_ revision: Int64, _ request: ConfirmRequest, by caller: Caller) async throws -> RevisionReport { throw refusal }
    func rollBack(to revision: Int64, _ request: RollbackRequest, by caller: Caller) async throws -> ChangeReport {
        throw refusal
    }
    func history(before: Int64?, limit: Int) async throws -> [RevisionReport] { throw refusal }
    func revision(_ number: Int64) async throws -> RevisionReport { throw refusal }
    func workloads(after: String?, limit: Int) async throws -> [WorkloadReport] { throw refusal }
    func register(_ request: RegisterRequest, by caller: Caller) async throws -> InventoryReport { throw refusal }
    func unregister(_ name: String, by caller: Caller) async throws -> InventoryReport { throw refusal }
    func update(_ name: String, _ request: UpdateRequest, by caller: Caller) async throws -> InventoryReport { throw refusal }
    func beginBypass(_ request: BypassRequest, by caller: Caller) async throws -> BypassReport { throw refusal }
    func endBypass(by caller: Caller) async throws -> BypassReport { throw refusal }
    func reload(by caller: Caller) async throws -> ChangeReport { throw refusal }
    func auditLog(before: Int64?, limit: Int) async throws -> [AuditReport] { throw refusal }
    func note(refused action: String, of object: String?, reason: String, by caller: Caller) async {}
}
