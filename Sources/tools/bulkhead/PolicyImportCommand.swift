// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Dialects
import Foundation
import Policy
import PolicyText

/// `bulkhead policy import`.
struct PolicyImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Turn foreign policies and inventories into native documents.",
        discussion: """
            Reads Kubernetes objects (NetworkPolicy, Namespace, ServiceAccount, Pod, and lists of them, as kubectl prints them), Ansible
            inventories (.ini, hosts, or YAML with the group all) and CSV (.csv), mixed as they are, and writes one native document set
            that means the same. Native documents among them are written as well, because what a namespace gets by default depends on
            who names it. Every other verb that takes --policies reads the same files without this step.

              kubectl get namespaces,pods,networkpolicies -A -o yaml > cluster.yaml
              bulkhead policy import cluster.yaml --output policies/cluster.yaml --report
              bulkhead policy import --from csv machines.txt

            What has no native form is an error with file, line and column; with --lossy it is left out, and told. See docs/import.md.

            Exit codes: 0 everything was written, or left out as --lossy allows; 1 something is wrong, and nothing was written; 2 wrong
            usage.
            """)

    @Argument(help: .init("Files, and folders with all .yaml, .yml and .json below them.", valueName: "path"))
    var paths: [String]

    @Option(
        name: .long, help: "Read every file as this: kubernetes, ansible or csv; else what a file is follows from itself.",
        transform: Self.dialect)
    var from: Dialect?

    @Flag(name: .long, help: "Leave out what has no native form, and say what.")
    var lossy = false

    @Option(name: .long, help: .init("Where to write; - is standard output.", valueName: "file"))
    var output = "-"

    @Flag(name: .long, help: "Say on standard error what was made, what has no effect and what was left out, a line each.")
    var report = false

    @Flag(name: .long, help: "One JSON document for machines, with the report; the text in it, unless it goes to a file.")
    var json = false

    /// What an import did, as `--json` prints it.
    private struct Answer: Encodable {
        /// An object that was written.
        struct Object: Encodable {
            var kind, name, file: String
            var line, column: Int
        }

        var ok: Bool
        var yaml: String?
        var written: [Object] = []
        var ignored: [Fault] = []
        var lost: [Fault] = []
        var errors: [Fault] = []
    }

    private static func dialect(_ word: String) throws -> Dialect {
        guard let dialect = Dialect(rawValue: word) else {
            let known = Dialect.allCases.map(\.rawValue)
            throw ValidationError(
                "there is no language \"\(word)\"; \(Spelling.remedy(word, among: known) ?? "there are \(known.joined(separator: ", "))")"
            )
        }
        return dialect
    }

    func run() throws {
        let contents: Loader.Contents
        let set: PolicySet
        do {
            let dialects = from.map { [$0.reader(isLossy: lossy, isAlone: true)] } ?? Dialect.readers(isLossy: lossy)
            contents = try Loader.contents(paths: paths, dialects: dialects)
            set = try PolicySet(contents.documents)
        } catch {
            complain("\(error)")
            if json { say(try DaemonClient.encode(Answer(ok: false, errors: error.all.map(Fault.init)))) }
            throw Outcome.failed
        }
        let text = set.yaml
        if output != "-" { try write(text) }
        try tell(contents, set, text)
    }

    private func write(_ text: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
        } catch {
            complain("\(output) cannot be written; see whether its folder is there, and yours to write in")
            throw Outcome.failed
        }
    }

    private func tell(_ contents: Loader.Contents, _ set: PolicySet, _ text: String) throws {
        let documents = set.documents
        if report {
            // A namespace that is only named stands nowhere.
            for document in documents {
                let place = document.place == .nowhere ? "named by others" : "\(document.place)"
                complain("\(place): written: \(document.kind) \(document.name)")
            }
            for note in contents.ignored { complain("\(note.place): ignored: \(note.message)") }
        }
        DocumentOptions.tell(contents.losses)
        guard json else {
            if output == "-" { say(text) }
            return
        }
        let written = documents.map { document in
            Answer.Object(
                kind: document.kind, name: document.name.description, file: document.place.file, line: document.place.line,
                column: document.place.column)
        }
        say(
            try DaemonClient.encode(
                Answer(
                    ok: true, yaml: output == "-" ? text : nil, written: written, ignored: contents.ignored.map(Fault.init),
                    lost: contents.losses.map(Fault.init))))
    }
}
