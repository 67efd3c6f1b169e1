// SPDX-License-Identifier: Apache-2.0
import API
import ArgumentParser

/// `bulkhead policy apply`.
struct PolicyApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Put policies into force, all of them or those of a namespace.",
        discussion: """
            Sends the documents of files and folders, native or importable, to the daemon, which checks them, compares them with what is in
            force and publishes them as a revision, or refuses them with every place that is wrong and changes nothing. They become the
            whole set of policies, with --namespace all policies of that namespace. Workloads that the daemon has from elsewhere stay.

            See first, then try, then keep:

              bulkhead policy apply policies/ --dry-run
              bulkhead policy apply policies/ --confirm 60s --reason "open the shop's database to reporting"
              bulkhead policy confirm 8

            Without a confirmation in time, over a login that began after the change, the revision before is in force again: whoever has
            locked themselves out waits. With --max-new-denies 0 it goes back too when anything is denied that was allowed.

            Exit codes: 0 in force, or nothing to change; 1 refused, with the places on standard error; 2 wrong usage.
            """)

    @Argument(help: .init("Files, and folders with all .yaml, .yml and .json below them.", valueName: "path"))
    var paths: [String]

    @Option(
        name: .long,
        help: .init(
            "Replace the policies of this namespace and nothing else; an editor's only namespace is implied.", valueName: "name"))
    var namespace: String?

    @Option(
        name: .long, help: .init("Only if this revision serves now, so that nobody's change is lost.", valueName: "n"))
    var ifRevision: Int64?

    @Flag(name: .long, help: "Leave out what has no native form in importable documents, and say what.")
    var lossy = false

    @Flag(name: .long, help: "Take all policies away where the files hold no document; refused otherwise.")
    var allowEmpty = false

    @OptionGroup var change: ChangeOptions
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        var request = ApplyRequest(files: try DocumentFile.read(paths))
        (request.namespace, request.ifRevision, request.lossy) = (namespace, ifRevision, lossy ? true : nil)
        request.allowEmpty = allowEmpty ? true : nil
        (request.dryRun, request.console) = (change.dryRun ? true : nil, change.console ? true : nil)
        (request.confirm, request.maxNewDenies, request.reason) = (change.confirm?.count, change.maxNewDenies, change.reason)
        try change.tell(try await daemon.client.ask(.post, "/v1/policy", body: request))
    }
}

/// `bulkhead policy rollback`.
struct PolicyRollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Put an earlier revision into force again, as a new one.",
        discussion: """
              bulkhead policy history
              bulkhead policy rollback 5 --dry-run
              bulkhead policy rollback 5 --reason "reporting is broken"
            """)

    @Argument(help: .init("The revision's number, from `bulkhead policy history`.", valueName: "revision"))
    var revision: Int64

    @OptionGroup var change: ChangeOptions
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        var request = RollbackRequest()
        (request.dryRun, request.console) = (change.dryRun ? true : nil, change.console ? true : nil)
        (request.confirm, request.maxNewDenies, request.reason) = (change.confirm?.count, change.maxNewDenies, change.reason)
        try change.tell(try await daemon.client.ask(.post, "/v1/policy/revisions/\(revision)/rollback", body: request))
    }
}

/// `bulkhead policy confirm`.
struct PolicyConfirmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm", abstract: "Keep the revision that awaits it.",
        discussion: """
            Say it over a login, or a TLS connection, that began after the change: an old one may live on where a new one would be denied.
            With --console you say that you reach the machine by another way than through it; that is written down.

              bulkhead policy confirm 8
            """)

    @Argument(help: .init("The revision's number, as `bulkhead policy apply` told it.", valueName: "revision"))
    var revision: Int64

    @Flag(name: .long, help: "You sit at the machine: take it over an older login too.")
    var console = false

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        var request = ConfirmRequest()
        request.console = console ? true : nil
        let body = try await daemon.client.ask(.post, "/v1/policy/revisions/\(revision)/confirm", body: request)
        let report = try DaemonClient.decode(RevisionReport.self, body)
        say(json ? body : "revision \(report.revision) is \(report.outcome) and stays")
    }
}
