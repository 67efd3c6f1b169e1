// SPDX-License-Identifier: Apache-2.0
public import Telemetry

/// What the API asks of control. The API has found out who calls and whether their role may call this at all; what depends on the
/// documents themselves (an editor's namespace and tiers) and what is wrong with them is answered here, with a `Refusal`. Control writes
/// the audit log for what it does and refuses; the API has `note` for what it refused itself.
public protocol ControlPlane: StatusSource {
    /// The set in force; `nil` before there is one.
    func policy() -> PolicyReport?
    /// What the workers keep of one live connection.
    func trace(_ connection: TracedConnection) async throws -> TraceReport
    /// Checks, compares and publishes a set, or refuses it with nothing changed.
    func apply(_ request: ApplyRequest, by caller: Caller) async throws -> ChangeReport
    /// Confirms the pending revision.
    func confirm(_ revision: Int64, _ request: ConfirmRequest, by caller: Caller) async throws -> RevisionReport
    /// Publishes an earlier revision's documents as a new one.
    func rollBack(to revision: Int64, _ request: RollbackRequest, by caller: Caller) async throws -> ChangeReport
    /// Revisions from the newest, without their documents.
    func history(before: Int64?, limit: Int) async throws -> [RevisionReport]
    /// One revision with its documents.
    func revision(_ number: Int64) async throws -> RevisionReport
    /// Workloads in force, from files and registrations, by name, those behind `after` where it is given.
    func workloads(after: String?, limit: Int) async throws -> [WorkloadReport]
    /// Registers workloads, or puts them in the place of those with their names; all or none.
    func register(_ request: RegisterRequest, by caller: Caller) async throws -> InventoryReport
    /// Removes a registration.
    func unregister(_ name: String, by caller: Caller) async throws -> InventoryReport
    /// Sets and removes labels of a registered workload, or renews its lease.
    func update(_ name: String, _ request: UpdateRequest, by caller: Caller) async throws -> InventoryReport
    /// Forwards everything for a while.
    func beginBypass(_ request: BypassRequest, by caller: Caller) async throws -> BypassReport
    /// Ends a bypass before its time.
    func endBypass(by caller: Caller) async throws -> BypassReport
    /// Begins a capture of frames that a filter lets through; there is one at a time.
    func beginCapture(_ request: CaptureRequest, _ filter: FlowFilter, by caller: Caller) async throws -> CaptureFeed
    /// Ends the capture that is going on, whoever began it.
    func endCapture(by caller: Caller) async throws -> CaptureEnd
    /// Reads the configuration's files again, as SIGHUP does.
    func reload(by caller: Caller) async throws -> ChangeReport
    /// Lines of the audit log from the newest.
    func auditLog(before: Int64?, limit: Int) async throws -> [AuditReport]
    /// Writes down an attempt that the API refused.
    func note(refused action: String, of object: String?, reason: String, by caller: Caller) async
}

/// No, and why: nothing was changed.
public struct Refusal: Error, Sendable {
    /// What kind of no; each has its HTTP status.
    public enum Kind: Sendable, CaseIterable {
        /// What was asked for is wrong in itself: 400.
        case invalid
        /// Whoever asks may not: 403.
        case forbidden
        /// There is no such thing: 404.
        case missing
        /// It does not fit to what is there now: 409.
        case conflict
        /// It is understood and cannot be: documents with faults, findings of lint: 422.
        case unprocessable
        /// Not now: 503.
        case unavailable
        /// The daemon could not: 500.
        case failed
    }

    /// What kind of no.
    public var kind: Kind
    /// What was wrong, and what to do.
    public var detail: String
    /// What is wrong one by one, each `file:line:column: message` where it has a place.
    public var faults: [String]

    /// A refusal.
    public init(_ kind: Kind, _ detail: String, faults: [String] = []) {
        self.kind = kind
        self.detail = detail
        self.faults = faults
    }
}
