// SPDX-License-Identifier: Apache-2.0
import Analysis
import ArgumentParser
import FoundationEssentials
import Policy
import PolicyText

/// `bulkhead policy test`.
struct PolicyTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Hold policies to sentences that must be true of them.",
        discussion: """
            FILE holds documents of the kind PolicyTest with sentences as these; names are workloads, addresses, zones, entities, or
            terms that the document names. Nothing is sampled: a sentence about many is asked of all of them.

              web can reach db on tcp/5432
              laptop cannot reach db on any

              bulkhead policy test tests/ --policies policies/ --junit report.xml

            Without files and configuration it asks the policy in force. Exit code 1 when a sentence is not true.
            """)

    @Argument(help: .init("Files or folders of tests.", valueName: "file"))
    var files: [String]

    @OptionGroup var set: PolicySetOptions
    @OptionGroup var time: TimeOptions

    @Option(name: .long, help: "Where to write the outcome as JUnit XML.")
    var junit: String?

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    func run() async throws {
        var tests: [PolicyTest] = []
        for path in files {
            for file in try Loader.files(under: path) { tests += try Loader.tests(at: file) }
        }
        let (view, now) = (try await set.view(), try time.unixSeconds())
        let trials = tests.map { Trial($0, of: view, now: now) }
        if let junit {
            do {
                try TrialReport.junit(trials).write(toFile: junit, atomically: true, encoding: .utf8)
            } catch {
                throw DaemonClient.Failure(description: "\(junit) cannot be written: \(error)")
            }
        }
        say(json ? TrialReport.json(trials) : TrialReport.text(trials, .ofTerminal))
        if trials.contains(where: { $0.failures > 0 }) { throw Outcome.failed }
    }
}
