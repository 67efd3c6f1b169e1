// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Policy
import PolicyText

/// The options of verbs that read documents without a daemon. Both take every kind of document: two names, so that a command line
/// says what is meant.
struct DocumentOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .upToNextOption,
        help: .init(
            "Files or folders of policies (.yaml, .yml, .json; folders with all below them), native or importable.",
            valueName: "path"))
    var policies: [String] = []

    @Option(
        name: .long, parsing: .upToNextOption,
        help: .init("Files or folders of workloads, also .csv and .ini; any document may be in either.", valueName: "path"))
    var workloads: [String] = []

    @Flag(name: .long, help: "Leave out what has no native form in importable documents, and say what.")
    var lossy = false

    /// All paths.
    var paths: [String] { policies + workloads }

    /// Refuses to be lossy beside a configuration: the daemon never is.
    func validate(config: String?) throws {
        guard lossy, config != nil else { return }
        throw ValidationError(
            "--lossy goes with --policies and --workloads alone: the daemon loses nothing that it is configured with")
    }

    /// Says what was left out.
    static func tell(_ losses: [PolicyError]) {
        for loss in losses { complain("\(loss.place): lost: \(loss.message)") }
    }
}
