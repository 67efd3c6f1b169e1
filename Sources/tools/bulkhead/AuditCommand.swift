// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `bulkhead audit`: who changed what, and whether the log of it is whole.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Show who changed what, and prove that nobody changed the log of it.",
        subcommands: [AuditListCommand.self, AuditExportCommand.self, AuditVerifyCommand.self])
}
