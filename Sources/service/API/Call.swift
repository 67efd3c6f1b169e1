// SPDX-License-Identifier: Apache-2.0
internal import HTTPTypes
internal import Hummingbird

/// Everything that can be asked of the API: the router, the roles and the OpenAPI document are made of this one table.
public enum Call: String, CaseIterable, Sendable {
    case health, ready, openapi
    case status, flows, trace, map, metrics, policy
    case apply, history, revision, confirm, rollback
    case workloads, register, update, unregister
    case beginBypass, endBypass, beginCapture, endCapture, reload, audit

    /// What somebody must be for a call; what depends on the documents of a change is decided behind it.
    public enum Need: Sendable, CaseIterable {
        /// Whoever can connect.
        case anyone
        /// Any role.
        case viewer
        /// An operator.
        case `operator`
        /// An editor of any range.
        case editor
        /// An operator, or an editor of any range.
        case operatorOrEditor
        /// An administrator.
        case administrator
    }

    /// Where it lies: a path with parameters in braces, each one segment.
    public var path: String {
        switch self {
        case .health: "/v1/health"
        case .ready: "/v1/ready"
        case .openapi: "/v1/openapi.json"
        case .status: "/v1/status"
        case .flows: "/v1/flows"
        case .trace: "/v1/trace"
        case .map: "/v1/map"
        case .metrics: "/metrics"
        case .policy, .apply: "/v1/policy"
        case .history: "/v1/policy/revisions"
        case .revision: "/v1/policy/revisions/{revision}"
        case .confirm: "/v1/policy/revisions/{revision}/confirm"
        case .rollback: "/v1/policy/revisions/{revision}/rollback"
        case .workloads, .register: "/v1/workloads"
        case .update, .unregister: "/v1/workloads/{name}"
        case .beginBypass, .endBypass: "/v1/bypass"
        case .beginCapture, .endCapture: "/v1/capture"
        case .reload: "/v1/reload"
        case .audit: "/v1/audit"
        }
    }

    /// What somebody must be.
    public var need: Need {
        switch self {
        case .health, .ready, .openapi: .anyone
        case .status, .flows, .map, .metrics, .policy, .history, .revision, .workloads: .viewer
        case .trace, .register, .update, .unregister, .beginBypass, .endBypass, .beginCapture, .endCapture, .reload: .operator
        case .apply: .editor
        case .confirm, .rollback: .operatorOrEditor
        case .audit: .administrator
        }
    }

    /// How HTTP names the act: GET, POST, PATCH or DELETE.
    public var methodName: String { method.rawValue }

    var method: HTTPRequest.Method {
        switch self {
        case .health, .ready, .openapi, .status, .flows, .trace, .map, .metrics, .policy, .history, .revision, .workloads, .audit:
            .get
        case .apply, .confirm, .rollback, .register, .beginBypass, .beginCapture, .reload: .post
        case .update: .patch
        case .unregister, .endBypass, .endCapture: .delete
        }
    }

    /// What a refused attempt is called in the audit log; `nil` for what everybody may see who has a role.
    var action: String? {
        switch self {
        case .health, .ready, .openapi, .status, .flows, .map, .metrics, .policy, .history, .revision, .workloads: nil
        case .trace: "flow.trace"
        case .apply: "policy.apply"
        case .confirm: "policy.confirm"
        case .rollback: "policy.rollback"
        case .register: "workload.add"
        case .update: "workload.label"
        case .unregister: "workload.remove"
        case .beginBypass: "bypass.begin"
        case .endBypass: "bypass.end"
        case .beginCapture: "capture.begin"
        case .endCapture: "capture.end"
        case .reload: "policy.reload"
        case .audit: "audit.read"
        }
    }

    /// How large a request's body may be.
    var body: Body {
        switch self {
        case .apply, .register: .documents
        case .confirm, .rollback, .update, .beginBypass, .beginCapture: .small
        default: .none
        }
    }

    /// Sizes of bodies.
    enum Body {
        /// There is none.
        case none
        /// A few fields.
        case small
        /// Documents.
        case documents
    }
}

extension Grants {
    /// Whether they are enough for a call.
    public func suffice(for need: Call.Need) -> Bool {
        if isAdministrator { return true }
        return switch need {
        case .anyone: true
        case .viewer: isViewer || isOperator || !edits.isEmpty
        case .operator: isOperator
        case .editor: !edits.isEmpty
        case .operatorOrEditor: isOperator || !edits.isEmpty
        case .administrator: false
        }
    }
}

extension Call.Need {
    /// The roles that are enough, for people.
    var words: String {
        switch self {
        case .anyone: "no role"
        case .viewer: "any role"
        case .operator: "the role operator or administrator"
        case .editor: "the role editor or administrator"
        case .operatorOrEditor: "the role operator, editor or administrator"
        case .administrator: "the role administrator"
        }
    }
}
