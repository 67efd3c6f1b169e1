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

    @Option(name: .long, help: "A configuration that says where zones lie and what no policy can close, for both sets.")
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

    func run() async throws {
        let (old, new) = try await views()
        let comparison = Comparison(old: old, new: new, at: try time.unixSeconds(), budget: steps.budget)
        if json {
            say(comparison.json)
        } else if !comparison.isProvedEqual {
            say(comparison.text(.ofTerminal))
        }
        if exitCode && !comparison.isProvedEqual { throw Outcome.failed }
    }

    /// Both sets, read and compiled side by side where both are files.
    private func views() async throws -> (old: PolicyView, new: PolicyView) {
        let (config, isLossy) = (config, lossy)
        let sets = paths.map { [$0] + workloads }
        guard sets.count == 2 else {
            var options = PolicySetOptions()
            options.documents = DocumentOptions()
            options.daemon = daemon
            let old = try await options.running()
            var (new, losses) = try PolicySetOptions.read(sets[0], config: config, isLossy: isLossy)
            DocumentOptions.tell(losses)
            // What is a candidate for this appliance lies where its zones lie, and cannot close what it keeps open.
            if config == nil { (new.zones, new.failsafe) = (old.zones, old.failsafe) }
            return (try PolicySetOptions.view(old), try PolicySetOptions.view(new))
        }
        async let first = Self.view(sets[0], config: config, isLossy: isLossy)
        async let second = Self.view(sets[1], config: config, isLossy: isLossy)
        let (old, new) = try await (first, second)
        DocumentOptions.tell(old.losses + new.losses)
        return (old.view, new.view)
    }

    private static func view(
        _ paths: [String], config: String?, isLossy: Bool
    ) async throws -> (view: PolicyView, losses: [PolicyError]) {
        let (reading, losses) = try PolicySetOptions.read(paths, config: config, isLossy: isLossy)
        return (try PolicySetOptions.view(reading), losses)
    }
}
