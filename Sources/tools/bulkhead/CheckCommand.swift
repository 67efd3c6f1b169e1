// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Compiler
import Control
import Policy

/// `bulkhead check`.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say whether configuration and policies are understood and compile; changes nothing.",
        discussion: """
            Needs no privilege and no daemon. What is wrong is named by file, line and column, with the exit code 1.

              bulkhead check --config /etc/bulkhead/bulkhead.yaml
              bulkhead check --policies policies/ --workloads workloads.yaml
            """)

    @Option(name: .long, help: "The configuration file; with it, everything that it names.")
    var config: String?

    @OptionGroup var documents: DocumentOptions

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    /// What a check found, as `--json` prints it.
    private struct Report: Encodable {
        /// Whether everything is understood.
        var ok: Bool
        /// What is wrong, all of it.
        var errors: [Fault]?
        /// How much was checked.
        var pairs, zones, namespaces, workloads, policies, rules, classes: Int?
    }

    func validate() throws {
        try documents.validate(config: config)
        guard (config == nil) != documents.paths.isEmpty else {
            throw ValidationError("name what to check: either --config FILE, or --policies PATH… and --workloads PATH…")
        }
    }

    func run() throws {
        do {
            let configuration = try config.map(Configuration.load)
            try configuration?.checkUsers()
            try configuration?.checkFolders()
            var source = PolicySource(configuration, paths: documents.paths, isLossy: documents.lossy)
            let compiled = try source.compile(generation: 1, ports: configuration?.ports ?? [])
            DocumentOptions.tell(source.losses)
            try tell(configuration, compiled)
        } catch let error as PolicyError {
            try refuse("\(error)", error.all.map(Fault.init))
        } catch CompileError.policy(let error) {
            try refuse("\(error)", error.all.map(Fault.init))
        } catch let error as CompileError {
            try refuse("\(error)", [Fault(message: "\(error)")])
        }
    }

    private func tell(_ configuration: Configuration?, _ compiled: Compiled) throws {
        let (set, figures) = (compiled.set, compiled.figures)
        guard !json else {
            return say(
                try DaemonClient.encode(
                    Report(
                        ok: true, pairs: configuration?.pairs.count, zones: set.zones.count, namespaces: set.namespaces.count,
                        workloads: set.workloads.count, policies: set.policies.count, rules: figures.rules,
                        classes: figures.classes)))
        }
        if let configuration {
            let pairs = configuration.pairs.map { "\($0.name) (\($0.ports.joined(separator: ", ")))" }
            say("\(configuration.file): \(counted(pairs.count, "pair")): \(pairs.joined(separator: ", "))")
        }
        say(
            "\(counted(set.policies.count, "policy", "policies")) with \(counted(figures.rules, "rule")), "
                + "\(counted(set.workloads.count, "workload")), \(counted(set.namespaces.count, "namespace")), "
                + "\(counted(set.zones.count, "zone")): understood, and compiled to \(figures.classes) classes")
        if set.policies.isEmpty {
            say("no policy says anything: every connection gets what its zones give unjudged traffic, deny by default")
        }
    }

    private func refuse(_ text: String, _ faults: [Fault]) throws {
        complain(text)
        if json { say(try DaemonClient.encode(Report(ok: false, errors: faults))) }
        throw Outcome.failed
    }

    private func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
        count == 1 ? "1 \(one)" : "\(count) \(many ?? one + "s")"
    }
}
