// SPDX-License-Identifier: Apache-2.0
import Analysis
import ArgumentParser
import Policy

/// `bulkhead policy diff`.
struct PolicyDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Say exactly which connections two sets of policies decide otherwise.",
        discussion: """
            OLD and NEW are files or folders; with one of them alone it is compared with the policy in force. What differs is printed as
            boxes of sources, destinations and services; what lets more through is marked "+". No output means that both were proved
            equal, for every address, zone, service and source port.

              bulkhead policy diff policies-old/ policies-new/ --workloads workloads/
              bulkhead policy diff candidate/ --exit-code

            Exit code 0 whether or not they differ, as of diffs elsewhere; with --exit-code 1 when they differ, or were not proved equal.
            """)

    @Argument(help: .init("The old set, if not the one in force, and the new one.", valueName: "path"))
    var paths: [String]

    @Option(
        name: .long, parsing: .upToNextOption,
        help: .init("Files or folders that both sets have, as workloads.", valueName: "path"))
    var workloads: [String] = []

    @Option(name: .long, help: "A configuration that says where zones lie, for both sets.")
    var config: String?

    @Flag(name: .long, help: "Leave out what has no native form in importable documents, and say what.")
    var lossy = false

    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var time: TimeOptions
    @OptionGroup var steps: StepOptions

    @Flag(name: .long, help: "End with exit code 1 when the sets differ, or were not proved equal.")
    var exitCode = false

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    func validate() throws {
        guard (1...2).contains(paths.count) else {
            throw ValidationError("name OLD and NEW, or NEW alone to compare with what is in force")
        }
    }

    /// Options that read one of both sets.
    private func options(_ path: String) -> PolicySetOptions {
        var options = PolicySetOptions()
        options.documents = DocumentOptions()
        options.documents.policies = [path]
        options.documents.workloads = workloads
        options.documents.lossy = lossy
        options.config = config
        options.daemon = daemon
        return options
    }

    func run() async throws {
        let last = paths[paths.count - 1]
        var new = try options(last).read([last] + workloads)
        let old: PolicySetOptions.Reading
        if paths.count == 2 {
            old = try options(paths[0]).read([paths[0]] + workloads)
        } else {
            old = try await options(last).running()
            // What is a candidate for this appliance lies where its zones lie, and cannot close what it keeps open.
            if config == nil { (new.zones, new.failsafe) = (old.zones, old.failsafe) }
        }
        let comparison = Comparison(
            old: try PolicySetOptions.view(old), new: try PolicySetOptions.view(new), at: try time.unixSeconds(),
            budget: steps.budget)
        if json {
            say(comparison.json)
        } else if !comparison.isProvedEqual {
            say(comparison.text(.ofTerminal))
        }
        if exitCode && !comparison.isProvedEqual { throw Outcome.failed }
    }
}
