// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Control
import State

/// `bulkhead audit export`.
struct AuditExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print the audit log as JSON lines, archives included.",
        discussion: """
            Reads the state folder, as the user it belongs to; a daemon may run meanwhile. Each line is an object with all fields, its own
            digest and that of the line before, so that `bulkhead audit verify --file` can verify the copy elsewhere.

              bulkhead audit export > audit.jsonl
              bulkhead audit export --from 1200 --state /var/lib/bulkhead
            """)

    @Option(name: .long, help: "The state folder, as `state` in the configuration says.")
    var state = Configuration.defaultState

    @Option(name: .long, help: "The first line's number.")
    var from: Int64 = 1

    @Flag(name: .long, help: "Accepted, as by every verb: lines are JSON either way.")
    var json = false

    func validate() throws {
        guard from >= 1 else { throw ValidationError("lines are numbered from 1") }
    }

    func run() throws {
        try AuditReader.forEach(inFolder: state, from: from) { say(try $0.json) }
    }
}
