// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Control
import State

/// `bulkhead audit verify`.
struct AuditVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Prove that no line of the audit log was changed, taken out, put in, moved or cut off.",
        discussion: """
            Without --file it reads the state folder with its key and head file, as the user it belongs to; a daemon may run meanwhile.
            With --file it reads an export, and needs the key that wrote it. The first line that is wrong is named.

              bulkhead audit verify
              bulkhead audit verify --head 1312:9f2c…
              bulkhead audit verify --file audit.jsonl --key audit.key --head 1312:9f2c…

            Whoever can write the folder can cut off the log's end together with the head file. A head that was kept elsewhere finds that:
            what the last verification printed, or what syslog has of any line (`audit N:DIGEST`).

            Exit codes: 0 everything is as it was written, 1 something is not, or could not be read.
            """)

    @Option(name: .long, help: "The state folder, as `state` in the configuration says.")
    var state: String?

    @Option(name: .long, help: "An export instead.")
    var file: String?

    @Option(name: .long, help: "The key that wrote the export: a copy of audit.key.")
    var key: String?

    @Option(name: .long, help: .init("A line's number and digest, kept elsewhere.", valueName: "n:digest"))
    var head: String?

    @Option(name: .long, help: "The line to begin at: of a part, or where the log is known to have begun anew.")
    var from: Int64?

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    func validate() throws {
        if file != nil, key == nil { throw ValidationError("an export is verified with the key that wrote it: --key FILE") }
        if file != nil, state != nil { throw ValidationError("name the state folder or an export, not both") }
        if file == nil, key != nil {
            throw ValidationError("the key goes with an export: --file EXPORT; a state folder has its own")
        }
        if let head, AuditHead(head) == nil {
            throw ValidationError("--head takes N:DIGEST, the digest as 64 lower-case hexadecimal digits")
        }
        if let from, from < 1 { throw ValidationError("lines are numbered from 1") }
    }

    func run() throws {
        let known = head.flatMap { AuditHead($0) }
        let verification =
            if let file, let key {
                try AuditVerification.verify(export: file, key: key, from: from, head: known)
            } else {
                try AuditVerification.verify(folder: state ?? Configuration.defaultState, from: from, head: known)
            }
        if json { say(try DaemonClient.encode(verification)) } else { tell(verification) }
        if verification.fault != nil { throw Outcome.failed }
    }

    private func tell(_ verification: AuditVerification) {
        for note in verification.notes { complain("note: \(note)") }
        if let fault = verification.fault {
            let place = fault.line.map { "line \($0): " } ?? ""
            complain("\(place)\(Visible.text(fault.message, atMost: 2_000))")
            complain("\(verification.lines) lines before it are as they were written")
        } else if let first = verification.first, let head = verification.head {
            say("\(verification.lines) lines from \(first) on are as they were written; head \(head)")
        } else {
            say("the audit log has no lines")
        }
    }
}
