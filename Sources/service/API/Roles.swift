// SPDX-License-Identifier: Apache-2.0

/// A role, and who has it: one item of `roles` in the configuration.
public struct RoleBinding: Hashable, Sendable {
    /// What somebody may be.
    public enum Role: String, Sendable, CaseIterable {
        /// Sees everything but the audit log.
        case viewer
        /// Sees, and operates: workloads, bypass, confirm, roll back, reload, captures of headers.
        case `operator`
        /// Sees, and changes policies of its ranges.
        case editor
        /// Everything.
        case administrator
    }

    /// What they may.
    public var role: Role
    /// An editor's ranges; empty for other roles.
    public var edits: Set<Grants.Edit>
    /// Users of this machine, by name or number.
    public var users: Set<String>
    /// Groups of this machine, by name or number.
    public var groups: Set<String>
    /// Subjects of client certificates: SPIFFE URIs, or distinguished names as RFC 4514 writes them.
    public var certificates: Set<String>

    /// A binding.
    public init(
        _ role: Role, edits: Set<Grants.Edit> = [], users: Set<String> = [], groups: Set<String> = [],
        certificates: Set<String> = []
    ) {
        self.role = role
        self.edits = edits
        self.users = users
        self.groups = groups
        self.certificates = certificates
    }
}

/// Numbers of the users and groups that bindings name; what the machine does not know has none.
struct Numbers: Hashable, Sendable {
    var users: [String: UInt32] = [:]
    var groups: [String: UInt32] = [:]
}

/// Who may what. Without bindings root and the daemon's own user are administrators, and whoever else may write to the unix socket is
/// a viewer; with bindings it is what they say and nothing else.
struct Roles: Sendable {
    var bindings: [RoleBinding]?
    var numbers = Numbers()
    /// The daemon's own user.
    var own: UInt32

    /// What a user of this machine may, with all groups.
    func grants(user: UInt32, groups: Set<UInt32>) -> Grants {
        guard let bindings else {
            var grants = user == 0 || user == own ? Grants.all : Grants()
            grants.isViewer = true
            return grants
        }
        return sum(bindings) { binding in
            binding.users.contains { number(of: $0, in: numbers.users) == user }
                || binding.groups.contains { number(of: $0, in: numbers.groups).map(groups.contains) ?? false }
        }
    }

    /// What the subject of a certificate may: its SPIFFE URI, and its distinguished name.
    func grants(subjects: Set<String>) -> Grants {
        sum(bindings ?? []) { !$0.certificates.isDisjoint(with: subjects) }
    }

    private func number(of text: String, in known: [String: UInt32]) -> UInt32? { UInt32(text) ?? known[text] }

    private func sum(_ bindings: [RoleBinding], where isTheirs: (RoleBinding) -> Bool) -> Grants {
        var grants = Grants()
        for binding in bindings where isTheirs(binding) {
            grants.isViewer = true
            switch binding.role {
            case .viewer: break
            case .operator: grants.isOperator = true
            case .editor: grants.edits.formUnion(binding.edits)
            case .administrator: grants = .all
            }
            if grants.isAdministrator { return grants }
        }
        return grants
    }
}
